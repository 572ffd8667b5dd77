#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the command line and holds what it prints against *.cases: run.py PROGRAM SOURCE [DIRECTORY]

A case is
    NAME: what it shows
    RUN: a line for sh (more RUN lines follow one another)
    EXIT: status
    | a line of standard output
    ! a line of standard error
in that order; blank lines and # lines between cases are kept. Each case runs in an empty
directory with $HOSTS and $POLICIES in the environment; `host NAME DIR` makes a host of tests/field.
MEMONLINE_UPDATE_GOLDEN=1 writes what was seen instead.
"""
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))
from skip import not_installed, skip_part  # noqa: E402


def blocks(lines):
    """Splits a file: ('text', lines) and ('case', name, runs)."""
    result = []
    for line in lines:
        if line.startswith("NAME: "):
            result.append({"name": line[6:], "run": [], "expected": [line]})
        elif result and line.startswith("RUN: ") and "run" in result[-1]:
            result[-1]["run"].append(line[5:])
            result[-1]["expected"].append(line)
        elif result and "run" in result[-1] and line[:1] in "|!" and line or line.startswith("EXIT: "):
            result[-1]["expected"].append(line)
        else:
            result.append({"text": line})
    return result


# A captured file keeps its mode, as 0444; root may write to it, and the cases must not differ for a user.
TAR = "tar() { command tar \"$@\" && chmod -R u+w .; }"
HOST = "host() { python3 \"$FIELD/host\" \"$@\"; }"


def seen(case, environment):
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(["sh", "-c", "\n".join([TAR, HOST, *case["run"]])], cwd=directory, env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)

    def marked(mark, data):
        text = data.decode("utf-8", "backslashreplace")
        text = text.replace("\x1b", "<ESC>")
        for name in ("HOSTS", "POLICIES"):
            text = text.replace(environment[name], "$" + name)
        return [(mark + " " + line).rstrip(" ") for line in text.splitlines()]

    return (["NAME: " + case["name"]] + ["RUN: " + line for line in case["run"]] +
            ["EXIT: %d" % done.returncode] + marked("|", done.stdout) + marked("!", done.stderr))


def unpacks(case):
    return any(re.search(r"\btar\b", line) for line in case["run"])


def main():
    program, source = sys.argv[1:3]
    here = sys.argv[3] if len(sys.argv) > 3 else os.path.dirname(os.path.abspath(__file__))
    environment = {
        "PATH": os.path.dirname(program) + ":/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
        "HOSTS": os.path.join(source, "tests/hosts"),
        "POLICIES": os.path.join(source, "policies"),
        "FIELD": os.path.join(source, "tests/field"),
    }
    if "ASAN_OPTIONS" in os.environ:
        environment["ASAN_OPTIONS"] = os.environ["ASAN_OPTIONS"]
    os.umask(0o022)  # files of the cases are as the cases say, whatever the user's is
    no_xz = bool(not_installed("xz"))  # tar unpacks the captured hosts with it
    skipped = 0
    update = os.environ.get("MEMONLINE_UPDATE_GOLDEN", "") not in ("", "0")
    failed = total = 0
    pool = ThreadPoolExecutor(os.cpu_count())  # each case has a directory of its own
    for name in sorted(os.listdir(here)):
        if not name.endswith(".cases"):
            continue
        path = os.path.join(here, name)
        with open(path, encoding="utf-8") as file:
            parts = blocks(file.read().splitlines())
        out = []
        for part in parts:
            if "text" not in part and not (no_xz and unpacks(part)):
                part["seen"] = pool.submit(seen, part, environment)
        for part in parts:
            if "text" in part:
                out.append(part["text"])
                continue
            if "seen" not in part:
                out += part["expected"]
                skipped += 1
                continue
            total += 1
            lines = part["seen"].result()
            out += lines
            if lines != part["expected"] and not update:
                failed += 1
                print("FAILED %s: %s" % (name, part["name"]))
                print("  expected:\n    " + "\n    ".join(part["expected"]))
                print("  seen:\n    " + "\n    ".join(lines))
        if update:
            with open(path, "w", encoding="utf-8") as file:
                file.write(re.sub(r"\n+\Z", "", "\n".join(out)) + "\n")
    if skipped:
        skip_part("cli_golden", "%d cases that unpack a host: not installed: xz (xz-utils)" % skipped)
    print("%d cases, %d failed" % (total, failed))
    sys.exit(1 if failed or total == 0 else 0)


main()
