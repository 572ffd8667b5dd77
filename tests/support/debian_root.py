# SPDX-License-Identifier: LGPL-2.1-or-later
"""Minimal Debian roots for tests: mmdebstrap makes the minbase of each suite once; it is kept as a tarball
in the user's cache for a week, and unpacked into a new directory for every use."""
import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "vm"))

from kernels import Unavailable, cache_dir, mirror  # noqa: E402

MADE_AGAIN_AFTER = 7 * 86400.0  # seconds
IN_MEMORY = 20 << 30  # a root is kept in memory if this many bytes of it are available, and takes at most half of them
NO_MIRROR = r"Could not (resolve|connect)|Temporary failure|Connection (failed|timed out)"


class Failure(Exception):
    """A test failed, for this reason."""


class Skip(Exception):
    """A test cannot run here, for this reason."""


def run(*command: object, **options: object) -> str:
    """Returns the output of the command; raises Failure with the end of it if the command fails."""
    done = subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE, errors="replace",
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False, **options)
    if done.returncode != 0:
        raise Failure(f"`{' '.join(map(str, command))[:200]}` ended with {done.returncode}:\n{done.stdout[-3000:]}")
    return done.stdout


def require(holds: object, what: str) -> None:
    """Raises Failure with this text unless the condition holds."""
    if not holds:
        raise Failure(what)


def _fresh(path: Path) -> bool:
    return path.exists() and time.time() - path.stat().st_mtime < MADE_AGAIN_AFTER


def minbase(suite: str) -> Path:
    """Returns the tarball of the suite's minbase."""
    if os.geteuid() != 0:
        raise Skip("making a Debian root needs root")
    if not shutil.which("mmdebstrap"):
        raise Skip("mmdebstrap is not installed")
    directory = cache_dir().parent / "roots"
    directory.mkdir(parents=True, exist_ok=True)
    made = directory / f"{suite}-minbase.tar"
    with open(directory / f"{suite}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _fresh(made):
            return made
        new = directory / f"{suite}-minbase.new.tar"
        try:
            # A mirror may not be updated for weeks; its signature is still good.
            run("mmdebstrap", "--variant=minbase", '--aptopt=Acquire::Check-Valid-Until "false"', suite, new, mirror())
        except (Failure, Unavailable) as reason:
            if made.exists():
                return made
            if isinstance(reason, Unavailable) or re.search(NO_MIRROR, str(reason)):
                raise Skip(f"no minimal root of {suite}: {str(reason).splitlines()[-1]}") from reason
            raise
        os.replace(new, made)
    return made


class Root:
    """A new Debian root in a directory."""

    def __init__(self, suite: str, directory: Path) -> None:
        self.suite, self.directory = suite, directory
        self.mounts: dict[Path, str] = {}  # directories of this machine, and where they are mounted in the root
        tarball = minbase(suite)
        directory.mkdir(parents=True)
        run("tar", "-C", directory, "-xpf", tarball, "--numeric-owner")
        shutil.copy("/etc/resolv.conf", directory / "etc/resolv.conf")
        self.path("etc/dpkg/dpkg.cfg.d/99test").write_text("force-unsafe-io\n")  # nothing of it outlives the test
        self.path("etc/apt/apt.conf.d/99test").write_text('Acquire::Check-Valid-Until "false";\n')

    @classmethod
    def in_place(cls, suite: str, directory: Path) -> "Root":
        """Returns the root that a directory already holds."""
        root = cls.__new__(cls)
        root.suite, root.directory, root.mounts = suite, directory, {}
        return root

    def path(self, name: str) -> Path:
        """Returns the path of a file in the root."""
        return self.directory / name.lstrip("/")

    def install(self, packages: str) -> None:
        """Installs these packages, without recommended ones."""
        self.run("apt-get -qq update && apt-get -qq -y --no-install-recommends install " + packages)

    def command(self, command: str, user: str = "", network: bool = True, proc: bool = True) -> list[str]:
        """Returns the command line that runs a shell command in the root: as root, or in a user's login shell."""
        # The root is a mount point, as on a machine, so that programs in it can make their own namespaces.
        mounts = ['mount --bind "$0" "$0"', 'cd "$0"', 'mount -t devpts -o newinstance,ptmxmode=666,mode=620 pts "$0/dev/pts"']
        mounts += ['mount -t proc proc "$0/proc"'] if proc else []
        mounts += [f'mount --bind "{here}" "$0{there}"' for here, there in self.mounts.items()]
        shell = f'su - {user} -s /bin/bash -c "$1"' if user else 'sh -ec "$1"'
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", *([] if network else ["--net"]), "sh", "-ec",
                " && ".join([*mounts, f'exec chroot "$0" {shell}']), str(self.directory), command]

    def run(self, command: str, user: str = "", network: bool = True, proc: bool = True,
            environment: Mapping[str, str] = {}) -> str:  # noqa: B006 (never changed)
        """Returns the output of a command in the root; raises Failure if it fails. Mounts and processes end with it."""
        return run(*self.command(command, user, network, proc), env={
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
            "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive", **environment,
            **{name: value for name, value in os.environ.items() if name.endswith("_proxy")}})


def _available() -> int:
    """Returns the bytes of memory that programs can still use."""
    found = re.search(r"^MemAvailable: +(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return 1024 * int(found[1]) if found else 0


@contextlib.contextmanager
def _in_memory(directory: Path) -> Iterator[None]:
    """Mounts a tmpfs where memory is plentiful: a disk may take a millisecond for each of a root's 100,000 files."""
    mount = ["mount", "-t", "tmpfs", "-o", f"mode=755,size={IN_MEMORY // 2}", "root", str(directory)]
    mounted = _available() >= IN_MEMORY and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    try:
        yield
    finally:
        if mounted:
            run("umount", "--lazy", directory)


@contextlib.contextmanager
def new_root(suite: str, packages: str = "") -> Iterator[Root]:
    """Makes a root with these packages, and removes it afterwards."""
    # Not in /tmp, which may be small, or forbid devices and programs.
    with tempfile.TemporaryDirectory(prefix="memonline-root-", dir="/var/tmp") as scratch, _in_memory(Path(scratch)):
        root = Root(suite, Path(scratch) / "root")
        if packages:
            root.install(packages)
        yield root
