# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: tutorial.py MEMONLINE SOURCE: policies/tutorial.md word for word: each `$ command` in one shell's
directory, with what it prints on both channels compared. MEMONLINE_UPDATE_GOLDEN=1 writes what was printed."""
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

PROMPT, MORE, INDENT = "    $ ", "    > ", "    "


@dataclass
class Example:
    """A command, what stands below it, and the lines of the page that are this."""

    command: str
    begin: int
    end: int = 0
    shown: list[str] = field(default_factory=list)


def examples(lines: list[str]) -> list[Example]:
    """Output goes on over an empty line if it is indented after that; a command or a sentence ends it."""
    found: list[Example] = []
    current: Example | None = None
    for number, line in enumerate(lines):
        if line.startswith(PROMPT):
            current = Example(line[len(PROMPT):], number + 1)
            found.append(current)
        elif current and line.startswith(MORE) and not current.shown:
            current.command += "\n" + line[len(MORE):]
            current.begin = number + 1
        elif current and line.startswith(INDENT):
            current.shown += [""] * (number - current.begin - len(current.shown)) + [line[len(INDENT):]]
        elif line:
            current = None
        if current and line:
            current.end = number + 1
    return found


def main() -> int:
    memonline, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    page = source / "policies/tutorial.md"
    lines = page.read_text().splitlines()
    environment = {**os.environ, "PATH": f"{memonline.parent}:{os.environ['PATH']}", "NO_COLOR": "1"}
    wrong, told = 0, examples(lines)
    assert len(told) > 10, told
    with tempfile.TemporaryDirectory() as directory:
        for example in told:
            command = example.command.replace("/usr/share/memonline/policies", str(source / "policies"))
            # People see both on one screen; the errors come last in these.
            ran = subprocess.run(["bash", "-c", command], cwd=directory, env=environment, capture_output=True,
                                 text=True, check=False)
            printed = (ran.stdout + ran.stderr).splitlines()
            if printed != example.shown:
                wrong += 1
                print(f"$ {example.command}\nthe page shows\n" + "\n".join(example.shown) + "\nand it prints\n" +
                      "\n".join(printed))
            example.shown = printed
    if os.environ.get("MEMONLINE_UPDATE_GOLDEN"):
        for example in reversed(told):
            lines[example.begin:example.end] = [(INDENT + line).rstrip() for line in example.shown]
        page.write_text("\n".join(lines) + "\n")
        return 0
    print(f"{len(told)} examples, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
