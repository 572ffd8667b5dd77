# SPDX-License-Identifier: LGPL-2.1-or-later
"""The sandbox of the bus tests: root in a separate mount namespace, in which the machine is read-only.

A test enters it by running itself again: with `sudo -n` if the user may use it without a password; otherwise in a
user namespace, which has no other users and therefore no polkitd. The sandbox has its own /tmp, /run, home directory
and directory of polkit actions; everything else is read-only, so that a test that tries to change it fails.
"""
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from typing import Dict, List, NoReturn

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from mounts import mount, read_only, read_only_machine  # noqa: E402
from skip import EVERY_BIN, skip  # noqa: E402

POLKITD = next((path for path in ("/usr/lib/polkit-1/polkitd", "/usr/libexec/polkitd") if os.path.exists(path)), None)
ACTIONS = "/usr/share/polkit-1/actions"
# Accessible to every user: the tree may be in a home directory that others may not enter.
HERE = "/run/memonline-tests"
STAGE = "MEMONLINE_BUS_SANDBOX"  # in the environment: how far the way in there is
SECONDS = 580  # of one test; less than ctest's patience, whose signals do not reach what runs by sudo
KEPT = ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "MEMONLINE_SCREENSHOTS", "PYTHONDONTWRITEBYTECODE", "TMPDIR", STAGE)


def works(*command: str) -> bool:
    """Returns whether the command can be run and succeeds."""
    try:
        return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


def test_name() -> str:
    """Returns the name of this test in ctest."""
    return pathlib.Path(sys.argv[0]).stem


def again() -> List[str]:
    """Returns the command that runs this test."""
    return [sys.executable, "-B", *sys.argv]


def enter() -> bool:
    """Returns True in the sandbox, and False if this is root without permission to mount; a test must then change
    nothing that it would have to restore. Outside the sandbox, it does not return otherwise."""
    os.umask(0o022)  # what other users have to read they may
    if extra := set(EVERY_BIN.split(":")) - set(os.environ.get("PATH", "").split(":")):
        os.environ["PATH"] = ":".join([os.environ.get("PATH", ""), *sorted(extra)]).strip(":")
    stage = os.environ.get(STAGE, "")
    if stage == "inside":
        return True
    if stage.startswith("/"):
        prepare(pathlib.Path(stage))
    if os.geteuid() != 0:
        become_root()
    if not works("unshare", "--mount", "true"):
        return False
    sys.exit(in_a_namespace())


def become_root() -> None:
    """Runs this test as root, or as root of a user namespace."""
    if works("sudo", "-n", "true"):
        kept = [f"{key}={os.environ[key]}" for key in KEPT if key in os.environ]
        print("as root, by sudo:", shlex.join(sys.argv), flush=True)
        os.execvp("sudo", ["sudo", "-n", "env", *kept, *again()])
    alone = ["unshare", "--user", "--map-root-user"]
    if not works(*alone, "true"):
        skip(test_name(), "needs root, sudo without a password, or user namespaces")
    os.execvp(alone[0], [*alone, *again()])


def in_a_namespace() -> int:
    """Runs this test in a mount namespace, and returns its exit status. Its files in /tmp vanish with the namespace."""
    with tempfile.TemporaryDirectory(prefix="memonline-bus-", ignore_cleanup_errors=True) as directory:
        os.chmod(directory, 0o1777)
        command = ["unshare", "--mount", "--propagation", "private", *again()]
        with subprocess.Popen(command, env={**os.environ, STAGE: directory}) as test:
            for wait, end in ((SECONDS, signal.SIGINT), (10, signal.SIGTERM), (5, signal.SIGKILL)):
                try:
                    return test.wait(wait)
                except subprocess.TimeoutExpired:
                    print(f"not over after {wait} s: {end.name}", flush=True)
                    test.send_signal(end)
            return test.wait() or 1


def machine_id(scratch: pathlib.Path) -> None:
    """libsystemd leaves the bus when it is asked for the id of a machine that has none, as a new root has."""
    file = pathlib.Path("/etc/machine-id")
    if file.exists() and re.fullmatch(r"[0-9a-f]{32}\n?", file.read_text()):
        return
    etc = scratch / "etc"
    etc.mkdir()
    # No test needs what an ordinary user may not read.
    subprocess.run(["cp", "-a", "/etc/.", etc], stderr=subprocess.DEVNULL, check=False)
    for secret in etc.glob("*shadow*"):
        secret.unlink()
    (etc / "machine-id").unlink(missing_ok=True)
    (etc / "machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    mount("--bind", etc, "/etc")


def prepare(scratch: pathlib.Path) -> NoReturn:
    """Turns the current namespace into the sandbox, and runs the test there."""
    memonlined, source = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
    places = {source: f"{HERE}/source", memonlined.parents[1]: f"{HERE}/build"}
    arguments = [moved(word, places) for word in sys.argv]
    machine_id(scratch)
    if os.path.isdir(ACTIONS):
        (scratch / "actions").mkdir()
        shutil.copy(source / "dbus/data/org.memonline1.policy", scratch / "actions")
        mount("--bind", scratch / "actions", ACTIONS)

    # The tree, or the scratch directory, may be in /tmp or /run: these two are hidden last.
    run = scratch / "run"
    run.mkdir()
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", run)
    bound = {"tmp": scratch / "tmp", **{os.path.relpath(at, "/run"): place for place, at in places.items()}}
    if screenshots := os.environ.get("MEMONLINE_SCREENSHOTS"):
        bound["screenshots"] = pathlib.Path(screenshots)
        os.environ["MEMONLINE_SCREENSHOTS"] = "/run/screenshots"
    (scratch / "tmp/home").mkdir(parents=True)
    (scratch / "tmp").chmod(0o1777)
    for at in ("lock", "systemd", *bound):
        (run / at).mkdir(parents=True)
    for at, place in bound.items():
        mount("--bind", place, run / at)
    for at in places.values():
        read_only(run / os.path.relpath(at, "/run"))
    read_only_machine()
    mount("--move", run, "/run")
    mount("--move", "/run/tmp", "/tmp")
    os.chdir("/tmp")
    os.environ.update({STAGE: "inside", "TMPDIR": "/tmp", "HOME": "/tmp/home"})
    os.execv(sys.executable, [sys.executable, "-B", *arguments])


def moved(word: str, places: Dict[pathlib.Path, str]) -> str:
    """Returns the path in the sandbox of a file in the tree or in the build directory; other paths are unchanged."""
    path = pathlib.Path(word).resolve()
    # The build directory may be in the tree: the longer one first.
    for place, at in sorted(places.items(), key=lambda entry: -len(entry[0].parts)):
        if path.exists() and path.is_relative_to(place):
            return os.path.join(at, path.relative_to(place))
    return word
