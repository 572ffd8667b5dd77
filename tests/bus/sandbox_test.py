# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: sandbox_test.py MEMONLINED SOURCE: the sandbox of the bus tests protects the machine from changes,
and every user can access it."""
import errno
import os
import pathlib
import subprocess
import sys

from sandbox import ACTIONS, HERE, enter, test_name, works
from skip import skip


def refused(directory: pathlib.Path) -> bool:
    """Whether no file can be made there: it is read-only, or not even root may look into it, who is none here."""
    try:
        (directory / ".memonline-test").touch()
    except OSError as error:
        return error.errno in (errno.EROFS, errno.EACCES)
    (directory / ".memonline-test").unlink()
    return False


def main() -> int:
    """Checks the sandbox from inside."""
    if not enter():
        skip(test_name(), "needs the right to mount")
    memonlined, source = (pathlib.Path(word) for word in sys.argv[1:3])
    assert source == pathlib.Path(HERE) / "source" and (source / "dbus/data/org.memonline1.policy").exists()
    assert os.access(memonlined, os.X_OK) and memonlined.is_relative_to(HERE), memonlined
    machine = ["/usr", "/usr/share", "/usr/bin", "/etc", "/var/lib", "/root", "/home", "/boot", "/opt", "/sys"]
    for directory in [*map(pathlib.Path, machine), source, source / "tests/bus", memonlined.parent]:
        assert refused(directory) or not directory.exists(), f"{directory} can be written to"
    for directory in ("/tmp", "/run", "/run/systemd", os.environ["HOME"]):
        assert not refused(pathlib.Path(directory)), f"{directory} cannot be written to"
    assert not pathlib.Path(ACTIONS).exists() or os.listdir(ACTIONS) == ["org.memonline1.policy"]
    assert len(pathlib.Path("/etc/machine-id").read_text().strip()) == 32
    nobody = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
    if works(*nobody, "true"):
        for command in ([memonlined, "--help"], ["cat", source / "README.md"], ["mktemp"]):
            done = subprocess.run([*nobody, *command], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done
    print("ok: nothing of the machine can be changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
