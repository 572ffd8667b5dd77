#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs every command of README.md, policies/tutorial.md and policies/README.md as the pages show it.

    documents.py clone MEMONLINE SOURCE   the program of a build, in a clone; changes nothing on this machine
    documents.py installed                the packages, as root in a disposable system, without a clone
    documents.py machine                  the same on a machine with hot-added memory, which is onlined and offlined

Each page is followed in one shell, in an empty directory; the output of a command is compared with the output on
the page. A command of the page is a line of an indented block that begins with `$ ` (any user) or `# ` (root),
a line that begins with `./dev`, or a `memonline ...` in the text
(`memonline status` alone names a command: its help must be there). ELSEWHERE lists the commands that a mode does
not run, with the reason and the test that runs them. A command that neither ran nor is listed is an error, and so is
an entry that matches no command. MEMONLINE_UPDATE_GOLDEN=1 (clone) writes the output into the pages."""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

PAGES = ("README.md", "policies/README.md", "policies/tutorial.md")
# A machine with hot-added memory may lack the tools that build packages.
MACHINE_PAGES = ("README.md", "policies/tutorial.md")
DOCUMENTS = Path("/usr/share/doc/memonline")
# A command without a prompt, which this test would not run.
BARE = re.compile(r"^    (sudo|apt|memonline|systemctl|dpkg-\S+|busctl|cp|ln|mkdir|/usr/\S+/new-policy-package)\s.*")
INDENT, MORE = "    ", "    > "
# A line of output may also begin with `# `: the commands of root begin with one of these.
ROOT_PROGRAMS = "apt|cp|echo|ln|memonline|mkdir|sleep|systemctl"
COMMAND = re.compile(rf"^    (?:(\$) (.*)|(#) ((?:{ROOT_PROGRAMS})\b.*)|()(\./dev\b.*))$")
COMMENT = re.compile(r"\s+#\s.*$")
ANY_LINES, ANY_TIME = "...", re.compile(r"\d+\.\d s\b")
CLONE, INSTALLED, MACHINE = "clone", "installed", "machine"
ALL = (CLONE, INSTALLED, MACHINE)
# `memonline status` and `plan --exit-code` exit with 3 or 4 if changes are pending.
PENDING = {3, 4}


@dataclass
class Example:
    """A command, the output that the page shows, and their lines on the page."""

    command: str
    begin: int
    end: int = 0
    root: bool = False
    inline: bool = False
    section: str = ""
    shown: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """The command without its comment."""
        return COMMENT.sub("", self.command)


@dataclass(frozen=True)
class Elsewhere:
    """Commands of a page that a mode does not run, with the reason and what runs them."""

    page: str
    pattern: str
    modes: tuple[str, ...]
    reason: str
    run_by: str


ELSEWHERE = (
    Elsewhere("README.md", r"\./dev (run|test|package)", ALL, "builds, and installs packages on this machine", "tests/fresh/run"),
    Elsewhere("README.md", r"\./dev run .+", (INSTALLED, MACHINE), "there is no clone", "documents.py clone"),
    Elsewhere("README.md", r"section Install: .*", ALL, "installs, and in the end purges what is tested here", "tests/vm/walk_test.py"),
    Elsewhere("README.md", r"# memonline apply --confirm 120s", ALL, "waits for two minutes, then ends with an error",
              "tests/vm/documents_test.py, by the tutorial's apply and confirm"),
    Elsewhere("README.md", r"# .*|busctl .*", (CLONE, INSTALLED), "changes memory or services of the machine",
              "tests/vm/documents_test.py"),
    Elsewhere("policies/README.md", r"# (apt|ln) .*|# memonline cat-policy --list", (CLONE,), "changes /etc of the machine",
              "documents.py installed"),
    Elsewhere("policies/README.md", r"cd memonline-policy-ours && dpkg-buildpackage .*", (CLONE,),
              "builds with the memonline that is installed", "documents.py installed; tests/cli/policy_package_test.sh"),
    Elsewhere("policies/tutorial.md", r"# .*", (CLONE,), "changes /etc, memory or services of the machine",
              "documents.py installed; tests/vm/documents_test.py"),
    Elsewhere("policies/tutorial.md", r"# (memonline|systemctl|sleep) .*", (INSTALLED,),
              "needs memory blocks and a running systemd", "tests/vm/documents_test.py"),
    Elsewhere("policies/tutorial.md", r"inline: memonline capture -o here.yaml", (CLONE, INSTALLED),
              "needs memory blocks", "tests/vm/documents_test.py"),
    Elsewhere("policies/tutorial.md", r"inline: memonline COMMAND --help", ALL, "COMMAND stands for each of them",
              "tests/cli/help.cases"),
)


def examples(lines: list[str]) -> list[Example]:
    """Reads the commands of a page. Output continues after an empty line if the next line is indented; a command or a
    sentence ends it."""
    found: list[Example] = []
    current: Example | None = None
    section = ""
    for number, line in enumerate(lines):
        if line.startswith("#"):
            section = line
        command = COMMAND.match(line)
        if command:
            words = command[2] or command[4] or command[6]
            current = Example(words, number + 1, root=bool(command[3]), section=section)
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
        elif not line.startswith(INDENT):
            found += [Example(words, number + 1, number + 1, inline=True, section=section)
                      for words in re.findall(r"`(memonline [^`]+)`", line)]
    return found


def is_as_shown(shown: list[str], printed: list[str]) -> bool:
    """Compares line by line; `...` matches any lines, and times may differ."""
    if not shown:
        return True
    pattern = "".join(r"(?:.*\n)*?" if line == ANY_LINES else re.escape(line.rstrip()) + r"\n"
                      for line in (ANY_TIME.sub("0.0 s", line) for line in shown))
    text = "".join(ANY_TIME.sub("0.0 s", line.rstrip()) + "\n" for line in printed)
    return re.fullmatch(pattern, text) is not None


def has_yaml() -> bool:
    """Returns whether Debian's python3 has the module yaml."""
    return subprocess.run(["/usr/bin/python3", "-c", "import yaml"], check=False, stderr=subprocess.DEVNULL).returncode == 0


class Shell:
    """A bash process that follows a page from its first command to its last."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.scratch = Path(tempfile.mkdtemp())
        self.process = subprocess.Popen(["bash", "--norc", "--noprofile"], cwd=directory, env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, command: str) -> tuple[int, list[str]]:
        """Runs a command. Returns its status, and its standard output and error in the order of a terminal."""
        script, out = self.scratch / "command", self.scratch / "out"
        script.write_text(command + "\n")
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f". '{script}' </dev/null >'{out}' 2>&1; echo \"status $?\"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        status = re.fullmatch(r"status (\d+)\n", line)
        assert status, f"the shell ended at `{command}`: {line}{out.read_text()}"
        return int(status[1]), out.read_text(errors="backslashreplace").splitlines()

    def close(self) -> None:
        """Ends the shell and removes its files."""
        self.process.communicate()
        shutil.rmtree(self.scratch)


class Follower:
    """Follows pages in one mode."""

    def __init__(self, mode: str, pages: Path, memonline: Path | None) -> None:
        self.mode, self.pages, self.memonline = mode, pages, memonline
        self.followed = MACHINE_PAGES if mode == MACHINE else PAGES
        self.ran = self.listed = self.wrong = 0
        self.needed: set[Elsewhere] = set()
        self.update = mode == CLONE and os.environ.get("MEMONLINE_UPDATE_GOLDEN", "") not in ("", "0")

    def elsewhere(self, page: str, example: Example) -> Elsewhere | None:
        """Returns the entry that says why a command does not run here."""
        words = ("# " if example.root else "inline: " if example.inline else "") + example.words
        texts = (words, f"section {example.section.lstrip('# ')}: {words}")
        matching = [entry for entry in ELSEWHERE
                    if entry.page == page and any(re.fullmatch(entry.pattern, text, re.DOTALL) for text in texts)]
        self.needed.update(matching)
        return next((entry for entry in matching if self.mode in entry.modes), None)

    def belongs_here(self, example: Example) -> bool:
        """Returns whether a line is for this mode: a page may show one line per mode, marked by its comment."""
        if example.command.endswith("# with the packages"):
            return self.mode != CLONE
        return self.mode == CLONE or not example.command.endswith("# in the clone")

    def typed(self, example: Example) -> str:
        """What is typed for it: in a clone the program may have been built elsewhere, and the text of a page also
        names commands alone."""
        command = example.command
        if example.inline and re.fullmatch(r"memonline [a-z-]+", command):
            return f"{command} --help"
        if self.mode != CLONE:
            return command
        assert self.memonline
        command = command.replace("$PWD/build/bin", str(self.memonline.parent))
        # What `./dev run` ends in; tests/fresh/run calls it as it is written.
        return re.sub(r"^\./dev run ", f"{self.memonline} ", command)

    def fine(self, example: Example, status: int) -> bool:
        """Returns whether the page expects this status."""
        if any("error[ML" in line for line in example.shown):
            return status != 0
        return status == 0 or status in PENDING and "memonline status" in example.words

    def follow(self, page: str, shell: Shell) -> None:
        """Follows one page, and updates it if requested."""
        path = self.pages / page
        lines = path.read_text().splitlines()
        told = examples(lines)
        if len(told) < 5:
            raise SystemExit(f"{path}: only {len(told)} commands were found")
        covered = {number for example in told for number in range(example.begin - 1, example.end)}
        for number, line in enumerate(lines):
            if number not in covered and BARE.match(line):
                self.wrong += 1
                print(f"{page}:{number + 1}: a command without a prompt is not run: {line.strip()}")
        for example in told:
            if not self.belongs_here(example):
                continue
            entry = self.elsewhere(page, example)
            if entry:
                self.listed += 1
                print(f"  not run: {example.words.splitlines()[0]} ({entry.reason}: {entry.run_by})")
                continue
            if self.mode == CLONE and "new-policy-package" in example.words and not has_yaml():
                # The page installs it first, which only root may do, and not on a machine that is worked on.
                self.listed += 1
                print("skipped: documents: new-policy-package of policies/README.md: not installed: python3-yaml")
                continue
            self.ran += 1
            status, printed = shell.run(self.typed(example))
            fine, as_shown = self.fine(example, status), example.inline or is_as_shown(example.shown, printed)
            if not fine or not (as_shown or self.update):
                self.wrong += 1
                print(f"{page}:{example.begin}: `{example.command}` exited with {status}\nthe page shows\n" +
                      "\n".join(example.shown) + "\nand it prints\n" + "\n".join(printed))
            if fine and not as_shown:
                example.shown = printed
        if self.update:
            for example in reversed([one for one in told if not one.inline and one.shown]):
                lines[example.begin:example.end] = [(INDENT + line).rstrip() for line in example.shown]
            path.write_text("\n".join(lines) + "\n")

    def check_list(self) -> None:
        """Checks that each entry matches a command, and that the tests that it names exist."""
        for entry in ELSEWHERE:
            if entry.page in self.followed and entry not in self.needed:
                self.wrong += 1
                print(f"no command of {entry.page} needs `{entry.pattern}`")
        if self.mode == CLONE:
            for test in {word for entry in ELSEWHERE for word in re.findall(r"tests/[\w/.]+\w", entry.run_by)}:
                assert (self.pages / test).exists(), f"{test} is named, and not there"


# --- around the pages ------------------------------------------------------------------------------

def check_links(pages: Path) -> None:
    """Checks that links between the documents have targets, in a clone and as installed; links that work only in a
    clone must say so."""
    for page in sorted(pages.rglob("*.md")) if pages == DOCUMENTS else [pages / page for page in PAGES]:
        for line in page.read_text().splitlines():
            for target in re.findall(r"\]\(([^)#:]+)\)", line):
                missing = not (page.parent / target).exists()
                assert not missing or (pages == DOCUMENTS and "in a clone" in line), f"{page}: {target} is not there"


def make_workplace(mode: str, source: Path, directory: Path) -> None:
    """Where a page begins. A clone's files, without writing into it; else nothing: what is needed is installed."""
    if mode == CLONE:
        for name in ("policies", "tests"):
            (directory / name).symlink_to(source / name)


POLICY_D = Path("/etc/memonline/policy.d")


def environment_of(mode: str, scratch: Path) -> dict[str, str]:
    """As a user has it, without what would change texts or ask questions."""
    apt = scratch / "apt.conf"
    apt.write_text('APT::Get::Assume-Yes "true";\n')
    environment = {key: value for key, value in os.environ.items()
                   if key not in ("MEMONLINE_ROOT", "CLICOLOR_FORCE", "BASH_ENV", "ENV")}
    environment |= {"NO_COLOR": "1", "LC_ALL": "C.UTF-8", "APT_CONFIG": str(apt), "DEBIAN_FRONTEND": "noninteractive",
                    "TMPDIR": str(scratch)}
    if mode != CLONE:
        environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return environment


def check_installed() -> None:
    """Checks what the pages need; its messages say what to do."""
    for path in (DOCUMENTS / "README.md", POLICY_D, Path("/etc/memonline/memory-changed.d")):
        if not path.exists():
            raise SystemExit(f"{path} is missing: install the packages memonline and libmemonline0, with documents")
    if os.geteuid() != 0:
        raise SystemExit("this follows the pages as root, in a system that may be thrown away")


def follow_pages(follower: Follower, source: Path, active: bool) -> None:
    """Each page in a shell and a directory of its own; what it puts into /etc goes before the next one."""
    for page in follower.followed:
        print(f"{page}:")
        before = set(POLICY_D.iterdir()) if follower.mode != CLONE else set()
        with tempfile.TemporaryDirectory() as scratch:
            workplace = Path(scratch) / "work"
            workplace.mkdir()
            make_workplace(follower.mode, source, workplace)
            if active and page == "README.md":  # "with an active policy", says its section
                (POLICY_D / "40-documents.mempolicy").write_text("hotplugged: movable\n")
            shell = Shell(workplace, environment_of(follower.mode, Path(scratch)))
            try:
                follower.follow(page, shell)
            finally:
                shell.close()
                for path in set(POLICY_D.iterdir()) - before if follower.mode != CLONE else ():
                    path.unlink()


def main() -> int:
    """Follows the pages; returns 1 if one of them is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=ALL)
    parser.add_argument("memonline", type=Path, nargs="?", help="The built program (clone)")
    parser.add_argument("source", type=Path, nargs="?", help="The top directory (clone)")
    arguments = parser.parse_args()
    mode = arguments.mode
    if mode == CLONE:
        if not arguments.memonline or not arguments.source:
            parser.error("clone takes the program and the top directory")
        source = arguments.source.resolve()
        follower = Follower(mode, source, arguments.memonline.resolve())
    else:
        check_installed()
        source = DOCUMENTS
        follower = Follower(mode, DOCUMENTS, None)
    check_links(source)
    follow_pages(follower, source, mode == MACHINE)
    follower.check_list()
    print(f"{follower.ran} commands run, {follower.listed} run elsewhere, {follower.wrong} wrong")
    return 1 if follower.wrong or follower.ran < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
