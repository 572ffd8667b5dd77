#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The kernel model against real kernels: random operations in guests, each answer and all that the kernel
shows afterwards held against compiler/kernel by build/bin/model_replay, and against the code of the same
kernel's source package (tests/kernel_source).

As a program it repeats and varies: model_test.py --kernel 6.12 --case auto-movable --seed 7 --operations 2000
"""
import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from guest import Dimm as BootDimm
from guest import Guest, GuestError, Layout, Node, VirtioMem
from harness import Vm, on
from kernels import KERNELS, kernel
from operations import Dimm, Generator, Machine

SEED = int(os.environ.get("MEMONLINE_VM_SEED", "2017"))
OPERATIONS = 1050  # a kernel, all cases together
BATCH = 40  # operations at most in one run of blockops
REMOVED_WITHIN = 20.0  # seconds; a guest that refuses to give a DIMM back says nothing
MOST_DIMMS = 6


@dataclass(frozen=True)
class Case:
    """A guest to work on."""

    layout: Layout
    grow: bool = False  # by virtio-mem
    settings: tuple[str, ...] = ()  # each is gone through, whatever chance chooses beside them
    kernels: tuple[str, ...] = tuple(KERNELS)


def _layout(arguments: str, **changes: object) -> Layout:
    """Two nodes with memory and one without, two DIMMs."""
    layout = Layout(nodes=(Node("1G"), Node("768M", cpus=0), Node(0, cpus=0)),
                    dimms=(BootDimm("boot0", "1G", 1), BootDimm("boot1", "512M", 0)),
                    arguments=arguments)
    return replace(layout, **changes)  # type: ignore[arg-type]


OFFLINE = "memhp_default_state=offline"
ERA_D = ("6.1", "6.12", "7.2")  # with online_policy and memmap_on_memory
CASES = {
    "contig-zones": Case(_layout(OFFLINE)),
    "movable_node": Case(_layout("memhp_default_state=online_movable movable_node")),
    # All boot memory below 4 GiB: no node has a Normal zone.
    "auto-movable": Case(_layout(f"{OFFLINE} memory_hotplug.online_policy=auto-movable", below_4g=None),
                         settings=("auto_movable_ratio 50", "auto_movable_numa_aware N", "auto_movable_ratio 301",
                                   "auto_movable_numa_aware Y", "auto_movable_ratio 1000"),
                         kernels=ERA_D),
    "memmap_on_memory": Case(_layout("memhp_default_state=online memory_hotplug.memmap_on_memory=1 "
                                     "memory_hotplug.online_policy=auto-movable "
                                     "memory_hotplug.auto_movable_ratio=1000"), kernels=ERA_D),
    "virtio-mem": Case(_layout(OFFLINE, virtio_mem=(VirtioMem("vm0", "4G", "512M", 0),
                                                    VirtioMem("vm1", "2G", "256M", 2))), grow=True),
}


def operations_of(kernel_name: str) -> int:
    """How many operations each case does, so that a kernel gets its number."""
    return -(-OPERATIONS // sum(kernel_name in case.kernels for case in CASES.values()))


class Session:
    """A guest that operations are carried out on; the log is what model_replay reads."""

    def __init__(self, guest: Guest, seed: int) -> None:
        self.guest = guest
        self.random = random.Random(seed + 1)
        self.generator = Generator(seed)
        self.machine = Machine()
        self.log = ""
        self.done = 0
        self.plugged = 0
        self.adding = "add"  # what the log calls it
        self.batch = BATCH
        self.block_size = guest.block_size()
        self.carry_out(["look"])
        self.machine.dimms = [Dimm(name, *place) for name, place in self._dimms().items()]
        hotplugged = {block for dimm in self.machine.dimms for block in dimm.blocks()}
        self.machine.boot = set(self.machine.blocks) - hotplugged - self._virtio_blocks()

    def _dimms(self) -> dict[str, tuple[int, int]]:
        """What QEMU says of its DIMMs: name → first block and count."""
        return {device["data"]["id"]: (device["data"]["addr"] // self.block_size,
                                       device["data"]["size"] // self.block_size)
                for device in self.guest.qmp("query-memory-devices") if device["type"] == "dimm"}

    def _virtio_blocks(self) -> set[int]:
        blocks: set[int] = set()
        for device in self.guest.qmp("query-memory-devices"):
            if device["type"] == "virtio-mem":
                first = device["data"]["memaddr"] // self.block_size
                blocks |= set(range(first, first + device["data"]["max-size"] // self.block_size))
        return blocks

    def carry_out(self, operations: list[str], named: str | None = None) -> str:
        """Has blockops do the operations; `named` is what the log calls the (single) one."""
        result = self.guest.run("blockops", stdin="".join(f"{one}\n" for one in operations).encode(),
                                timeout=240, check=True)
        answers = result.stdout.split(".\n")[:-1]
        if len(answers) != len(operations):
            raise GuestError(f"{len(operations)} operations, {len(answers)} answers: {result.stdout[-300:]}")
        for operation, answer in zip(operations, answers):
            self.log += f"> {named or operation}\n{answer}.\n"
            self.machine.learn(answer)
        self.done += len(operations)
        return answers[-1].partition("\n")[0]

    def plug(self) -> None:
        """A DIMM of some blocks on some node."""
        self.plugged += 1
        name = f"dimm{self.plugged}"
        node = self.random.randrange(len(self.guest.layout.nodes))
        count = self.random.choice((1, 2, 3, 4, 8))
        self.guest.add_dimm(name, count * self.block_size, node, wait=False)
        dimm = Dimm(name, *self._dimms()[name])
        self.carry_out([f"present {dimm.first} {dimm.count}"], f"{self.adding} {dimm.first} {dimm.count} {node}")
        self.machine.dimms.append(dimm)

    def unplug(self) -> bool:
        """Takes a DIMM back, mostly with its blocks offline; False: the guest refuses, and what it did
        with the blocks meanwhile nobody can tell."""
        dimm = self.random.choice(self.machine.dimms)
        blocks = self.machine.blocks
        online = [number for number in dimm.blocks() if blocks[number].state == "online"]
        left_to_kernel = self.random.random() < 0.3 and all(blocks[n].zones == "Movable" for n in online)
        if online and not left_to_kernel:
            self.carry_out([f"state {number} offline" for number in online])
            if any(blocks[number].state == "online" for number in online):
                return True
        try:
            self.guest.remove_dimm(dimm.id, timeout=REMOVED_WITHIN)
        except GuestError:
            return False
        self.carry_out([f"absent {dimm.first} {dimm.count}"], f"remove {dimm.first} {dimm.count}")
        self.machine.dimms.remove(dimm)
        return True

    def grow(self) -> None:
        """Tells a virtio-mem device to plug some more."""
        device = self.random.choice(self.guest.layout.virtio_mem)
        size = self._virtio_size(device.id) + self.random.randrange(1, 3) * self.block_size
        self.guest.request_virtio_mem(device.id, size)
        self.carry_out(["unchanged 300"], "grow")

    def _virtio_size(self, name: str) -> int:
        return next(device["data"]["size"] for device in self.guest.qmp("query-memory-devices")
                    if device["data"]["id"] == name)

    def work(self, case: Case, operations: int) -> None:
        """So many operations, hardware in between: a DIMM comes at the beginning and one goes at the end."""
        settings = [f"set {setting}" for setting in case.settings]
        self.plug()
        while self.done < operations:
            # Under the policy that they are settings of; chance may have left it.
            if settings:
                self.carry_out(["set online_policy auto-movable", settings.pop(0)])
            self.carry_out(self.generator.batch(self.machine, self.random.randrange(self.batch // 4, self.batch)))
            for _ in range(self.random.randrange(3)):
                if case.grow and self.random.random() < 0.3:
                    self.grow()
                elif len(self.machine.dimms) < MOST_DIMMS and self.random.random() < 0.6:
                    self.plug()
                elif self.machine.dimms and not self.unplug():
                    return
        assert not settings, f"never came to {settings}"
        if self.machine.dimms:
            self.unplug()


def compare(build: Path, host: Path, log: Path) -> str:
    """What model_replay says; raises at a difference."""
    replay = subprocess.run([build / "bin/model_replay", host, log], text=True, capture_output=True, timeout=120)
    if replay.returncode != 0:
        raise AssertionError(f"{replay.stdout}{replay.stderr}(host {host}, log {log})")
    return replay.stdout


def compare_with_source(vm: Vm, host: Path, log: Path) -> str:
    """Compares the kernel's own code with what this kernel did, if its source is available."""
    runner = Path(__file__).resolve().parents[1] / "kernel_source/run"
    replay = subprocess.run([runner, "--build", vm.build, "--kernel", vm.kernel.name, "--replay", host, log], text=True,
                            capture_output=True, timeout=600)
    if replay.returncode != 0:
        raise AssertionError(f"{replay.stdout}{replay.stderr}(host {host}, log {log})")
    return replay.stdout


def run_guest(vm: Vm, name: str, seed: int, operations: int) -> tuple[int, str]:
    """Boots, works, compares; how many operations it came to, and what model_replay says of them."""
    label = f"model-{vm.kernel.name}-{name}-{seed}"
    with vm.guest(CASES[name].layout) as guest:
        host = vm.keep(f"{label}.tar", guest.capture())
        session = Session(guest, seed)
        try:
            session.work(CASES[name], operations)
        finally:
            log = vm.keep(f"{label}.log", session.log.encode())
    return session.done, compare(vm.build, host, log) + compare_with_source(vm, host, log)


def run_case(vm: Vm, name: str, seed: int, operations: int) -> str:
    """So many operations, in another guest where one had to end early."""
    said = ""
    while operations > 0:
        done, comparison = run_guest(vm, name, seed, operations)
        operations -= done
        seed += 1
        said += comparison
    return said


def tests() -> dict[str, Callable[[Vm], None]]:
    """A test a case."""

    def test_of(name: str, case: Case) -> Callable[[Vm], None]:
        def test(vm: Vm) -> None:
            run_case(vm, name, SEED, operations_of(vm.kernel.name))

        return on(*case.kernels)(test)

    return {name: test_of(name, case) for name, case in CASES.items()}


def main() -> int:
    """For a person who looks for differences, or into one."""
    parser = argparse.ArgumentParser(description="the kernel model against real kernels")
    parser.add_argument("--kernel", action="append", choices=[*KERNELS])
    parser.add_argument("--case", action="append", choices=[*CASES])
    parser.add_argument("--seed", type=int, help="default: another every time")
    parser.add_argument("--operations", type=int)
    parser.add_argument("--build", type=Path, default=Path(__file__).resolve().parents[2] / "build")
    arguments = parser.parse_args()
    seed = random.randrange(10**6) if arguments.seed is None else arguments.seed
    failed = 0
    for kernel_name in arguments.kernel or KERNELS:
        for name in arguments.case or CASES:
            if kernel_name not in CASES[name].kernels:
                continue
            operations = arguments.operations or operations_of(kernel_name)
            began = time.monotonic()
            print(f"{kernel_name} {name} --seed {seed}: ", end="", flush=True)
            try:
                said = run_case(Vm(name, kernel(kernel_name), arguments.build), name, seed, operations)
            except (AssertionError, GuestError) as error:
                said = f"FAILED: {error}"
                failed += 1
            print(f"{time.monotonic() - began:.1f} s: {said}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
