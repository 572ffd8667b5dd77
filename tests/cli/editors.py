# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: editors.py SOURCE: what editors highlight policies by knows every word of the language. vim itself
is asked where it is installed."""
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))
from skip import skip_part  # noqa: E402

EXAMPLE = """# comment: movable
each node hotplugged except dimm2: first 12.5% normal, rest movable
limit movable to 3x normal per node; set memmap-on-memory = on
when family is RHV { all: keep }
when vendor is not "a \\" movable" { block 40-43: 1.5GiB offline, 2 blocks keep }
"""
# Of the example: a word where it stands for the first time after the comment, and what it is.
WANTED = {"each": "keyword.other", "node": "storage.type", "hotplugged": "storage.type", "except": "keyword.other",
          "dimm2": "storage.type", "12.5%": "constant.numeric", "normal": "constant.language",
          "limit": "keyword.control", "3x": "constant.numeric", "memmap-on-memory": "variable.language",
          "on": "constant.language", "vendor": "variable.language",
          "family": "variable.language", '"a \\" movable"': "string.quoted",
          "1.5GiB": "constant.numeric", "blocks": "keyword.other", "keep": "constant.language"}
VIM = {"keyword.other": "mempolicyShare", "storage.type": "mempolicyClass", "constant.numeric": "mempolicyNumber",
       "constant.language": "mempolicyTarget", "keyword.control": "mempolicyStatement",
       "variable.language": "mempolicySetting", "string.quoted": "mempolicyString"}


def words(source: Path) -> set[str]:
    """Every word in quotes of the grammar, and those of settings and facts."""
    page = (source / "compiler/README.md").read_text()
    grammar = page[page.index("    policy      ="):page.index("- **Selectors.**")]
    found = set(re.findall(r'"([a-z-]{2,})"', grammar))
    settings = page[page.index("- **Settings.**"):page.index("- **Facts.**")]
    facts = page[page.index("- **Facts.**"):page.index("Example: eight boot blocks")]
    found |= set(re.findall(r"`([a-z-]+)`", settings)) | set(re.findall(r"(?<![A-Za-z])[a-z]+(?= \||\s*(?:·|\.))", settings))
    return found | {word for word in re.findall(r"`([a-z]+)`", facts) if word != "is"}


def scope(grammar: dict, line: str, at: int) -> str:
    """The scope of what begins there, as TextMate finds it: leftmost first, then the order of patterns."""
    begin = 0
    while begin < len(line):
        hits = [(match.start(), order, match, pattern["name"]) for order, pattern in enumerate(grammar["patterns"])
                if (match := re.compile(pattern["match"]).search(line, begin))]
        if not hits:
            break
        start, _, match, name = min(hits, key=lambda hit: hit[:2])
        if start <= at < match.end():
            return name if start == at else f"{name}, in the middle"
        if start > at:
            break
        begin = max(match.end(), begin + 1)
    return "nothing"


def place(word: str) -> tuple[int, int]:
    """Line and column of the word, after the comment."""
    for number, line in enumerate(EXAMPLE.splitlines()[1:], 1):
        if found := re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", line):
            return number, found.start()
    raise AssertionError(word)


def text_mate(source: Path) -> None:
    grammar = json.loads((source / "compiler/editors/mempolicy.tmLanguage.json").read_text())
    for word in words(source):
        assert scope(grammar, word, 0).endswith(".mempolicy"), f"no scope for `{word}`"
    for word, wanted in WANTED.items():
        line, column = place(word)
        seen = scope(grammar, EXAMPLE.splitlines()[line], column)
        assert seen == f"{wanted}{'.double' if wanted.startswith('string') else ''}.mempolicy", (word, seen)
    assert scope(grammar, EXAMPLE.splitlines()[0], 0).startswith("comment")


def vim(source: Path) -> None:
    syntax = source / "compiler/editors/mempolicy.vim"
    known = set(re.findall(r"[a-z][a-z-]+", "\n".join(re.findall(r"^syntax (?:keyword|match) \w+ (.*)$",
                                                                 syntax.read_text(), re.M))))
    assert words(source) <= known, f"mempolicy.vim does not know {words(source) - known}"
    if not shutil.which("vim"):
        skip_part("editors", "vim's highlighting: not installed: vim")
        return
    with tempfile.TemporaryDirectory() as directory:
        policy, told, script = (Path(directory) / name for name in ("x.mempolicy", "told", "script.vim"))
        policy.write_text(EXAMPLE)
        asked = [f"call add(seen, synIDattr(synID({line + 1}, {column + 1}, 1), 'name'))"
                 for line, column in map(place, WANTED)]
        # As installed: vim knows the file by its name.
        for place_of, file in (("syntax", syntax), ("ftdetect", syntax.with_name("ftdetect.vim"))):
            (Path(directory) / place_of).mkdir()
            shutil.copy(file, Path(directory) / place_of / "mempolicy.vim")
        script.write_text("\n".join([f"set runtimepath^={directory}", "syntax on", f"edit {policy}", "let seen = []",
                                     *asked, f"call writefile(seen, '{told}')", "qa!"]))
        subprocess.run(["vim", "-u", "NONE", "-N", "-es", "-S", script], check=True, timeout=60)
        seen = told.read_text().split("\n")[:-1]
        for (word, wanted), name in zip(WANTED.items(), seen, strict=True):
            accepted = {VIM[wanted]} | ({"mempolicyValue"} if wanted == "constant.language" else set())
            accepted |= {"mempolicyFact"} if wanted == "variable.language" else set()
            assert name in accepted, (word, name)


def main() -> int:
    source = Path(sys.argv[1])
    assert len(words(source)) > 50, words(source)
    text_mate(source)
    vim(source)
    return 0


if __name__ == "__main__":
    sys.exit(main())
