# SPDX-License-Identifier: LGPL-2.1-or-later
"""The hardware of a guest: what a test says of it, and the words of QEMU's command line that make it."""
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

QEMU = "qemu-system-x86_64"


def size_of(text: str | int) -> int:
    """'512M' or '4G' in bytes; a number is bytes already."""
    if isinstance(text, int):
        return text
    number, unit = re.fullmatch(r"(\d+)([KMGT])", text).groups()  # type: ignore[union-attr]
    return int(number) << {"K": 10, "M": 20, "G": 30, "T": 40}[unit]


@dataclass(frozen=True)
class Node:
    """A NUMA node at boot: `memory` 0 makes it memory-less, `cpus` 0 CPU-less."""

    memory: str | int = "1G"
    cpus: int = 1


@dataclass(frozen=True)
class Dimm:
    """A DIMM that is there at boot; one that comes later is added with Guest.add_dimm."""

    id: str
    size: str | int
    node: int = 0


@dataclass(frozen=True)
class VirtioMem:
    """A virtio-mem device: `size` is the most it can have, `requested` what it is told to plug."""

    id: str
    size: str | int
    requested: str | int
    node: int = 0


@dataclass(frozen=True)
class Layout:
    """The hardware of a guest and its kernel's arguments."""

    nodes: tuple[Node, ...] = (Node(),)
    dimms: tuple[Dimm, ...] = ()
    virtio_mem: tuple[VirtioMem, ...] = ()
    arguments: str = "memhp_default_state=offline"
    # Boot memory beyond this lies above 4 GiB: the only way for a small guest to a Normal zone.
    below_4g: str | None = "512M"
    slots: int = 128
    maxmem: str = "512G"
    # Ports of the guest by the port of this machine's loopback that leads to each.
    ports: tuple[tuple[int, int], ...] = ()
    # In place of the firmware's table of memory affinity (acpi_srat.py), as the kernel takes it from an
    # initramfs. The kernel's unpacker knows the firmware's alone: `nokaslr` keeps the image off the rest.
    srat: bytes = b""
    # The guest's clock counts instructions, a nanosecond each: a measure that is the same however busy this
    # machine is, and that takes three times as long.
    counted: bool = False
    # The file of a disk, /dev/nvme0n1 in the guest; NVMe is built into Debian's kernels.
    disk: Path | None = None


def _memory_backend(name: str, size: str | int) -> str:
    return f"memory-backend-ram,id={name},size={size_of(size)},reserve=off"


def qemu_arguments(layout: Layout) -> list[str]:
    """The part of QEMU's command line that makes the hardware of `layout`."""
    total = sum(size_of(node.memory) for node in layout.nodes)
    below = f",max-ram-below-4g={layout.below_4g}" if layout.below_4g else ""
    arguments = ["-accel", "tcg", "-machine", f"pc{below}",
                 # QEMU 7.2 gets the flags of cmpxchg16b wrong, which ends 6.12 in early boot.
                 "-cpu", "qemu64,-cx16", "-nic", "none", "-nodefaults", "-display", "none", "-no-reboot",
                 "-smp", str(sum(node.cpus for node in layout.nodes)),
                 "-m", f"{total >> 20}M,slots={layout.slots},maxmem={layout.maxmem}"]
    if layout.counted:
        arguments += ["-icount", "shift=0"]
    if layout.ports:
        leads = "".join(f",hostfwd=tcp:127.0.0.1:{here}-:{there}" for here, there in layout.ports)
        arguments += ["-netdev", f"user,id=net,restrict=on{leads}", "-device", "virtio-net-pci,netdev=net"]
    if layout.disk:
        arguments += ["-drive", f"if=none,id=disk,format=raw,cache=unsafe,file={layout.disk}",
                      "-device", "nvme,drive=disk,serial=disk"]
    cpu = 0
    for number, node in enumerate(layout.nodes):
        options = f"node,nodeid={number}"
        if node.cpus:
            options += f",cpus={cpu}-{cpu + node.cpus - 1}"
            cpu += node.cpus
        if size_of(node.memory):
            arguments += ["-object", _memory_backend(f"ram{number}", node.memory)]
            options += f",memdev=ram{number}"
        arguments += ["-numa", options]
    for dimm in layout.dimms:
        arguments += ["-object", _memory_backend(f"mem-{dimm.id}", dimm.size),
                      "-device", f"pc-dimm,id={dimm.id},memdev=mem-{dimm.id},node={dimm.node}"]
    for device in layout.virtio_mem:
        arguments += ["-object", _memory_backend(f"mem-{device.id}", device.size),
                      "-device", f"virtio-mem-pci,id={device.id},memdev=mem-{device.id},"
                      f"node={device.node},requested-size={size_of(device.requested)}"]
    return arguments


@dataclass(frozen=True)
class Machine:
    """A kind of computer that QEMU emulates: what a layout does not say."""

    arguments: Callable[[Layout], list[str]] = qemu_arguments
    qemu: tuple[str, ...] = (QEMU,)
    # On a busy machine the timer interrupt is late, and the kernel would panic over its timer check. Its
    # ciphers' tests of themselves are a sixth of a boot.
    kernel_arguments: str = "console=ttyS0 panic=-1 quiet no_timer_check cryptomgr.notests"
    # QEMU's first serial line is the kernel's console and the second the agent's, or the other way round.
    console_first: bool = True
    line: str = "/dev/ttyS1"  # the agent's, in the guest
    # A boot of an IBM PC takes about 4 s; other work on the machine must not fail a test.
    boot_seconds: float = 90.0
    # Kinds of firmware that keep variables in a file of their own: a copy for each guest.
    variables: str = ""
    captured: str = ""  # further files that a captured host holds


PC = Machine()
