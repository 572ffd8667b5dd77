# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a test on a real kernel is given: a Vm, which boots guests and keeps what a report needs."""
import io
import json
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from architectures import machine_for
from guest import Guest, Panicked
from hardware import PC, Layout, Machine
from initramfs import initramfs
from kernels import Kernel, Unavailable
from system_image import system_image

_making_initramfs = threading.Lock()


class Skip(Exception):
    """Raised by a test that cannot run here; the text says why."""


@dataclass
class Vm:
    """One test on one kernel."""

    name: str
    kernel: Kernel
    build: Path
    guests: list[Guest] = field(default_factory=list)

    @contextmanager
    def guest(self, layout: Layout = Layout(), programs: Mapping[str, Path] = {}) -> Iterator[Guest]:  # noqa: B006
        """A running guest, with these files more in it; it ends with the `with` block."""
        machine = machine_for(self.kernel.name)
        with _making_initramfs:
            image = initramfs(self.build, self.kernel, machine.line, programs)
        with self._booted(layout, image, machine=machine) as guest:
            self.guests.append(guest)
            try:
                yield guest
            except BaseException:
                guest.remember_dmesg()
                raise

    def _booted(self, layout: Layout, image: Path, boot_seconds: float | None = None,
                machine: Machine = PC) -> Guest:
        """Once in some hundred boots a kernel panics under TCG in its first seconds: booted once more."""
        try:
            return Guest(self.kernel, layout, image, boot_seconds, machine)
        except Panicked:
            print(f"        {self.kernel.name} {self.name}: panicked while booting; once more", flush=True)
            return Guest(self.kernel, layout, image, boot_seconds, machine)

    @contextmanager
    def system(self, layout: Layout, files: Mapping[str, str | bytes], packages: tuple[str, ...] = (),
               installed: bool = True) -> Iterator[Guest]:
        """A whole Debian with systemd and what is installed of memonline, or without that; `files` are
        put into it, and these packages are in it."""
        with tempfile.TemporaryDirectory() as scratch:
            with _making_initramfs:
                try:
                    image = system_image(self.build, self.kernel, files, Path(scratch), packages, installed)
                except Unavailable as reason:
                    raise Skip(str(reason)) from reason
            with self._booted(layout, image, boot_seconds=240.0) as guest:
                self.guests.append(guest)
                try:
                    yield guest
                except BaseException:
                    guest.remember_dmesg()
                    raise

    def keep(self, name: str, content: bytes) -> Path:
        """Leaves a file in build/vm/."""
        directory = self.build / "vm"
        directory.mkdir(exist_ok=True)
        path = directory / name
        path.write_bytes(content)
        return path

    def keep_host(self, guest: Guest, name: str, layout: str) -> None:
        """Leaves the guest as a captured host in build/vm/NAME.tar.xz, as those in tests/hosts are."""
        meta = {"kernel": self.kernel.name, "name": name, "layout": layout, "qemu": guest.layout_arguments,
                "uname": guest.run("uname -a").stdout.strip(),
                "memory_devices": {device["id"]: device for device in guest.memory_devices()}}
        captured = tarfile.open(fileobj=io.BytesIO(guest.capture()))
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:xz", preset=9) as archive:
            for member in sorted(captured.getmembers(), key=lambda member: member.name):
                archive.addfile(member, captured.extractfile(member) if member.isfile() else None)
            content = json.dumps(meta, indent=1, sort_keys=True).encode() + b"\n"
            entry = tarfile.TarInfo("META.json")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        self.keep(f"{name}.tar.xz", packed.getvalue())


Test = Callable[[Vm], None]


def on(*kernels: str) -> Callable[[Test], Test]:
    """Only for these kernels, also ones that are not in the daily set (`@on("6.1-generic")`)."""

    def mark(test: Test) -> Test:
        test.kernels = kernels  # type: ignore[attr-defined]
        return test

    return mark


def long(test: Test) -> Test:
    """Takes minutes: only with --long (`./dev test long`)."""
    test.long = True  # type: ignore[attr-defined]
    return test
