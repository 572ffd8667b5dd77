# SPDX-License-Identifier: LGPL-2.1-or-later
"""How tests report that they, or a part of them, cannot run: the line `skipped: NAME: reason`, which `./dev test`
repeats in its summary, and for a whole test the exit status that ctest treats as skipped."""
import shutil
import sys
from typing import NoReturn

SKIPPED = 77
# Includes the sbin directories, which are not on the PATH of an ordinary user.
EVERY_BIN = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def skip(name: str, reason: str) -> NoReturn:
    """Ends this test, because no part of it can run here."""
    skip_part(name, reason)
    sys.exit(SKIPPED)


def skip_part(name: str, reason: str) -> None:
    """Reports a part that cannot run here; the rest of the test decides the result."""
    print(f"skipped: {name}: {reason}", flush=True)


def not_installed(*programs: str) -> list[str]:
    """Returns those programs that are not in any of the usual directories."""
    return [program for program in programs if not shutil.which(program, path=EVERY_BIN)]


def need(name: str, **packages: str) -> None:
    """Skips this test if a program is missing: need(NAME, PROGRAM="Debian package")."""
    if missing := not_installed(*packages):
        names = ", ".join(program if packages[program] == program else f"{program} ({packages[program]})"
                          for program in missing)
        skip(name, f"not installed: {names}")
