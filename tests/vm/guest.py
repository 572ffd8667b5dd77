# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real kernel in QEMU, and how a test talks to it (Guest); hardware.py says what it is made of.

QEMU runs without hardware acceleration, so the tests need neither KVM nor root. Commands go over the
second serial line to tests/vm/guest/agent.cpp; hardware comes and goes over QMP.
"""
import gzip
import json
import os
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardware import PC, QEMU, Dimm, Layout, Machine, Node, VirtioMem, qemu_arguments, size_of
from initramfs import acpi_override
from kernels import Kernel

__all__ = ["PC", "QEMU", "Dimm", "Guest", "GuestError", "Layout", "Machine", "Node", "VirtioMem", "qemu_arguments",
           "size_of"]

CHUNK = 2048  # what the agent takes before it acknowledges

# What a captured host holds (tests/hosts/README.md).
CAPTURED = """/proc/buddyinfo /proc/cmdline /proc/cpuinfo /proc/filesystems /proc/iomem /proc/meminfo
/proc/modules /proc/pagetypeinfo /proc/swaps /proc/sys/kernel/numa_balancing /proc/sys/kernel/osrelease
/proc/sys/vm /proc/version /proc/vmstat /proc/zoneinfo /sys/bus/acpi/devices /sys/bus/dax /sys/bus/memory
/sys/bus/memory_tiering /sys/bus/node /sys/bus/virtio/devices /sys/bus/virtio/drivers/virtio_mem
/sys/devices/LNXSYSTM:00/LNXSYBUS:00/PNP0A06:00 /sys/devices/system/memory /sys/devices/system/node
/sys/devices/system/cpu/online /sys/devices/system/cpu/possible /sys/devices/system/cpu/present
/sys/devices/virtual/memory_tiering /sys/firmware/acpi/hotplug /sys/firmware/acpi/tables/SRAT
/sys/firmware/acpi/tables/SLIT /sys/firmware/acpi/tables/HMAT /sys/firmware/memmap
/sys/kernel/mm/transparent_hugepage /sys/kernel/uevent_seqnum /sys/module/memory_hotplug
/sys/module/virtio_mem/parameters"""


class GuestError(Exception):
    """The guest died, did not answer in time, or QEMU refused something."""


class Panicked(GuestError):
    """The guest's kernel panicked, and said why."""


class CommandFailed(GuestError):
    """A command that had to succeed did not."""


@dataclass(frozen=True)
class Result:
    """How a command ended (128 + signal where one ended it) and what it wrote."""

    status: int
    stdout: str
    stderr: str
    raw: bytes = b""


class Guest:
    """A running kernel; `with Guest(kernel, layout, initramfs) as guest:` boots and ends it."""

    def __init__(self, kernel: Kernel, layout: Layout, initramfs: Path,
                 boot_seconds: float | None = None, machine: Machine = PC) -> None:
        self.kernel = kernel
        self.layout = layout
        self.machine = machine
        self.log: list[str] = []  # the commands so far, for the report of a failed test
        self._scratch = tempfile.TemporaryDirectory(prefix="memonline-vm-")
        self._console = Path(self._scratch.name) / "console"
        self._console_text = ""
        if layout.srat:
            with_table = Path(self._scratch.name) / "initramfs"
            with_table.write_bytes(acpi_override("SRAT", layout.srat) + initramfs.read_bytes())
            initramfs = with_table
        self._commands, commands = socket.socketpair()
        self._monitor, monitor = socket.socketpair()
        self.layout_arguments = [*machine.arguments(layout), "-append", layout.arguments]
        lines = ["-chardev", f"file,id=console,path={self._console}",
                 "-chardev", f"socket,id=commands,fd={commands.fileno()}"]
        for line in ("console", "commands") if machine.console_first else ("commands", "console"):
            lines += ["-serial", f"chardev:{line}"]
        self.command_line = [
            # Whatever ends this process ends QEMU too.
            "setpriv", "--pdeathsig", "KILL", *machine.qemu, *machine.arguments(layout), *self._firmware(), *lines,
            "-chardev", f"socket,id=monitor,fd={monitor.fileno()}", "-mon", "chardev=monitor,mode=control",
            "-kernel", str(kernel.image), "-initrd", str(initramfs),
            "-append", f"{machine.kernel_arguments} {layout.arguments}"]
        self._process = subprocess.Popen(
            self.command_line, pass_fds=(commands.fileno(), monitor.fileno()), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        commands.close()
        monitor.close()
        self._monitor_buffer = b""
        self._buffer = b""
        self.dmesg = ""  # the end of the kernel's log, once remember_dmesg has asked for it
        try:
            self._await_boot(boot_seconds or machine.boot_seconds)
        except BaseException as error:
            self.close()
            if isinstance(error, GuestError):
                raise type(error)(f"{error}, while booting; its console:\n{self.console[-3000:]}") from error
            raise

    def _firmware(self) -> list[str]:
        """The firmware's variables, in a file of this guest's own."""
        if not self.machine.variables:
            return []
        variables = Path(self._scratch.name) / "variables"
        shutil.copy(self.machine.variables, variables)
        return ["-drive", f"if=pflash,format=raw,unit=1,file={variables}"]

    def _await_boot(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        self._line(deadline)  # the agent's "ready"
        self._monitor_message(deadline)  # QMP's greeting
        self.qmp("qmp_capabilities")

    def __enter__(self) -> "Guest":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends QEMU, whatever the guest is doing."""
        if not self.ended():
            self._process.kill()
        self._process.wait(timeout=30)
        for end in (self._commands, self._monitor):
            end.close()
        assert self.console is not None  # read it once more before the file goes
        if self._process.stderr:
            self._process.stderr.close()
        self._scratch.cleanup()

    # --- what the kernel says ----------------------------------------------------------------------

    @property
    def console(self) -> str:
        """All that the kernel printed so far (with `quiet`: errors, and a panic)."""
        if self._console.exists():
            self._console_text = self._console.read_text(errors="replace")
        return self._console_text

    def remember_dmesg(self) -> None:
        """Keeps the end of the kernel's log for a report, where the guest still answers."""
        try:
            self.dmesg = self.run("dmesg | tail -n 25", timeout=5).stdout
        except (GuestError, ValueError):
            pass

    def ended(self) -> bool:
        """Whether QEMU is gone: after a panic, or because the guest was powered off."""
        return self._process.poll() is not None

    def _check_alive(self) -> None:
        panic = re.search(r"Kernel panic - not syncing: (.*)", self.console)
        if panic:
            raise Panicked(f"the guest's kernel panicked: {panic[1].strip()}")
        if self.ended():
            complaint = self._process.stderr.read().decode(errors="replace") if self._process.stderr else ""
            raise GuestError(f"QEMU ended with status {self._process.returncode}: {complaint.strip()}")

    # --- commands ----------------------------------------------------------------------------------

    def _transmit(self, end: socket.socket, data: bytes) -> None:
        try:
            end.sendall(data)
        except OSError as error:  # nobody is left at the other end
            self._process.wait(timeout=30)
            self._check_alive()
            raise GuestError(f"QEMU closed the line: {error}") from error

    def _receive(self, end: socket.socket, deadline: float) -> bytes:
        while time.monotonic() < deadline:
            if select.select([end], [], [], 0.5)[0]:
                data = end.recv(65536)
                if data:
                    return data
                self._process.wait(timeout=30)
            self._check_alive()
        raise GuestError("the guest did not answer in time")

    def _bytes(self, count: int, deadline: float) -> bytes:
        while len(self._buffer) < count:
            self._buffer += self._receive(self._commands, deadline)
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def _line(self, deadline: float) -> str:
        while b"\n" not in self._buffer:
            self._buffer += self._receive(self._commands, deadline)
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode()

    def _send(self, data: bytes, deadline: float) -> None:
        for start in range(0, len(data), CHUNK):
            self._transmit(self._commands, data[start:start + CHUNK])
            self._bytes(1, deadline)  # the acknowledgment

    def run(self, command: str, timeout: float = 60.0, stdin: bytes = b"", check: bool = False) -> Result:
        """Runs a shell command in the guest and waits for it; with `check` a status other than 0 raises."""
        deadline = time.monotonic() + timeout
        self.log.append(command)
        self._transmit(self._commands, f"{len(command.encode())} {len(stdin)}\n".encode())
        self._send(command.encode(), deadline)
        self._send(stdin, deadline)
        status, out_size, error_size = map(int, self._line(deadline).split())
        out = self._bytes(out_size, deadline)
        error = self._bytes(error_size, deadline).decode(errors="replace")
        exit_status = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
        result = Result(exit_status, out.decode(errors="replace"), error, out)
        if check and exit_status != 0:
            raise CommandFailed(f"`{command}` ended with {exit_status}: {error.strip() or result.stdout[-500:]}")
        return result

    def put(self, path: str, content: bytes) -> None:
        """Writes a file in the guest."""
        self.run(f"cat >{path}", stdin=content, check=True)

    def get(self, path: str) -> bytes:
        """A file of the guest."""
        return self.run(f"cat {path}", check=True).raw

    def read(self, path: str) -> str:
        """A file of the guest as text, without what surrounds it; '' where there is none."""
        return self.run(f"cat {path} 2>/dev/null").stdout.strip()

    # --- hardware ----------------------------------------------------------------------------------

    def _monitor_message(self, deadline: float) -> dict[str, Any]:
        while b"\n" not in self._monitor_buffer:
            self._monitor_buffer += self._receive(self._monitor, deadline)
        line, _, self._monitor_buffer = self._monitor_buffer.partition(b"\n")
        return json.loads(line)

    def qmp(self, command: str, **arguments: Any) -> Any:
        """Executes a QMP command; underscores in argument names stand for hyphens."""
        request = {"execute": command, "arguments": {key.replace("_", "-"): value
                                                     for key, value in arguments.items()}}
        self._transmit(self._monitor, json.dumps(request).encode() + b"\n")
        deadline = time.monotonic() + 60
        while True:
            answer = self._monitor_message(deadline)
            if "error" in answer:
                raise GuestError(f"QMP {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def add_dimm(self, name: str, size: str | int, node: int = 0, wait: bool = True) -> list[int]:
        """Plugs a DIMM; with `wait` returns its blocks once they are all there."""
        before = set(self.block_ids()) if wait else set()
        self.log.append(f"# add DIMM {name}: {size}, node {node}")
        self.qmp("object-add", **{"qom-type": "memory-backend-ram", "id": f"mem-{name}",
                                  "size": size_of(size), "reserve": False})
        self.qmp("device_add", driver="pc-dimm", id=name, memdev=f"mem-{name}", node=node)
        if not wait:
            return []
        wanted = size_of(size) // self.block_size()
        self.wait_for(lambda: len(set(self.block_ids()) - before) >= wanted, f"the blocks of {name}")
        return sorted(set(self.block_ids()) - before)

    def remove_dimm(self, name: str, wait: bool = True, timeout: float = 60.0) -> None:
        """Asks the guest to give a DIMM back (its blocks must be offline or able to go offline)."""
        self.log.append(f"# remove DIMM {name}")
        self.qmp("device_del", id=name)
        if wait:
            self.wait_for(lambda: all(device["id"] != name for device in self.memory_devices()),
                          f"the guest to give {name} back", timeout)
            self.qmp("object-del", id=f"mem-{name}")

    def memory_devices(self) -> list[dict[str, Any]]:
        """QEMU's DIMMs and virtio-mem devices as they are now."""
        return [{"type": device["type"], **device["data"]} for device in self.qmp("query-memory-devices")]

    def request_virtio_mem(self, name: str, size: str | int) -> None:
        """Tells a virtio-mem device how much to plug."""
        self.log.append(f"# virtio-mem {name}: {size}")
        self.qmp("qom-set", path=f"/machine/peripheral/{name}", property="requested-size",
                 value=size_of(size))

    def wait_for(self, reached: Callable[[], bool], what: str, timeout: float = 60.0) -> None:
        """Looks ten times a second until `reached`; raises with `what` when it takes too long."""
        deadline = time.monotonic() + timeout
        while not reached():
            if time.monotonic() > deadline:
                raise GuestError(f"in vain waited {timeout:.0f} s for: {what}")
            time.sleep(0.1)

    # --- memory ------------------------------------------------------------------------------------

    def block_size(self) -> int:
        """Bytes of a memory block."""
        return int(self.read("/sys/devices/system/memory/block_size_bytes"), 16)

    def block_ids(self) -> list[int]:
        """The numbers of all blocks that are present."""
        listed = self.run("cd /sys/devices/system/memory && echo memory[0-9]*").stdout
        return sorted(int(number) for number in re.findall(r"memory(\d+)", listed))

    def blocks(self) -> dict[int, tuple[str, str]]:
        """Every block: its state and its valid_zones, as the kernel says them now."""
        listed = self.run("cd /sys/devices/system/memory; for block in memory[0-9]*; do "
                          "read -r state <$block/state; read -r zones <$block/valid_zones; "
                          'echo "${block#memory} $state $zones"; done', check=True).stdout
        found = {}
        for line in listed.splitlines():
            number, state, zones = line.split(" ", 2)
            found[int(number)] = (state, zones)
        return dict(sorted(found.items()))

    def capture(self) -> bytes:
        """This host as a tar of the files that hosts in tests/hosts hold."""
        captured = " ".join([*CAPTURED.split(), *self.machine.captured.split()])
        packed = self.run(f"dmesg >/dmesg; capture /dmesg {captured} | gzip -1",
                          check=True, timeout=120)
        return gzip.decompress(packed.raw)
