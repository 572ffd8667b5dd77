# SPDX-License-Identifier: LGPL-2.1-or-later
"""`plan --add` says what becomes of memory to come; then it comes, and that is what becomes of it.

A guest of 1 GiB and a block, of which some 860 MiB are free: six DIMMs of 8 GiB can be described in it, the
seventh cannot, both by 40 MiB and more. The DIMMs are many times that: QEMU's memory costs the host nothing until
it is touched.
"""
import json
import os

from guest import Guest, GuestError, Layout, Node
from harness import Vm, on

KERNELS = ("6.1", "6.12", "7.2") if os.environ.get("MEMONLINE_VM_SLOW") else ("6.12",)
BLOCKS = "/sys/devices/system/memory"
SHARE = "each dimm: first 2 blocks normal, rest movable"
MOVABLE = "set hotplug = service\nhotplugged: movable"
IN_VAIN = 25.0  # seconds after which memory that has not come will not come


def layout(arguments: str) -> Layout:
    """All below 4 GiB, so that new memory begins its zones. The huge pages take what would bring what is free
    close to a multiple of what a DIMM needs: MemAvailable leaves out what the kernel keeps for emergencies, so
    that the forecast is allowed to be a little early there, and a test could not tell."""
    return Layout(nodes=(Node("1152M"),), below_4g=None, arguments=f"hugepages=40 {arguments}", slots=70,
                  maxmem="600G")


def forecast(guest: Guest, policy: str, request: str) -> dict:
    """The forecast on a snapshot of this guest as it is now."""
    guest.put("/tmp/to-come.mempolicy", policy.encode() + b"\n")
    guest.run("memonline capture -o /tmp/before.yaml", check=True)
    told = guest.run(f"memonline plan --root /tmp/before.yaml --policy /tmp/to-come.mempolicy "
                     f"--add {request} --format json", timeout=120)
    return json.loads(told.stdout)["forecast"]


def count(guest: Guest, online: bool) -> int:
    """Blocks that are there, or that are online."""
    command = f"cat {BLOCKS}/memory*/state | grep -c online" if online else f"ls -d {BLOCKS}/memory[0-9]* | wc -l"
    return int(guest.run(command).stdout)


def ends_at(guest: Guest, devices: int, gib: int, policy: str) -> int | None:
    """Adds DIMMs one after the other: at which the guest, or the add, fails. With a policy each is applied."""
    auto = "online" in guest.read(f"{BLOCKS}/auto_online_blocks")
    for number in range(1, devices + 1):
        try:
            wanted = count(guest, auto) + gib * 8
            guest.add_dimm(f"d{number}", f"{gib}G", wait=False)
            guest.wait_for(lambda: count(guest, auto) >= wanted, f"DIMM {number}", IN_VAIN)
            if policy:
                guest.run("memonline apply --policy /tmp/to-come.mempolicy", timeout=120, check=True)
        except (GuestError, ValueError):
            return number
    return None


@on(*KERNELS)
def test_the_kernel_alone_ends_at_the_seventh_dimm(vm: Vm) -> None:
    """64 DIMMs of 8 GiB, each onlined movable by the kernel: six of them. 6.1 finds what describes a seventh in
    what it keeps for emergencies and moves to the movable zone as that grows: the forecast is early there."""
    with vm.guest(layout("memhp_default_state=online_movable")) as guest:
        told = forecast(guest, "hotplugged: movable", "512GiB,dimm=8GiB")
        assert told["by"] == "kernel" and told["ends_at"] == 7, told
        assert {remedy["kind"] for remedy in told["remedies"]} >= {"slices", "boot_memory"}, told
        ended = ends_at(guest, 8, 8, "")
        assert ended in ((7, 8) if vm.kernel.name == "6.1" else (7,)), (ended, told)


@on(*KERNELS)
def test_a_share_for_the_kernel_fits(vm: Vm) -> None:
    """The same DIMMs with two blocks of each for the kernel: the seventh comes, and those after it."""
    with vm.guest(layout("memhp_default_state=offline")) as guest:
        assert forecast(guest, SHARE, "512GiB,dimm=8GiB")["fits"]
        assert forecast(guest, MOVABLE, "80GiB,dimm=8GiB")["ends_at"] == 7
        told = forecast(guest, SHARE, "80GiB,dimm=8GiB")
        assert told["fits"], told
        assert ends_at(guest, 10, 8, SHARE) is None
        found = {block: zone.split()[0] for block, (state, zone) in guest.blocks().items()
                 if state == "online" and block >= 32}
        for run in told["new_blocks"]:
            for block in range(run["blocks"][0], run["blocks"][1] + 1):
                assert found.pop(block) == run["zone"], (block, run)
        assert not found, found


@on(*KERNELS)
def test_one_large_dimm_fails(vm: Vm) -> None:
    """64 GiB at once, nothing onlined: no block appears."""
    with vm.guest(layout("memhp_default_state=offline")) as guest:
        told = forecast(guest, "hotplugged: offline", "64GiB")
        assert (told["ends_at"], told["remedies"] != []) == (1, True), told
        assert ends_at(guest, 1, 64, "") == 1


@on(*KERNELS)
def test_one_large_dimm_with_its_own_map(vm: Vm) -> None:
    """With memory_hotplug.memmap_on_memory=1 it comes where each block may hold its map (6.8), else it fails."""
    with vm.guest(layout("memhp_default_state=offline memory_hotplug.memmap_on_memory=1")) as guest:
        told = forecast(guest, MOVABLE, "64GiB")
        assert told["ends_at"] == (1 if vm.kernel.name == "6.1" else None), told
        assert ends_at(guest, 1, 64, MOVABLE) == told["ends_at"]
        if told["fits"]:
            states = list(guest.blocks().items())[-512:]
            assert all(zone == ("online", "Movable") for _, zone in states), states
