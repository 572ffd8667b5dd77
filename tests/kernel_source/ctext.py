# SPDX-License-Identifier: LGPL-2.1-or-later
"""A kernel's source tree as definitions, and a definition as statements that can be compared.

Unlike extract.py, which cuts what compiles, this keeps going where a file is unusual: a `}` in the first column ends
a definition, whatever the braces before it say.
"""
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby
from pathlib import Path

_COMMENT_OR_TEXT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
_TOKEN = re.compile(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|\w+'
                    r'|->|\+\+|--|<<=|>>=|<<|>>|[-+*/%&|^<>=!]=|&&|\|\||\.\.\.|[^\s\w]', re.MULTILINE)
# Words that say where code or data lies, or how it is compiled, not what it does.
_ATTRIBUTES = frozenset("""static inline extern noinline notrace __always_inline __inline __init __initdata __exit
    __meminit __meminitdata __ref __refdata __paginginit __init_memblock __init_or_module __maybe_unused __must_check
    __read_mostly __ro_after_init __cold noinline_for_stack __sched likely unlikely const""".split())
DECLARATION = re.compile(r"(?!(?:return|goto|else|case)\b)(?:[A-Za-z_]\w* |\* ?)+(?P<name>\w+)(\[\w*\])?"
                         r"(?P<value> = .*)?;$")


@dataclass(frozen=True)
class Item:
    """A definition: a function, a struct or enum, or a variable."""

    name: str
    file: str
    line: int
    text: str


@dataclass(frozen=True)
class Statement:
    """A statement, the head of one (`if (…)`), a brace or a directive."""

    tokens: tuple[str, ...]
    text: str


class Tree:
    """The unpacked source of a kernel."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def version(self) -> str:
        """ "6.12", from the Makefile; empty if that is not kept."""
        try:
            makefile = (self.root / "Makefile").read_text(encoding="utf-8")
        except OSError:
            return ""
        numbers = dict(re.findall(r"^(VERSION|PATCHLEVEL) *= *(\d+)$", makefile, re.MULTILINE))
        return ".".join(numbers[key] for key in ("VERSION", "PATCHLEVEL") if key in numbers)

    @cached_property
    def texts(self) -> dict[str, str]:
        """Every C file, by its path."""
        return {str(path.relative_to(self.root)): path.read_text(encoding="utf-8", errors="replace")
                for path in sorted(self.root.rglob("*.[ch]"))}

    @cached_property
    def words(self) -> dict[str, list[str]]:
        """Every identifier of the tree, also in comments, with the files that have it."""
        found: dict[str, list[str]] = {}
        for file, text in self.texts.items():
            for word in set(re.findall(r"[A-Za-z_]\w*", text)):
                found.setdefault(word, []).append(file)
        return found

    @lru_cache(maxsize=None)
    def items(self, file: str) -> dict[str, Item]:
        """The definitions of a file; those of one name, in branches of #if, are one."""
        found: dict[str, Item] = {}
        for item in _items(file, self.texts.get(file, "")):
            before = found.get(item.name)
            found[item.name] = (Item(item.name, file, before.line, f"{before.text}\n{item.text}") if before else item)
        return found

    def find(self, name: str, files: tuple[str, ...], anywhere: bool = True,
             headers: bool = False) -> Item | None:
        """The definition of `name`: in `files`, in their order, or else in any file (headers have stubs, too)."""
        for file in files:
            if name in self.items(file):
                return self.items(file)[name]
        if anywhere:
            for file in self.words.get(name, ()):
                if (headers or file.endswith(".c")) and name in self.items(file):
                    return self.items(file)[name]
        return next(filter(None, (_generated(name, file, self.texts.get(file, "")) for file in files)), None)


def _generated(name: str, file: str, text: str) -> Item | None:
    """A function that a macro defines: `param_set_##name` and the line that gives the macro `uint`."""
    for macro in re.finditer(r"^#define (\w+)\((\w+)(?:[^\n]*\\\n)*[^\n]*", text, re.MULTILINE):
        for prefix in re.findall(rf"\b(\w+)##{macro[2]}\s*\(", macro[0]):
            suffix = name.removeprefix(prefix)
            use = re.search(rf"^{macro[1]}\({re.escape(suffix)}\b[^;]*;", text, re.MULTILINE)
            if suffix != name and use:
                return Item(name, file, text.count("\n", 0, use.start()) + 1,
                            f"{name}() {{ {use[0]} }}\n" + re.sub(r"\s*\\\n\s*", " ", macro[0]))
    return None


def blank(text: str) -> str:
    """The text with comments, strings and directives as spaces: same length, same lines."""
    def spaces(found: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", found[0])
    return _DIRECTIVE.sub(spaces, _COMMENT_OR_TEXT.sub(spaces, text))


def _items(file: str, text: str) -> list[Item]:
    plain = blank(text)
    found: list[Item] = []
    begin = depth = 0
    for mark in re.finditer(r"[{};]", plain):
        first_column = mark.start() == 0 or plain[mark.start() - 1] == "\n"
        if mark[0] == "{":
            depth = 1 if first_column else depth + 1
        elif mark[0] == "}":
            depth = 0 if first_column else max(0, depth - 1)
        if depth or mark[0] == "{":
            continue
        head = plain[begin:mark.end()].partition("{")[0]
        if mark[0] == "}" and re.search(r"=|^\s*(typedef|(static\s+)?(const\s+)?(struct|union|enum)\b[^()]*$)", head):
            continue  # up to its semicolon
        name = _name(head)
        start = begin + len(head) - len(head.lstrip())
        if name:
            found.append(Item(name, file, text.count("\n", 0, start) + 1, text[start:mark.end()]))
        begin = mark.end()
    return found


def _name(head: str) -> str:
    """What a definition with this head defines; empty for declarations and uses of macros."""
    if re.search(r"=", head) or head.rstrip().endswith(";"):
        variable = re.sub(r"\[[^]]*\]", "", head.partition("=")[0].rstrip("; \n\t"))
        words = [word for word in re.findall(r"\w+", variable) if word not in _ATTRIBUTES]
        return words[-1] if "(" not in variable and len(words) > 1 and words[0] != "extern" else ""
    aggregate = re.match(r"\s*(?:typedef\s+)?(?:struct|union|enum)\s+(\w+)\s*$", head)
    if aggregate:
        return aggregate[1]
    for call in re.finditer(r"(\w+)\s*\(", head):
        if not re.fullmatch(r"__(printf|attribute__|alloc_size|acquires|releases|section|aligned)", call[1]):
            return call[1]
    return ""


def statements(text: str) -> tuple[Statement, ...]:
    """A definition as statements, without comments, attributes, and braces around one statement."""
    without = _COMMENT_OR_TEXT.sub(lambda found: found[0] if found[0][0] in "\"'" else " ", text)
    tokens = _plain([re.sub(r"\s+", " ", token.strip()) for token in _TOKEN.findall(without)])
    listing = not re.match(r"[^={]*\)\s*\{", blank(text))  # an array, struct or enum is compared by its entries
    parts = [part for words in _split(tokens, listing) for part in _declared_apart(words)]
    return tuple(_sorted(_unbraced([Statement(tuple(words), _shown(words)) for words in parts])))


def _declared_apart(words: list[str]) -> list[list[str]]:
    """`int a, b;` as two declarations; nothing for `fallthrough;`."""
    if words == ["fallthrough", ";"]:
        return []
    if words[-1] != ";" or "," not in words or set(words) & set("=(){}[]?*"):
        return [words]
    names = " ".join(words[:-1]).split(" , ")
    kind, _, first = names[0].rpartition(" ")
    return [[*kind.split(), name, ";"] for name in [first, *names[1:]]] if kind else [words]


def is_declaration(part: Statement) -> bool:
    """Whether a statement declares one variable, with or without a value."""
    return bool(DECLARATION.match(part.text))


def _sorted(found: list[Statement]) -> list[Statement]:
    """Declarations that follow each other, in the order of their texts."""
    result: list[Statement] = []
    for declares, group in groupby(found, key=is_declaration):
        result += sorted(group, key=lambda part: part.text) if declares else group
    return result


def _plain(tokens: list[str]) -> list[str]:
    """Tokens without attributes; adjacent strings are one, and `((x))` is `(x)`."""
    result: list[str] = []
    for token in tokens:
        if token in _ATTRIBUTES:
            continue
        if len(result) > 1 and result[-2] == "enum" and re.match(r"\w|\*", token):
            result[-2:] = ["int"]
        if token[0] == '"' and result and result[-1][0] == '"':
            result[-1] = result[-1][:-1] + token[1:]
        else:
            result.append(token)
    return _single_parentheses(result)


def _single_parentheses(tokens: list[str]) -> list[str]:
    opened: list[int] = []
    partner: dict[int, int] = {}
    for at, token in enumerate(tokens):
        if token == "(":
            opened.append(at)
        elif token == ")" and opened:
            partner[opened.pop()] = at
    dropped = {place for start, end in partner.items() if partner.get(start + 1) == end - 1
               for place in (start + 1, end - 1)}
    return [token for at, token in enumerate(tokens) if at not in dropped]


def _split(tokens: list[str], listing: bool) -> list[list[str]]:
    found: list[list[str]] = []
    current: list[str] = []
    parentheses = braces = 0
    for token in tokens:
        if token[0] == "#" and len(token) > 1:
            found += [current, [token]] if current and not parentheses else [[token]]
            current = current if parentheses else []
            continue
        current.append(token)
        parentheses += (token == "(") - (token == ")")
        if parentheses > 0:
            continue
        parentheses = 0
        if not listing and (braces or (token == "{" and "=" in current)):
            braces += (token == "{") - (token == "}")  # an initial value
            continue
        if _ends(token, current, listing):
            found.append(current)
            current = []
    return [words for words in [*found, current] if words]


def _ends(token: str, current: list[str], listing: bool) -> bool:
    if token in ";{}" or current in (["else"], ["do"]) or (listing and token == ","):
        return True
    if token == ")" and re.fullmatch(r"if|while|for|switch|\w*for_each\w*", current[0]):
        return _balanced(current)
    return token == ":" and (current[0] in ("case", "default") or len(current) == 2)


def _balanced(tokens: list[str]) -> bool:
    return tokens.count("(") == tokens.count(")")


def _unbraced(found: list[Statement]) -> list[Statement]:
    """Drops braces that hold one plain statement after `if (…)` and its like."""
    result: list[Statement] = []
    for statement in found:
        result.append(statement)
        last = [part.tokens for part in result[-4:]]
        if (len(last) == 4 and last[1] == ("{",) and last[3] == ("}",) and last[2][-1] == ";"
                and re.match(r"(if|else|while|for|\w*for_each\w*)$", last[0][0])):
            result[-3:] = [result[-2]]
    return result


def _shown(tokens: list[str]) -> str:
    """Tokens as a person writes them, near enough."""
    text = " ".join(tokens)
    text = re.sub(r" (\)|\]|;|,|->|\.(?!\.)|\+\+|--)", r"\1", text)
    text = re.sub(r"(\(|\[|->|\.|!|~) ", r"\1", text)
    text = re.sub(r"\b(?!if|for|while|switch|return)(\w+) (\(|\[)", r"\1\2", text)
    text = re.sub(r"(return|[=(,?:<>]) - (?=\w)", r"\1 -", text).replace("( -", "(-")
    return re.sub(r"(^|[(,=&|] ?)([*&]) (?=\w)", r"\1\2", text)
