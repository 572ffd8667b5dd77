# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: manuals.py MEMONLINE MEMONLINED SOURCE: the manuals describe every command, option, interface member,
word of the language and key of a package; their examples compile and pass; scdoc, man and mandoc accept them."""
import json
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))
from skip import skip_part  # noqa: E402


def output(*command: object) -> str:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout


def options_in(text: str) -> dict[str, tuple[set[str], bool]]:
    """What --help lists: by the last long name all names of an option, and whether it takes a value."""
    listed = re.search(r"^Options:\n(.*?)(?:\n\n|\Z)", text, re.S | re.M)
    assert listed, text
    options = {}
    for line in listed.group(1).splitlines():
        if not line.strip().startswith("-"):
            continue
        # Names stand at the left; what follows after two spaces or more tells of them.
        words = re.split(r" {2,}", line.strip())[0].replace(",", "").split()
        names = {word for word in words if word.startswith("-")}
        long = [word for word in words if word.startswith("--")]
        options[long[0]] = (names, not words[-1].startswith("-"))
    return options


def listed_in_manual(commands: str, command: str) -> set[str]:
    """The options that memonline(1) lists below a command."""
    entry = re.search(rf"^\*{command}\*.*?(?=^\*|\Z)", commands, re.M | re.S)
    assert entry, f"memonline(1) has no {command}"
    line = re.search(r"^\tOptions: (.*)", entry.group(0), re.S | re.M)
    assert line, f"memonline(1) lists no options of {command}"
    return set(re.findall(r"--[a-z][a-z-]*", line.group(1)))


def offered_by_bash(memonline: Path, command: str) -> set[str]:
    """What completion offers after `memonline COMMAND --`."""
    script = f'''. <("$0" completion bash); COMP_WORDS=(memonline {command} --); COMP_CWORD=2
_memonline; printf "%s\\n" "${{COMPREPLY[@]}}"'''
    return set(output("bash", "-c", script, memonline).split())


def rejects(memonline: Path, command: str, option: str, value: str | None) -> bool:
    """Whether the command knows no such option. --help after it keeps the command from running."""
    words = [memonline, command, option, *([] if value is None else [value]), "--help"]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    assert said.returncode in (0, 2), said
    assert said.returncode == 0 or "unknown option" in said.stderr, said
    return said.returncode == 2


# Values that every command with the option accepts; of others any text will do.
VALUES = {"--format": "text", "--color": "never", "--wait": "60s"}


def command_line(memonline: Path, page: str) -> None:
    """memonline(1), --help, completion and the parser agree on the options of every command."""
    told = output(memonline, "--help")
    commands = re.findall(r"^  ([a-z-]+) {2,}", told[told.index("Commands:"):told.index("Options:")], re.M)
    assert len(commands) > 10, commands
    listing = page[page.index("# COMMANDS"):page.index("# OPTIONS")]
    assert commands == re.findall(r"^\*([a-z-]+)\*", listing, re.M), "memonline(1) has other commands"
    by_command = {command: options_in(output(memonline, command, "--help")) for command in commands}
    every = {option: value for options in by_command.values() for option, value in options.items()}
    for command, options in by_command.items():
        in_manual = listed_in_manual(listing, command) | {"--help", "--color"}
        assert set(options) == in_manual, (command, set(options) ^ in_manual)
        offered = offered_by_bash(memonline, command)
        names = set().union(*(names for names, _ in options.values()))
        assert offered == {name for name in names if name.startswith("--")}, (command, offered ^ names)
        for option, (names, takes_value) in every.items():
            for name in names:
                value = VALUES.get(option, "x") if takes_value else None
                rejected = rejects(memonline, command, name, value)
                # A letter may mean something else to another command.
                known = any(name in its for its, _ in options.values())
                assert rejected != known, (command, name, "rejected" if rejected else "taken")
    every |= options_in(told)
    body = page[page.index("# OPTIONS"):page.index("# THE SERVICE")]
    described = set(re.findall(r"(?<![a-z-])-{1,2}[a-z][a-z-]*|-[A-Z]\b",
                               "".join(re.findall(r"^\*-.*$", body, re.M))))
    names = set().union(*(names for names, _ in every.values()))
    assert names == described, f"memonline(1): missing {names - described}, not there {described - names}"


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


def packages(memonline: Path, source: Path, page: str) -> None:
    """Every key of a package, as the schema has it; the example passes its own test, and its steps are the plan."""
    schema = json.loads((source / "policies/policy.schema.json").read_text())
    test = schema["$defs"]["test"]["properties"]
    keys = [*schema["properties"], *test, *test["expect"]["properties"]]
    assert len(keys) > 12, keys
    written = re.findall(r"^\*([a-z]+)\*$", page, re.M)
    assert sorted(written) == sorted(keys), f"memonline-policy(5) has {written}, the schema {keys}"
    example = re.search(r"```\n(schema:.*?)```", page, re.S)
    assert example, "memonline-policy(5) shows a package"
    with tempfile.TemporaryDirectory() as directory:
        shutil.copy(source / "policies/hosts/two-dimms.yaml", Path(directory) / "host.yaml")
        (Path(directory) / "50-quarter.yaml").write_text(example[1])
        said = output(memonline, "test", Path(directory) / "50-quarter.yaml")
    assert said.endswith("1 passed, 0 failed\n"), said


def rendered(source: Path, pages: list[str]) -> None:
    """scdoc takes them, man has no warning, and `mandoc -Tlint` is silent at its lowest level, style: not even
    long lines. That needs tidy_manual.awk, through which the build passes what scdoc makes."""
    if not shutil.which("scdoc"):
        skip_part("manuals", "how they are rendered: not installed: scdoc")
        return
    if not shutil.which("groff"):
        skip_part("manuals", "what groff finds wrong: not installed: groff (groff-base)")
    if not shutil.which("mandoc"):
        skip_part("manuals", "what mandoc finds wrong: not installed: mandoc")
    for page in pages:
        roff = subprocess.run(["scdoc"], input=(source / page).read_bytes(), capture_output=True, check=True).stdout
        roff = subprocess.run(["awk", "-f", source / "policies/packaging/tidy_manual.awk"], input=roff,
                              capture_output=True, check=True).stdout
        if shutil.which("mandoc"):
            said = subprocess.run(["mandoc", "-Tlint", "-Wstyle"], input=roff, capture_output=True, check=False)
            assert not said.stdout + said.stderr, (page, (said.stdout + said.stderr).decode())
        if shutil.which("groff"):
            said = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-Z"], input=roff, capture_output=True, check=True)
            assert not said.stderr, (page, said.stderr.decode())


def main() -> int:
    memonline, memonlined, source = (Path(word) for word in sys.argv[1:4])
    pages = ["runtime/cli/memonline.1.scd", "dbus/memonlined.8.scd", "compiler/mempolicy.5.scd",
             "dbus/org.memonline1.5.scd", "policies/memonline-policy.5.scd"]
    told_of = sorted(str(page.relative_to(source)) for page in source.glob("*/**/*.scd")
                     if not page.relative_to(source).parts[0].startswith("build"))
    assert told_of == sorted(pages), told_of
    texts = [(source / page).read_text() for page in pages]
    command_line(memonline, texts[0])
    service(memonlined, texts[1])
    language(memonline, source, texts[2])
    interfaces(source, texts[3])
    packages(memonline, source, texts[4])
    rendered(source, pages)
    return 0


if __name__ == "__main__":
    sys.exit(main())
