# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cuts definitions out of kernel sources by name and by their braces: functions, structs and enums.

Comments and strings are blanked before braces are counted, so that nothing in them counts. A definition keeps
its lines (`#line`), so that compilers and debuggers show the kernel's file.
"""
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


class Moved(Exception):
    """A definition is not where it is expected, or not as expected; the text says what."""


@dataclass(frozen=True)
class Definition:
    """A definition as it stands in its file."""

    name: str
    file: str
    line: int
    signature: str  # of a function: "struct zone * (enum mmop, int, unsigned long)"; otherwise empty
    text: str

    def source(self) -> str:
        """C that defines it, with its place."""
        return f'#line {self.line} "{self.file}"\n{self.text}\n'

    def prototype(self) -> str:
        """C that declares the function."""
        return self.text[:_blank(self.text).index("{")].rstrip() + ";\n"


_SKIPPED = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def _blank(text: str) -> str:
    """The text with comments, strings and preprocessor lines as spaces: same length, same lines."""
    text = _SKIPPED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda found: re.sub(r"[^\n]", " ", found[0]), text,
                  flags=re.MULTILINE)


@lru_cache(maxsize=None)
def _read(tree: Path, file: str) -> tuple[str, str]:
    try:
        text = (tree / file).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Moved(f"{file}: {error.strerror}") from error
    return text, _blank(text)


def _closing(blank: str, start: int, pair: str) -> int:
    """The place after the bracket that closes the one at `start`."""
    depth = 0
    for at in range(start, len(blank)):
        if blank[at] == pair[0]:
            depth += 1
        elif blank[at] == pair[1]:
            depth -= 1
            if depth == 0:
                return at + 1
    raise Moved("a bracket is not closed")


def function(tree: Path, file: str, name: str) -> Definition:
    """The first definition of the function `name` in `file`."""
    text, blank = _read(tree, file)
    for found in re.finditer(rf"\b{re.escape(name)}[ \t]*\(", blank):
        end = _closing(blank, found.end() - 1, "()")
        body = re.compile(r"\s*\{").match(blank, end)
        if not body:
            continue
        # A definition begins after what ended the one before.
        begin = max(blank.rfind(mark, 0, found.start()) for mark in ";}") + 1
        begin += len(blank[begin:found.start()]) - len(blank[begin:found.start()].lstrip())
        head = blank[begin:found.start()]
        if not head.strip() or re.search(r"[=(,{]", head):
            continue
        stop = _closing(blank, body.end() - 1, "{}")
        return Definition(name, file, text.count("\n", 0, begin) + 1,
                          _signature(head, blank[found.end():end - 1]), text[begin:stop])
    raise Moved(f"{file} does not define {name}()")


def aggregate(tree: Path, file: str, kind: str, name: str) -> Definition:
    """The struct or enum `name` of `file`."""
    text, blank = _read(tree, file)
    found = re.search(rf"\b{kind}[ \t]+{re.escape(name)}\s*\{{", blank)
    if not found:
        raise Moved(f"{file} does not define {kind} {name}")
    stop = _closing(blank, found.end() - 1, "{}")
    return Definition(name, file, text.count("\n", 0, found.start()) + 1, "", text[found.start():stop] + ";")


def enumeration(tree: Path, file: str, enumerator: str) -> Definition:
    """The enum of `file` that has `enumerator`."""
    text, blank = _read(tree, file)
    for found in re.finditer(r"\benum\b[ \t\w]*\{", blank):
        stop = _closing(blank, found.end() - 1, "{}")
        if re.search(rf"\b{re.escape(enumerator)}\b", blank[found.start():stop]):
            return Definition(enumerator, file, text.count("\n", 0, found.start()) + 1, "",
                              text[found.start():stop] + ";")
    raise Moved(f"{file} has no enum with {enumerator}")


def macros(tree: Path, file: str, prefix: str) -> Definition:
    """The numbers of `file` that are defined as macros whose names begin with `prefix`."""
    text, _ = _read(tree, file)
    lines = re.findall(rf"^#define[ \t]+{re.escape(prefix)}\w+[ \t]+\(?[0-9].*$", text, re.MULTILINE)
    if not lines:
        raise Moved(f"{file} defines no {prefix}*")
    return Definition(prefix, file, 1, "", "\n".join(lines))


def number(tree: Path, file: str, name: str) -> Definition:
    """The static variable `name` of `file`, with its first value."""
    text, blank = _read(tree, file)
    found = re.search(rf"^static\b[^;({{]*\b{re.escape(name)}\b[^;({{]*;", blank, re.MULTILINE)
    if not found:
        raise Moved(f"{file} does not define {name}")
    variable = re.sub(r"\b__\w+ ?", "", text[found.start():found.end()])
    return Definition(name, file, text.count("\n", 0, found.start()) + 1, "", variable)


def array(tree: Path, file: str, name: str) -> Definition:
    """The array `name` of `file`, with its initial values."""
    text, blank = _read(tree, file)
    found = re.search(rf"^[a-z][^;=\n]*\b{re.escape(name)}\[\] = \{{", blank, re.MULTILINE)
    if not found:
        raise Moved(f"{file} does not define {name}[]")
    stop = _closing(blank, found.end() - 1, "{}")
    return Definition(name, file, text.count("\n", 0, found.start()) + 1, "", text[found.start():stop] + ";")


_QUALIFIERS = re.compile(r"\b(static|inline|extern|__\w+|noinline|noinline_for_stack|asmlinkage)\b")


def _signature(head: str, parameters: str) -> str:
    """The types alone: names of parameters, storage and section attributes may change."""
    types = [_type_of(parameter) for parameter in parameters.split(",")]
    return f"{_plain(_QUALIFIERS.sub(' ', head))} ({', '.join(types)})"


def _type_of(parameter: str) -> str:
    words = _plain(parameter)
    if words == "void" or words.endswith("*"):
        return words
    return _plain(re.sub(r"\w+(\[\])?$", "", words)) or words


def _plain(text: str) -> str:
    return re.sub(r"\s*\*\s*", " *", re.sub(r"\s+", " ", text)).strip()
