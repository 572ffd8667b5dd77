# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guests' initramfs: busybox, memonline with its libraries, the guest programs, kernel modules.

Built in the cache directory under a name made of everything that went in, so an unchanged one is
built once. Binaries are stripped; a debug build would not fit into small guests.
"""
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kernels import Kernel, cache_dir

INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mkdir -p /dev/pts
mount -t debugfs debug /sys/kernel/debug 2>/dev/null
export PATH=/bin:/sbin HOME=/tmp TERM=dumb LC_ALL=C
hostname guest
while read -r module; do insmod "/modules/$module.ko"; done </modules/order
cd /tmp
exec /bin/agent LINE
"""


@dataclass
class Tree:
    """The files of an initramfs: path without leading slash → content and mode, or a link's target."""

    files: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def digest(self) -> str:
        """One name for all of it."""
        state = hashlib.sha256()
        for path, (content, mode) in sorted(self.files.items()):
            state.update(f"{path} {mode:o} {len(content)}\n".encode() + content)
        state.update(repr(sorted(self.links.items())).encode())
        return state.hexdigest()[:20]

    def cpio(self) -> bytes:
        """The archive in the kernel's `newc` format."""
        entries: dict[str, tuple[bytes, int]] = {}
        for path in [*self.files, *self.links, "proc/", "sys/", "dev/", "tmp/", "run/", "etc/", "mnt/"]:
            for parent in list(Path(path).parents)[-2::-1]:
                entries.setdefault(str(parent), (b"", 0o040755))
            if path.endswith("/"):
                entries[path[:-1]] = (b"", 0o040755)
        entries.update({path: (content, 0o100000 | mode) for path, (content, mode) in self.files.items()})
        entries.update({path: (target.encode(), 0o120777) for path, target in self.links.items()})
        archive = bytearray()
        for number, path in enumerate(sorted(entries), start=1):
            archive += _newc(number, path, *entries[path])
        # The kernel opens this before devtmpfs is there, for init's own output.
        archive += _newc(len(entries) + 1, "dev/console", b"", 0o020600, (5, 1))
        return bytes(archive + _newc(0, "TRAILER!!!", b"", 0))


def _newc(inode: int, path: str, content: bytes, mode: int, device: tuple[int, int] = (0, 0)) -> bytes:
    name = path.encode() + b"\0"
    numbers = (inode, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name), 0)
    header = b"070701" + b"".join(b"%08x" % number for number in numbers) + name
    return header + b"\0" * (-len(header) % 4) + content + b"\0" * (-len(content) % 4)


def acpi_override(name: str, table: bytes) -> bytes:
    """An archive to put before an initramfs: the kernel takes this ACPI table in place of the firmware's."""
    tree = Tree()
    tree.files[f"kernel/firmware/acpi/{name}.aml"] = (table, 0o644)
    return tree.cpio()


def _stripped(path: Path) -> bytes:
    with tempfile.NamedTemporaryFile() as copy:
        subprocess.run(["strip", "-o", copy.name, str(path)], check=True, timeout=60)
        return Path(copy.name).read_bytes()


def _libraries(program: Path) -> dict[str, Path]:
    """The shared libraries `program` loads: where each lies here and in the guest → the file."""
    shown = subprocess.run(["ldd", str(program)], check=True, text=True, capture_output=True, timeout=60)
    found = {}
    for name, path in re.findall(r"^\s*(\S+)(?: => (/\S+))? \(0x", shown.stdout, re.MULTILINE):
        file = path or name  # the loader itself stands by its full name alone
        if file.startswith("/"):
            found[file[1:]] = Path(file)
    return found


def missing_parts(build: Path) -> list[str]:
    """Lists what a guest needs and the build directory lacks: without the agent, the guest's kernel would panic."""
    guest = {f"guest/{source.stem}" for source in (Path(__file__).resolve().parent / "guest").glob("*.cpp")}
    missing = [part for part in ("bin/memonline", *sorted(guest)) if not os.access(build / part, os.X_OK)]
    if "bin/memonline" not in missing:
        shown = subprocess.run(["ldd", str(build / "bin/memonline")], text=True, capture_output=True, check=False)
        missing += re.findall(r"^\s*(\S+) => not found$", shown.stdout, re.MULTILINE)
    return missing


def _busybox() -> Path:
    for candidate in ("/bin/busybox", "/usr/bin/busybox"):
        if os.path.exists(candidate):
            return Path(candidate)
    raise FileNotFoundError("busybox is not installed (busybox-static)")


def _foreign_tree(busybox: Path, line: str) -> Tree:
    """Nothing that was built here runs there: the guest programs are shell scripts, or there are none."""
    tree = Tree()
    tree.files["bin/busybox"] = (busybox.read_bytes(), 0o755)
    tree.links["bin/sh"] = "busybox"
    for script in sorted((Path(__file__).resolve().parent / "guest").glob("*.sh")):
        tree.files[f"bin/{script.stem}"] = (script.read_bytes(), 0o755)
    tree.files["modules/order"] = (b"", 0o644)
    shell, _, commands = INIT.partition("\n")
    tree.files["init"] = (f"{shell}\n/bin/busybox --install -s /bin\n{commands}".replace("LINE", line).encode(), 0o755)
    return tree


def _tree(build: Path, kernel: Kernel, line: str) -> Tree:
    if kernel.busybox:
        return _foreign_tree(kernel.busybox, line)
    tree = Tree()
    busybox = _busybox()
    tree.files["bin/busybox"] = (busybox.read_bytes(), 0o755)
    applets = subprocess.run([busybox, "--list"], check=True, text=True, capture_output=True, timeout=60)
    for applet in applets.stdout.split():
        if applet != "busybox":
            tree.links[f"bin/{applet}"] = "busybox"
    programs = [build / "bin/memonline", *sorted((build / "guest").iterdir())]
    for program in programs:
        if program.is_file() and os.access(program, os.X_OK):
            tree.links.pop(f"bin/{program.name}", None)
            tree.files[f"bin/{program.name}"] = (_stripped(program), 0o755)
    for place, library in _libraries(build / "bin/memonline").items():
        tree.files[place] = (library.read_bytes(), 0o755)
    # Where they lie: without it the loader looks through the directories of each kind of processor.
    cache = Path("/etc/ld.so.cache")
    if cache.exists():
        tree.files["etc/ld.so.cache"] = (cache.read_bytes(), 0o644)
    for name, module in kernel.modules.items():
        tree.files[f"modules/{name}.ko"] = (module.read_bytes(), 0o644)
    order = [name for name in kernel.modules if name.startswith("virtio")]
    tree.files["modules/order"] = ("".join(f"{name}\n" for name in order).encode(), 0o644)
    tree.files["init"] = (INIT.replace("LINE", line).encode(), 0o755)
    return tree


def initramfs(build: Path, kernel: Kernel, line: str = "/dev/ttyS1", programs: Mapping[str, Path] = {}) -> Path:  # noqa: B006
    """The initramfs for `kernel` with what is in the build directory, made when needed; `line` is the agent's.

    `programs` are put into it as well: path in the guest without the leading slash → file.
    """
    tree = _tree(build, kernel, line)
    tree.files.update({path: (file.read_bytes(), 0o755) for path, file in programs.items()})
    directory = cache_dir().parent / "initramfs"
    directory.mkdir(parents=True, exist_ok=True)
    name = f"{kernel.name}{'-programs' if programs else ''}"
    path = directory / f"{name}-{tree.digest()}.cpio"
    if path.exists():
        return path
    for old in directory.glob(f"{name}-*.cpio"):
        if old.name[:-len(path.name.rpartition("-")[2])] == f"{name}-":
            old.unlink(missing_ok=True)
    with tempfile.NamedTemporaryFile(dir=directory, delete=False) as fresh:
        fresh.write(tree.cpio())
    shutil.move(fresh.name, path)
    return path
