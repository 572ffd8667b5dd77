# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: manuals.py MEMONLINE MEMONLINED SOURCE: the manuals tell of every command, option, interface member
and word of the language, their policies compile, and scdoc and man take them."""
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))
from skip import skip_part  # noqa: E402


def output(*command: object) -> str:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout


def options_in(text: str) -> set[str]:
    """Long options as --help lists them."""
    listed = re.search(r"^Options:\n(.*?)(?:\n\n|\Z)", text, re.S | re.M)
    assert listed, text
    # Names stand at the left; what follows after two spaces or more tells of them.
    names = [re.split(r" {2,}", line.strip())[0] for line in listed.group(1).splitlines()
             if line.strip().startswith("-")]
    return set(re.findall(r"--[a-z][a-z-]*", " ".join(names)))


def command_line(memonline: Path, page: str) -> None:
    """memonline(1) has all that --help has, and nothing else."""
    told = output(memonline, "--help")
    commands = re.findall(r"^  ([a-z-]+) {2,}", told[told.index("Commands:"):told.index("Options:")], re.M)
    assert len(commands) > 10, commands
    options = options_in(told)
    for command in commands:
        assert re.search(rf"^\*{command}\*", page, re.M), f"memonline(1) has no {command}"
        options |= options_in(output(memonline, command, "--help"))
    body = page[page.index("# OPTIONS"):page.index("# EXIT STATUS")]
    written = set(re.findall(r"--[a-z][a-z-]*", "".join(re.findall(r"^\*.*$", body, re.M))))
    assert options == written, f"memonline(1): missing {options - written}, not there {written - options}"


def service(memonlined: Path, page: str) -> None:
    for option in re.findall(r"--[a-z][a-z-]*", output(memonlined, "--help").split("Started by")[0]):
        assert f"*{option}*" in page, f"memonlined(8) has no {option}"


def interfaces(source: Path, page: str) -> None:
    """Every member with its arguments, and every error."""
    members = 0
    for file in sorted((source / "dbus").glob("org.memonline1.*.xml")):
        for interface in xml.parse(file).getroot().iter("interface"):
            assert f"*{interface.get('name')}*" in page, interface.get("name")
            for member in interface:
                members += 1
                line = re.search(rf"^\*{member.get('name')}\*.*$", page, re.M)
                assert line, f"org.memonline1(5) has no {member.get('name')}"
                for argument in member.iter("arg"):
                    wanted = f"{argument.get('type')} {argument.get('name')}"
                    assert wanted in line.group(0).replace("\\", ""), (line.group(0), wanted)
    assert members > 30, members
    for error in re.findall(r'"org\.memonline1\.Error\.(\w+)"', (source / "dbus/errors.hpp").read_text()):
        assert error in page, f"org.memonline1(5) has no {error}"


def language(memonline: Path, source: Path, page: str) -> None:
    """Every word of the grammar; every example is a policy."""
    grammar = (source / "compiler/README.md").read_text()
    grammar = grammar[grammar.index("    policy      ="):grammar.index("- **Selectors.**")]
    for word in re.findall(r'"([a-z-]+)"', grammar):
        assert f'"{word}"' in page, f"mempolicy(5) has no `{word}`"
    examples = re.findall(r"```\n(.*?)```", page[page.index("# EXAMPLES"):], re.S)
    assert len(examples) >= 4, examples
    for example in examples:
        said = subprocess.run([memonline, "check", "-e", example], capture_output=True, text=True, check=False)
        assert said.returncode == 0 and not said.stderr, (example, said)


def rendered(source: Path, pages: list[str]) -> None:
    """scdoc takes them, and man finds nothing to complain of."""
    if not shutil.which("scdoc"):
        skip_part("manuals", "how they are rendered: not installed: scdoc")
        return
    if not shutil.which("groff"):
        skip_part("manuals", "what groff finds wrong: not installed: groff (groff-base)")
    for page in pages:
        roff = subprocess.run(["scdoc"], input=(source / page).read_bytes(), capture_output=True, check=True).stdout
        if shutil.which("groff"):
            said = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-Z"], input=roff, capture_output=True, check=True)
            assert not said.stderr, (page, said.stderr.decode())


def main() -> int:
    memonline, memonlined, source = (Path(word) for word in sys.argv[1:4])
    pages = ["runtime/cli/memonline.1.scd", "dbus/memonlined.8.scd", "compiler/mempolicy.5.scd",
             "dbus/org.memonline1.5.scd"]
    texts = [(source / page).read_text() for page in pages]
    command_line(memonline, texts[0])
    service(memonlined, texts[1])
    language(memonline, source, texts[2])
    interfaces(source, texts[3])
    rendered(source, pages)
    return 0


if __name__ == "__main__":
    sys.exit(main())
