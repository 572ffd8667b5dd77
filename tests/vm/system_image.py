# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real Debian with systemd for a guest: made by mmdebstrap, kept in the cache, unpacked into memory.

What `cmake --install` installs is put over it, and the agent as a unit, so that a test talks to it as
to any guest. The suite is the machine's own: programs built here run there.
"""
import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from initramfs import _busybox, Tree
from kernels import Kernel, Unavailable, cache_dir, mirror

PACKAGES = ("systemd", "systemd-sysv", "udev", "dbus", "polkitd", "procps")
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*",
            "/usr/lib/python3*", "/usr/share/zoneinfo/*")

INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir /root
mount -t tmpfs -o mode=755,size=80% root /root
cd /root
zcat /root.tar.gz | tar x
rm /root.tar.gz
tar xf /overlay.tar
while read -r module; do insmod "/modules/$module.ko"; done </modules/order
[ ! -e before-init ] || chroot . /bin/sh /before-init
umount /proc /sys
mount -o move /dev /root/dev
exec switch_root /root /sbin/init
"""

AGENT = """[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
ExecStart=/usr/local/lib/agent /dev/ttyS1
Environment=HOME=/root TERM=dumb LC_ALL=C.UTF-8
StandardInput=null
OOMScoreAdjust=-1000
[Install]
WantedBy=sysinit.target
"""


def suite() -> str:
    """The machine's own Debian release."""
    found = re.search(r"^VERSION_CODENAME=(\w+)$", Path("/etc/os-release").read_text(), re.MULTILINE)
    if not found or not re.search(r"^ID=debian$", Path("/etc/os-release").read_text(), re.MULTILINE):
        raise Unavailable("this machine is no Debian: what is built here need not run in one")
    return found[1]


def _packages_of(program: Path) -> set[str]:
    """The packages of the libraries that a program needs."""
    listed = subprocess.run(["ldd", str(program)], check=True, text=True, capture_output=True, timeout=60).stdout
    paths = [os.path.realpath(path) for path in re.findall(r"=> (/\S+)", listed)]
    owners = subprocess.run(["dpkg", "-S", *paths], check=False, text=True, capture_output=True, timeout=60).stdout
    return {line.split(":")[0] for line in owners.splitlines()}


def _root(packages: set[str]) -> Path:
    """The plain system as root.tar.gz, made once for these packages."""
    wanted = sorted({*PACKAGES, *packages})
    left_out = [pattern for pattern in LEFT_OUT if "python" not in pattern or "python3" not in wanted]
    name = hashlib.sha256(" ".join([suite(), *wanted, *left_out]).encode()).hexdigest()[:20]
    directory = cache_dir().parent / "systems"
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{suite()}-{name}.tar.gz"
    if path.exists():
        return path
    if not shutil.which("mmdebstrap"):
        raise Unavailable("mmdebstrap is not installed")
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        tar = Path(scratch) / "root.tar"
        made = subprocess.run(
            ["mmdebstrap", "--variant=minbase", f"--include={','.join(wanted)}",
             *[f"--dpkgopt=path-exclude={pattern}" for pattern in left_out], suite(), str(tar), mirror()],
            check=False, text=True, capture_output=True, timeout=1800)
        if made.returncode != 0:
            complaint = [line for line in made.stderr.splitlines() if line.startswith("E:")]
            raise Unavailable((complaint or ["mmdebstrap failed"])[0])
        with open(tar, "rb") as plain, gzip.open(f"{tar}.gz", "wb", compresslevel=1) as packed:
            shutil.copyfileobj(plain, packed)
        os.replace(f"{tar}.gz", path)
    return path


def _overlay(build: Path, files: Mapping[str, str | bytes], installed: bool) -> bytes:
    """What is installed over the plain system, as a tar; of memonline only where that is wanted."""
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as scratch, tarfile.open(fileobj=packed, mode="w") as archive:
        if installed:
            subprocess.run(["cmake", "--install", str(build), "--strip"], check=True, capture_output=True, timeout=120,
                           env={**os.environ, "DESTDIR": scratch})
        root = Path(scratch)
        agent = root / "usr/local/lib/agent"
        agent.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(build / "guest/agent", agent)
        measuring = root / "usr/local/bin"
        measuring.mkdir(parents=True, exist_ok=True)
        for program in ("memtotal", "peakmem"):
            shutil.copy(build / "guest" / program, measuring)
        texts = {"etc/systemd/system/agent.service": AGENT, "etc/hostname": "guest\n", "etc/fstab": "",
                 "etc/machine-id": "0123456789abcdef0123456789abcdef\n", **files}
        for name, text in texts.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        wants = {"sysinit.target": ["agent.service"]}
        if installed:
            wants = {"sysinit.target": ["agent.service", "memonline-apply.service"],
                     "multi-user.target": ["memonlined.service"]}
            alias = root / "etc/systemd/system/dbus-org.memonline1.service"
            alias.parent.mkdir(parents=True, exist_ok=True)
            alias.symlink_to("/lib/systemd/system/memonlined.service")
        for target, units in wants.items():
            directory = root / f"etc/systemd/system/{target}.wants"
            directory.mkdir(parents=True)
            for unit in units:
                (directory / unit).symlink_to(
                    f"/etc/systemd/system/{unit}" if unit == "agent.service" else f"/lib/systemd/system/{unit}")
        # Its console is the kernel's here, and a getty would eat what the agent says.
        for unit in ("serial-getty@ttyS0.service", "serial-getty@ttyS1.service", "getty@tty1.service",
                     "systemd-networkd-wait-online.service"):
            (root / f"etc/systemd/system/{unit}").symlink_to("/dev/null")
        for path in sorted(root.rglob("*")):
            # /lib is a link in there: what goes below it goes below its target.
            name = re.sub(r"^(lib|bin|sbin)(?=/|$)", r"usr/\1", str(path.relative_to(root)))
            member = archive.gettarinfo(str(path), name)
            member.uid = member.gid = 0
            member.uname = member.gname = "root"
            if member.isdir():
                continue
            archive.addfile(member, open(path, "rb") if member.isfile() else None)
    return packed.getvalue()


def system_image(build: Path, kernel: Kernel, files: Mapping[str, str | bytes], directory: Path,
                 packages: tuple[str, ...] = (), installed: bool = True) -> Path:
    """An initramfs in `directory` that becomes the system, with `files` (path → content) and these
    packages in it; memonline is not, unless it is to be `installed`: only what it needs."""
    programs = [build / "bin/memonline", build / "bin/memonlined"]
    needed = set(packages).union(*[_packages_of(program) for program in programs if program.exists()])
    tree = Tree()
    tree.files["bin/busybox"] = (_busybox().read_bytes(), 0o755)
    for applet in ("sh", "mount", "umount", "mkdir", "tar", "zcat", "rm", "insmod", "chroot", "switch_root"):
        tree.links[f"bin/{applet}"] = "busybox"
    for name, module in {**kernel.modules, **kernel.network}.items():
        tree.files[f"modules/{name}.ko"] = (module.read_bytes(), 0o644)
    order = [*(name for name in kernel.modules if name.startswith("virtio")), *kernel.network]
    tree.files["modules/order"] = ("".join(f"{name}\n" for name in order).encode(), 0o644)
    tree.files["root.tar.gz"] = (_root(needed).read_bytes(), 0o644)
    tree.files["overlay.tar"] = (_overlay(build, files, installed), 0o644)
    tree.files["init"] = (INIT.encode(), 0o755)
    path = directory / "system.cpio"
    path.write_bytes(tree.cpio())
    return path
