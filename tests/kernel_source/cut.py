# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the C of one kernel for the differential test: shims.h, what functions.txt names, oracle.c."""
import re
from dataclasses import dataclass
from pathlib import Path

import extract

HERE = Path(__file__).resolve().parent
_KINDS = {
    "function": extract.function,
    "struct": lambda tree, file, name: extract.aggregate(tree, file, "struct", name),
    "enum": lambda tree, file, name: extract.aggregate(tree, file, "enum", name),
    "enumerator": extract.enumeration,
    "macros": extract.macros,
    "array": extract.array,
    "number": extract.number,
}


@dataclass(frozen=True)
class Wanted:
    """A line of functions.txt that holds for one version."""

    kind: str
    name: str
    file: str
    types: str


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _holds(words: str, version: str) -> bool:
    bounds = dict(re.findall(r"(from|to) ([\d.]+)", words))
    return (_number(bounds.get("from", "0")) <= _number(version)
            and _number(version) <= _number(bounds.get("to", "999")))


def wanted(version: str) -> list[Wanted]:
    """What functions.txt names for `version`, in its order."""
    result: list[Wanted] = []
    file = ""
    for line in (HERE / "functions.txt").read_text(encoding="utf-8").splitlines():
        words, _, types = line.partition(" : ")
        if not words or words.startswith("#") or not _holds(words, version):
            continue
        kind, name = words.split()[:2]
        if kind == "file":
            file = name
        else:
            result.append(Wanted(kind, name, file, types.strip()))
    return result


def _comparable(types: str) -> str:
    return re.sub(r"\s+", "", re.sub(r"\bconst\b", "", types))


def definitions(version: str, tree: Path) -> list[extract.Definition]:
    """The definitions themselves; raises extract.Moved with all that does not fit."""
    found: list[extract.Definition] = []
    wrong: list[str] = []
    for want in wanted(version):
        try:
            definition = _KINDS[want.kind](tree, want.file, want.name)
        except extract.Moved as moved:
            wrong.append(f"{want.name}: {moved}")
            continue
        if want.kind == "function" and _comparable(definition.signature) != _comparable(want.types):
            wrong.append(f"{want.name}: its types are {definition.signature}; functions.txt expects {want.types}")
        found.append(definition)
    if wrong:
        raise extract.Moved("\n".join(f"Linux {version}: {text}" for text in wrong))
    return found


def write_c(version: str, tree: Path, target: Path) -> list[extract.Definition]:
    """Writes the C of `version` to `target`; what was cut out."""
    found = definitions(version, tree)
    functions = [definition for definition in found if definition.signature]
    others = [definition for definition in found if not definition.signature]
    major, minor = version.split(".")
    parts = [f"#define KERNEL_VERSION {int(major) * 1000 + int(minor)}\n#define KERNEL_NAME \"{version}\"\n",
             f'#include "{HERE}/oracle.h"\n#include "{HERE}/shims.h"\n',
             *(definition.source() for definition in others if definition.file.startswith("include/")),
             f'#include "{HERE}/shims_blocks.h"\n',
             *(definition.source() for definition in others if not definition.file.startswith("include/")),
             *(definition.prototype() for definition in functions),
             *(definition.source() for definition in functions),
             f'#line 1 "{HERE}/oracle.c"\n', (HERE / "oracle.c").read_text(encoding="utf-8")]
    target.write_text("".join(parts), encoding="utf-8")
    return found
