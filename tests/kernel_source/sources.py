# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kernel sources for the differential test: Debian's linux-source packages, fetched once and cached.

A package is 140 MB; only the files that the rules of compiler/kernel/README.md cite, and what those need,
are kept: ${MEMONLINE_VM_CACHE:-$XDG_CACHE_HOME or ~/.cache}/memonline/kernel-source/VERSION/ (about 20 MB).
They are GPL-2.0, and never part of this tree or of a package.
"""
import fcntl
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "vm"))

from kernels import ASK_AGAIN_AFTER, FAILED_AGAIN_AFTER, Apt, Unavailable, cache_dir  # noqa: E402

SUITES = {"5.10": "bullseye", "6.1": "bookworm", "6.12": "trixie", "7.2": "sid", "7.3": "experimental"}
# What is kept of a source tree.
KEPT = re.compile(r"(mm|include/linux|include/asm-generic|drivers/base|drivers/dax|arch/[^/]+/mm)/[^/]+\.[ch]"
                  r"|kernel/params\.c|lib/(cmdline|kstrtox)\.c|fs/kernfs/file\.c|arch/x86/kernel/(setup|e820)\.c"
                  r"|drivers/(virtio/virtio_mem|hv/hv_balloon|acpi/acpi_memhotplug|xen/balloon)\.c"
                  r"|arch/powerpc/platforms/pseries/hotplug-memory\.c|drivers/s390/char/sclp_(cmd|mem)\.c|Makefile")


@dataclass(frozen=True)
class Source:
    """The kept part of a kernel's source."""

    version: str  # "6.12"
    package: str  # "linux-source-6.12=6.12.95-1"
    tree: Path


def source(version: str) -> Source:
    """The source of `version`, from the cache or the mirror; raises Unavailable."""
    directory = cache_dir().parent / "kernel-source" / version
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(str(error)) from error
    with open(directory / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        record = directory / "source.json"
        if not _younger(record, ASK_AGAIN_AFTER) or json.loads(record.read_text())["kept"] != KEPT.pattern:
            _refresh(version, directory, record)
        return Source(version, json.loads(record.read_text())["package"], directory / "tree")


def _younger(path: Path, seconds: float) -> bool:
    return path.exists() and time.time() - path.stat().st_mtime < seconds


def _refresh(version: str, directory: Path, record: Path) -> None:
    """Brings the cache up to date; without a mirror, what is cached is used on."""
    failed = directory / "failed"
    if record.exists() and _younger(failed, FAILED_AGAIN_AFTER):
        return
    try:
        with tempfile.TemporaryDirectory(dir=directory) as scratch:
            apt = Apt(SUITES[version], Path(scratch))
            package = f"linux-source-{version}={apt.version(f'linux-source-{version}')}"
            if record.exists() and json.loads(record.read_text()) == {"package": package, "kept": KEPT.pattern}:
                record.touch()
                return
            print(f"fetching {package} from {SUITES[version]}", file=sys.stderr, flush=True)
            deb = apt.download([package])[0]
            _unpack(deb, Path(scratch) / "tree")
            old = directory / "tree"
            if old.exists():
                old.rename(Path(scratch) / "old")
            (Path(scratch) / "tree").rename(old)
        record.write_text(json.dumps({"package": package, "kept": KEPT.pattern}) + "\n")
        failed.unlink(missing_ok=True)
    except (Unavailable, OSError, subprocess.SubprocessError, tarfile.TarError) as error:
        failed.write_text(f"{error}\n")
        if not record.exists():
            raise Unavailable(str(error)) from error


def _unpack(deb: Path, tree: Path) -> None:
    """Copies what is kept out of the archive that the package holds; nothing is written twice."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as unpack:
        with tarfile.open(fileobj=unpack.stdout, mode="r|") as package:
            for member in package:
                if re.search(r"linux-source-[\d.]+\.tar\.xz$", member.name) and member.isfile():
                    content = package.extractfile(member)
                    assert content is not None
                    with tarfile.open(fileobj=content, mode="r|xz") as archive:
                        _keep(archive, tree)
        # The rest of the package has to be read, or dpkg-deb complains of its pipe.
        while unpack.stdout is not None and unpack.stdout.read(1 << 20):
            pass
    if unpack.returncode != 0 or not (tree / "mm/memory_hotplug.c").exists():
        raise Unavailable(f"{deb.name} holds no kernel source")


def _keep(archive: tarfile.TarFile, tree: Path) -> None:
    for member in archive:
        path = member.name.partition("/")[2]
        if not member.isfile() or not KEPT.fullmatch(path):
            continue
        content = archive.extractfile(member)
        assert content is not None
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.read())
