#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`memonline apply --dry-run` writes nothing: every system call it makes is looked at with strace.

It may open files only to read them, write only to standard output and standard error, and make no
call that changes a file, a directory or another process.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))
from skip import need, skip  # noqa: E402

# Calls that change something outside the process, whatever their arguments.
CHANGING = ("creat", "mkdir", "rename", "unlink", "rmdir", "link", "symlink", "mknod", "chmod", "fchmod", "chown",
            "fchown", "truncate", "ftruncate", "fallocate", "utime", "mount", "umount", "setxattr", "removexattr",
            "sendto", "sendmsg", "connect", "bind", "kill", "tgkill", "fork", "vfork", "execveat", "flock",
            "sendfile", "copy_file_range", "splice", "pwrite", "swapon", "reboot", "init_module")
CALL = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(\w+)\((.*)$")


def offence(line: str) -> bool:
    """Whether a line of strace shows a call that changes something."""
    call = CALL.match(line)
    if call is None:
        return False
    name, arguments = call.groups()
    if name.startswith("open"):
        return any(flag in arguments for flag in ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"))
    if name in ("write", "writev"):
        return not arguments.startswith(("1,", "2,"))
    return any(re.fullmatch(changing + r"(at|at2|64|v|v2)?", name) for changing in CHANGING)


def not_atomic(seen: list[str]) -> str:
    """What is wrong with how plan.json was written; empty: it is a new file, whole on the disk before it
    takes the name."""
    words = [match.group(1) for match in (re.search(r"\b(open\w*|write|fsync|rename\w*)\(", line) for line in seen)
             if match]
    if any("plan.json" in line and "open" in line and ".plan.json." not in line for line in seen):
        return "the file itself is opened for writing"
    if not any("O_EXCL" in line for line in seen):
        return "no file of its own is made"
    if [word[:5] for word in words] != ["opena", *["write"] * words.count("write"), "fsync", "renam"]:
        return "not opened, written, synchronized and renamed in this order"
    return ""


def trace(command: list[str], directory: str) -> list[str]:
    log = Path(directory) / "strace"
    done = subprocess.run(["strace", "-f", "-o", str(log), *command], cwd=directory, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=120)
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    if not any("execve(" in line for line in lines):
        raise SystemExit(f"strace shows nothing: {done.stderr.decode(errors='replace')}")
    return lines


def main() -> int:
    program, source = sys.argv[1], Path(sys.argv[2])
    need("dry_run_writes_nothing", strace="strace", xz="xz-utils")
    traced = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    if traced.returncode != 0:
        skip("dry_run_writes_nothing", f"nothing can be traced here: {traced.stderr.strip()}")
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory) / "root"
        tree.mkdir()
        subprocess.run(["tar", "-xf", source / "tests/hosts/6.12-c1.tar.xz", "-C", tree], check=True)
        apply = [program, "apply", "--root", str(tree), "-e", "hotplugged: last 50% movable, rest normal"]
        offences = [line for line in trace([*apply, "--dry-run"], directory) if offence(line)]
        # The same without --dry-run tries to: or these checks see nothing.
        plan = [program, "plan", *apply[2:], "-o", "plan.json"]
        seen = [line for line in trace(plan, directory) if offence(line) or "fsync(" in line]
        # So does a dry run of the plan that it wrote, with the report for programs.
        file = [program, "apply", "--root", str(tree), "plan.json", "--dry-run", "--json"]
        offences += [line for line in trace(file, directory) if offence(line)]
    print("\n".join(offences) or "no system call changes anything")
    wrong = not_atomic(seen)
    if wrong:
        print(f"`plan -o`: {wrong}:\n" + "\n".join(seen))
    return 1 if offences or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
