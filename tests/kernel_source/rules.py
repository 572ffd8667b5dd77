# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the numbered rules of compiler/kernel/README.md: what each says, which kernel functions it cites, its tests."""
import re
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "compiler/kernel/README.md"


@dataclass(frozen=True)
class Citation:
    """A kernel function, variable or array that a rule cites."""

    name: str
    files: tuple[str, ...]  # the present file first, then those of other versions
    aliases: tuple[str, ...]  # its names in other versions
    versions: str  # "4.14–"


@dataclass(frozen=True)
class Rule:
    """A numbered rule."""

    number: str
    text: str
    citations: tuple[Citation, ...]
    tests: tuple[str, ...]

    @property
    def title(self) -> str:
        """The first sentence."""
        return re.split(r"(?<=[.])\s+(?=[A-Z0-9`])", self.text, maxsplit=1)[0]


def rules(readme: Path = README) -> list[Rule]:
    """All rules, in the order of the page."""
    found: list[Rule] = []
    lines: list[str] = []
    for line in [*readme.read_text(encoding="utf-8").splitlines(), ""]:
        if lines and (not line.strip() or line.startswith("- **") or line.startswith("#")):
            found.append(_rule(lines))
            lines = []
        if re.match(r"- \*\*\d+\.\d+\*\*", line):
            lines = [line]
        elif lines:
            lines.append(line.strip())
    return found


def _rule(lines: list[str]) -> Rule:
    body = " ".join(lines)
    shape = re.match(r"- \*\*(?P<number>[\d.]+)\*\* (?P<text>.*?) Kernel: (?P<kernel>.*?) Test: (?P<tests>.*)$", body)
    if not shape:
        raise ValueError(f"a rule without `Kernel:` or `Test:`: {body[:60]}")
    tests = tuple(f'{path} "{name}"' for path, name in re.findall(r'`([^`]+)` "([^"]+)"', shape["tests"]))
    return Rule(shape["number"], shape["text"], tuple(_citations(shape["kernel"])), tests)


def _citations(kernel: str) -> list[Citation]:
    """`FILE` `NAME`, `NAME`, VERSIONS; `FILE` … — parentheses hold the file or the name of other versions."""
    found: list[Citation] = []
    files: tuple[str, ...] = ()
    for part in re.split(r";\s", kernel):
        plain = re.sub(r"\([^()]*\)", "", part)
        versions = re.sub(r"\s+([,.])", r"\1", re.sub(r"`[^`]*`,?\s*", "", plain)).strip(" ,.")
        others = re.findall(r"`([^`]+)`", " ".join(re.findall(r"\([^()]*\)", part)))
        other_files = tuple(word for word in others if "/" in word)
        other_names = tuple(word for word in others if "/" not in word)
        for word in re.findall(r"`([^`]+)`", plain):
            if "/" in word:
                files = (word, *other_files)
            else:
                found.append(Citation(word, files, other_names, versions))
    return found
