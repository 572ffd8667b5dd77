# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: needs_root.py MEMONLINE: each command that changes this machine reports to an ordinary user that it needs root,
in one sentence and before any error about a policy, the service or a file of root."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

NOBODY = 65534
COMMANDS = ("apply", "apply --direct", "apply -e wrong", "apply missing.json", "undo", "undo --direct", "confirm", "confirm --direct",
            "boot apply", "boot apply -e wrong", "boot remove")
NOT_ASKED = ("apply --dry-run -e 'all: keep' --root two-dimms.yaml", "boot show", "boot remove --dry-run", "boot apply --root tree -e wrong")


def run(memonline: Path, command: str, directory: Path) -> subprocess.CompletedProcess:
    """Runs the command as an ordinary user, even if root runs this test; no service is reachable."""
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    return subprocess.run(f"{memonline} {command}", shell=True, capture_output=True, text=True, check=False, cwd=directory,
                          env={"PATH": os.environ["PATH"], "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent",
                               # Where a build with counters (./dev coverage) may write them.
                               "GCOV_PREFIX": str(directory / "counters")}, **user)


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        # Readable by every user: the build may be in root's home.
        directory = Path(scratch)
        directory.chmod(0o755)
        memonline = directory / "memonline"
        shutil.copy(sys.argv[1], memonline)
        memonline.chmod(0o755)
        shutil.copy(Path(sys.argv[2]) / "policies/hosts/two-dimms.yaml", directory)
        (directory / "tree").mkdir()
        (directory / "counters").mkdir()
        (directory / "counters").chmod(0o777)
        for command in COMMANDS:
            words = " ".join(command.split(" -")[0].split()[:2 if command.startswith("boot") else 1])
            said = run(memonline, command, directory)
            assert said.returncode == 1 and not said.stdout, (command, said)
            assert said.stderr == (f"error[ML0760]: `memonline {words}` changes this machine and needs root\n"
                                   f"help: run it as root, for example with `sudo memonline {words}`\n"), (command, said)
        said = run(memonline, "apply --format json", directory)
        assert said.returncode == 1 and json.loads(said.stdout)["diagnostics"][0]["code"] == "ML0760", said
        for command in NOT_ASKED:
            said = run(memonline, command, directory)
            assert "needs root" not in said.stderr, (command, said)
    print(f"{len(COMMANDS)} commands")
    return 0


if __name__ == "__main__":
    sys.exit(main())
