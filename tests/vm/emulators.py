# SPDX-License-Identifier: LGPL-2.1-or-later
"""QEMU for machines that this one's own QEMU cannot emulate: Debian 13's, extracted into the cache and run from there.

Debian 12's QEMU 7.2 has neither memory hotplug for loong64 nor volatile CXL memory. mmdebstrap downloads the packages
and checks apt's signatures; nothing is installed. The extracted programs are started by their own dynamic loader, so
that they load their own libraries. The cache is ~/.cache/memonline/emulators/SUITE/ (kernels.cache_dir), with a file
`complete` that lists the packages; it is used without a network and never refreshed.
"""
import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path

from kernels import Unavailable, cache_dir, mirror

SUITE = "trixie"
PACKAGES = ("qemu-system-x86", "qemu-system-misc", "qemu-system-arm", "qemu-system-ppc", "qemu-system-s390x",
            "qemu-system-data", "qemu-efi-aarch64", "qemu-efi-loongarch64", "seabios")
PROGRAMS = ("qemu-system-aarch64", "qemu-system-loongarch64", "qemu-system-ppc64", "qemu-system-s390x",
            "qemu-system-x86_64")
LIBRARIES = "usr/lib/x86_64-linux-gnu"
ROMS = ("usr/share/qemu", "usr/share/seabios")
AARCH64_CODE = "usr/share/AAVMF/AAVMF_CODE.no-secboot.fd"
AARCH64_VARIABLES = "usr/share/AAVMF/AAVMF_VARS.fd"
LOONGARCH64_CODE = "usr/share/qemu-efi-loongarch64/QEMU_EFI.fd"
KEPT = (LIBRARIES, *ROMS, AARCH64_CODE, AARCH64_VARIABLES, LOONGARCH64_CODE,
        *(f"usr/bin/{program}" for program in PROGRAMS))


def emulators() -> Path:
    """The directory that the packages are extracted in; raises Unavailable."""
    directory = cache_dir().parent / "emulators" / SUITE
    directory.parent.mkdir(parents=True, exist_ok=True)
    with open(directory.parent / f"{SUITE}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        complete = directory / "complete"
        if not complete.exists() or complete.read_text().split() != list(PACKAGES):
            _extract(directory)
    return directory


def command(program: str) -> tuple[str, ...]:
    """The words that start the extracted `program`, with its libraries and its data."""
    root = emulators()
    loader = root / LIBRARIES / "ld-linux-x86-64.so.2"
    data = [word for place in ROMS for word in ("-L", str(root / place))]
    return (str(loader), "--library-path", str(root / LIBRARIES), str(root / "usr/bin" / program), *data)


def firmware(path: str) -> Path:
    """The extracted file of one of the firmwares above."""
    return emulators() / path


def _extract(directory: Path) -> None:
    if not shutil.which("mmdebstrap"):
        raise Unavailable("mmdebstrap is not installed: it extracts QEMU's packages")
    with tempfile.TemporaryDirectory(dir=directory.parent) as scratch:
        root = Path(scratch) / "root"
        made = subprocess.run(
            ["mmdebstrap", "--variant=extract", f"--include={','.join(PACKAGES)}",
             '--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Check-Valid-Until "false"',
             '--aptopt=Acquire::Languages "none"', SUITE, str(root), mirror()],
            check=False, text=True, capture_output=True, timeout=1800)
        if made.returncode != 0:
            complaint = [line for line in made.stderr.splitlines() if line.startswith("E:")]
            raise Unavailable(f"QEMU of {SUITE}: {(complaint or ['mmdebstrap failed'])[0]}")
        kept = Path(scratch) / "kept"
        for part in KEPT:
            (kept / part).parent.mkdir(parents=True, exist_ok=True)
            (root / part).resolve().rename(kept / part)
        (kept / "complete").write_text("\n".join(PACKAGES) + "\n")
        shutil.rmtree(directory, ignore_errors=True)
        kept.rename(directory)
