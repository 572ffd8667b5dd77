# SPDX-License-Identifier: LGPL-2.1-or-later
"""The machines of other architectures: what QEMU emulates, which kernel it boots, how memory is added.

All of them are emulated by the extracted QEMU (emulators.py). Guests of foreign architectures have their own busybox and
the agent as a shell script; memonline itself runs on this machine, on captures of the guest; in the guest, it runs in cross_build_test.py.
"""
import os
from collections.abc import Callable
from dataclasses import dataclass

import emulators
from hardware import PC, QEMU, Layout, Machine, size_of

# What a captured host holds beside guest.CAPTURED: what names the hypervisor, and how firmware describes memory where
# there is no ACPI.
FIRMWARE = """/sys/devices/virtual/dmi/id/sys_vendor /sys/devices/virtual/dmi/id/product_name /proc/sysinfo
/sys/kernel/dlpar /sys/firmware/devicetree/base/#address-cells /sys/firmware/devicetree/base/#size-cells
/sys/firmware/devicetree/base/hypervisor /sys/firmware/devicetree/base/memory@0
/sys/firmware/devicetree/base/ibm,dynamic-reconfiguration-memory /sys/firmware/memory"""

# The devices that /sys/bus/dax and /sys/bus/cxl lead to, as far as they are the card's.
CARD = """/sys/bus/cxl/devices /sys/devices/platform/ACPI0017:00 /sys/kernel/mm/numa
/sys/devices/pci0000:0c/0000:0c:00.0/0000:0d:00.0/mem0"""


def _memory(layout: Layout) -> list[str]:
    """The nodes of a layout; DIMMs come later, over QMP. One processor, on the first node."""
    total = sum(size_of(node.memory) for node in layout.nodes)
    arguments = ["-accel", "tcg", "-nic", "none", "-nodefaults", "-display", "none", "-no-reboot", "-smp", "1",
                 "-m", f"{total >> 20}M,slots={layout.slots},maxmem={layout.maxmem}"]
    for number, node in enumerate(layout.nodes):
        arguments += ["-object", f"memory-backend-ram,id=ram{number},size={size_of(node.memory)},reserve=off",
                      "-numa", f"node,nodeid={number},memdev=ram{number}" + (",cpus=0" if number == 0 else "")]
    return arguments


def _arm64(layout: Layout) -> list[str]:
    code = emulators.firmware(emulators.AARCH64_CODE)
    return ["-machine", "virt,gic-version=3", "-cpu", "cortex-a72", *_memory(layout),
            "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={code}"]


def _loong64(layout: Layout) -> list[str]:
    return ["-machine", "virt", "-cpu", "la464", *_memory(layout),
            "-bios", str(emulators.firmware(emulators.LOONGARCH64_CODE))]


def _ppc64le(layout: Layout) -> list[str]:
    # TCG emulates none of these mitigations.
    return ["-machine", "pseries,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off", "-cpu", "power9",
            "-vga", "none", *_memory(layout)]


def _s390x(layout: Layout) -> list[str]:
    total = sum(size_of(node.memory) for node in layout.nodes)
    return ["-machine", "s390-ccw-virtio", "-cpu", "max", "-accel", "tcg", "-nic", "none", "-nodefaults",
            "-display", "none", "-no-reboot", "-smp", "1", "-m", f"{total >> 20}M"]


CXL_SIZE = "512M"


def _cxl(layout: Layout) -> list[str]:
    # With the hypervisor's bit of CPUID the kernel cannot flush the caches that a CXL region needs flushed (ENXIO).
    return ["-machine", "q35,cxl=on,cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G", "-cpu", "max,hypervisor=off",
            *_memory(layout), "-object", f"memory-backend-ram,id=card,share=on,size={CXL_SIZE}",
            "-device", "pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1",
            "-device", "cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2",
            "-device", "cxl-type3,bus=rp0,volatile-memdev=card,id=cxl-mem0,sn=1"]


@dataclass(frozen=True)
class Architecture:
    """What tests need to know of an architecture."""

    kernels: tuple[str, ...]  # names in kernels.ARCHITECTURE_KERNELS
    ignoring: tuple[str, ...] = ()  # further ones, which ignore DIMMs
    boot_memory: str = "1G"
    block: int = 128 << 20
    dimms: bool = False  # memory is added by DIMMs
    source: str = "dimm"  # what memonline calls that
    foreign: bool = True  # this machine's programs do not run there


ARCHITECTURES = {
    "arm64": Architecture(("7.2-arm64",), ("7.2-arm64-generic",), dimms=True),
    # With 1 GiB the window for DIMMs does not start at a block, and none of them appears.
    "loong64": Architecture(("7.2-loong64",), boot_memory="1280M", block=512 << 20, dimms=True),
    "ppc64le": Architecture(("7.2-ppc64le",), block=256 << 20, dimms=True, source="dlpar"),
    "s390x": Architecture(("7.2-s390x",)),
    "cxl": Architecture(("7.2-cxl", "7.3-cxl"), foreign=False),
}
# They boot in 10 to 80 s on an idle machine.
BOOT_SECONDS = float(os.environ.get("MEMONLINE_VM_BOOT_SECONDS", "300"))


def of_kernel(kernel: str) -> str:
    """The architecture of a kernel, or '' for those of this machine's own QEMU."""
    return next((name for name, one in ARCHITECTURES.items() if kernel in (*one.kernels, *one.ignoring)), "")


def machine_for(kernel: str) -> Machine:
    """What boots a kernel; raises Unavailable."""
    name = of_kernel(kernel)
    return machine(name) if name else PC


@dataclass(frozen=True)
class _Lines:
    """QEMU's program, and the serial lines that it and the kernel have for us."""

    program: str
    arguments: Callable[[Layout], list[str]]
    console: str
    agent: str
    console_first: bool = True


_LINES = {
    "arm64": _Lines("qemu-system-aarch64", _arm64, "ttyAMA0", "/dev/ttyAMA1"),
    "loong64": _Lines("qemu-system-loongarch64", _loong64, "ttyS0", "/dev/ttyS1"),
    "ppc64le": _Lines("qemu-system-ppc64", _ppc64le, "hvc0", "/dev/hvc1"),
    # Of the two, only the first passes eight bits, which the agent needs.
    "s390x": _Lines("qemu-system-s390x", _s390x, "ttyS0", "/dev/ttysclp0", console_first=False),
    "cxl": _Lines(QEMU, _cxl, "ttyS0", "/dev/ttyS1"),
}


def machine(name: str) -> Machine:
    """The machine of an architecture; raises Unavailable."""
    lines = _LINES[name]
    variables = emulators.firmware(emulators.AARCH64_VARIABLES) if name == "arm64" else ""
    parameters = "panic=-1 quiet cryptomgr.notests" + (" no_timer_check" if name == "cxl" else "")
    return Machine(lines.arguments, emulators.command(lines.program), f"console={lines.console} {parameters}",
                   lines.console_first, lines.agent, BOOT_SECONDS, str(variables),
                   CARD if name == "cxl" else FIRMWARE)
