# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a test says where it cannot run: one line, `skipped: NAME: reason`, which `./dev test` repeats in its
summary, and for a whole test the exit status that ctest takes for skipped."""
import shutil
import sys
from typing import NoReturn

SKIPPED = 77
# Where programs for administrators are: not on the PATH of an ordinary user.
EVERY_BIN = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def skip(name: str, reason: str) -> NoReturn:
    """Ends this test: nothing of it can run here."""
    skip_part(name, reason)
    sys.exit(SKIPPED)


def skip_part(name: str, reason: str) -> None:
    """Reports a part that cannot run here; the rest of the test decides."""
    print(f"skipped: {name}: {reason}", flush=True)


def not_installed(*programs: str) -> list[str]:
    """Those of the programs that are not on this machine, wherever on it they would be."""
    return [program for program in programs if not shutil.which(program, path=EVERY_BIN)]


def need(name: str, **packages: str) -> None:
    """Skips this test where a program is missing: need("x", strace="strace") is program and Debian package."""
    if missing := not_installed(*packages):
        names = ", ".join(program if packages[program] == program else f"{program} ({packages[program]})"
                          for program in missing)
        skip(name, f"not installed: {names}")
