# SPDX-License-Identifier: LGPL-2.1-or-later
"""More memory than boot memory can describe: 512 GiB into a guest of 1 GiB, by the service, by a udev
rule and by the kernel itself. The memory map of 512 GiB is 8 GiB."""
import time

from guest import Guest, GuestError, Layout, Node
from harness import Vm, long, on
from hotplug_test import KNOB, POLICY, RHEL, expect, wait_for_service
from systemd_test import wait_until_up, zones

SYSTEMS = True

EACH = {POLICY: "each dimm: first 2 blocks normal, rest movable\n"}


def guest_of_1_gib(more_arguments: str = "") -> Layout:
    return Layout(nodes=(Node("1G", cpus=2),), below_4g="512M", maxmem="600G",
                  arguments=f"memhp_default_state=offline {more_arguments}")


@on("6.12")
def test_more_memory_than_boot_memory_can_describe(vm: Vm) -> None:
    """half_a_terabyte_in_64_dimms, as far as it takes to be lost without kernel memory in each DIMM."""
    with vm.system(guest_of_1_gib(), EACH) as guest:
        wait_for_service(guest)
        for number in range(9):
            expect(guest, guest.add_dimm(f"d{number}", "8G"), "NN" + "M" * 62, 120)
        assert "Out of memory" not in guest.run("dmesg").stdout


def ends_at(vm: Vm, files: dict[str, str], knob: str) -> str:
    """The same scenario without memonlined: the DIMM that is lost, and how."""
    with vm.system(guest_of_1_gib(), files) as guest:
        wait_until_up(guest)
        guest.run(f"systemctl disable --now memonlined; echo {knob} >{KNOB}; udevadm control --reload", timeout=120)
        total = int(guest.run("awk '/^MemTotal:/ {print $2}' /proc/meminfo", check=True).stdout)
        for number in range(64):
            wanted = total + (number + 1) * (8 << 20)
            try:
                guest.add_dimm(f"d{number}", "8G", wait=False)
                guest.run(f"(end=$(($(date +%s) + 120)); while read -r _ kb _ </proc/meminfo; [ $kb -lt {wanted} ];"
                          " do [ $(date +%s) -lt $end ] || exit 1; sleep 0.5; done)", timeout=180, check=True)
            except GuestError:
                try:
                    killed = guest.run("dmesg | grep -c 'Out of memory'", timeout=30).stdout.strip()
                    online = int(guest.run("awk '/^MemTotal:/ {print $2}' /proc/meminfo", timeout=30).stdout) - total
                    return f"ends at DIMM {number + 1}, with {online >> 20} GiB online, {killed} processes killed"
                except GuestError as lost:
                    return f"ends at DIMM {number + 1}, and the system with it: {lost}"[:160]
        return "all 64 DIMMs online"


def by_the_service(vm: Vm) -> str:
    """And with memonlined: every DIMM as planned."""
    with vm.system(guest_of_1_gib(), EACH) as guest:
        wait_for_service(guest)
        for number in range(64):
            expect(guest, guest.add_dimm(f"d{number}", "8G"), "NN" + "M" * 62, 120)
        assert "memonlined" in guest.run("ps -e").stdout
        assert offline(guest) == 0
        assert "Out of memory" not in guest.run("dmesg").stdout
    return "all 64 DIMMs online as planned, 0 processes killed"


@long
@on("6.1", "6.12", "7.2")
def test_half_a_terabyte_in_64_dimms(vm: Vm) -> None:
    """The scenario of README.md, "Blind to order", which a udev rule and the kernel's own onlining lose at the 7th DIMM: all
    three in one report, build/vm/scenario-KERNEL.txt."""
    rule = {"etc/udev/rules.d/40-memory.rules": RHEL.replace('"online"', '"online_movable"')}
    lines = [f"kernel {vm.kernel.name}, 1 GiB and 64 DIMMs of 8 GiB, one after the other",
             "memonlined, `each dimm: first 2 blocks normal, rest movable`: " + by_the_service(vm),
             "udev rule: " + ends_at(vm, rule, "offline"),
             "kernel's online_movable: " + ends_at(vm, {}, "online_movable")]
    vm.keep(f"scenario-{vm.kernel.name}.txt", ("\n".join(lines) + "\n").encode())
    print("\n".join(lines), flush=True)
    assert all("ends at DIMM" in line for line in lines[2:]), lines


def offline(guest: Guest) -> int:
    """How many blocks are offline."""
    return int(guest.run("cat /sys/devices/system/memory/memory*/state | grep -c offline", timeout=120).stdout)


def one_dimm(vm: Vm, gib: int, knob: str = "") -> tuple[int, float]:
    """One DIMM whose memory map is in itself: its blocks left offline when nothing moves any more, and the
    seconds it took. With `knob` the kernel onlines alone."""
    layout = guest_of_1_gib("memory_hotplug.memmap_on_memory=1")
    with vm.system(layout, {POLICY: "hotplugged: movable\n"}) as guest:
        wait_for_service(guest)
        if knob:
            guest.run(f"systemctl disable --now memonlined; echo {knob} >{KNOB}", check=True, timeout=150)
        before = guest.block_ids()
        began = time.monotonic()
        guest.add_dimm("d0", f"{gib}G", wait=False)
        left, still = -1, 0
        # The kernel adds and onlines under one lock; nothing new in a minute is the end of it.
        while left != 0 and still < 60 and time.monotonic() < began + 900:
            time.sleep(1)
            if len(guest.block_ids()) < len(before) + gib * 8:
                continue
            now = offline(guest)
            still = still + 1 if now == left else 0
            left = now
        took = time.monotonic() - began
        blocks = [block for block in guest.block_ids() if block not in before]
        assert len(blocks) == gib * 8, len(blocks)
        shown = zones(guest, blocks)
        assert set(shown) <= {"M", "."}, shown
        if not knob:
            assert "Out of memory" not in guest.run("dmesg").stdout
        return shown.count("."), took


@on("6.12", "7.2")
def test_one_dimm_with_its_memory_map_in_itself(vm: Vm) -> None:
    """half_a_terabyte_in_one_dimm, of a size that the memory map still makes more than the guest has."""
    left, _ = one_dimm(vm, 64)
    assert left == 0, f"{left} of 512 blocks are offline"


@long
@on("6.12", "7.2")
def test_half_a_terabyte_in_one_dimm(vm: Vm) -> None:
    """All 4,096 blocks, beside what the kernel does alone; in one report: build/vm/one-dimm-KERNEL.txt."""
    ours, took = one_dimm(vm, 512)
    lines = [f"kernel {vm.kernel.name}, 1 GiB and one DIMM of 512 GiB, memmap_on_memory=1: blocks of 4096 online",
             f"memonlined: {4096 - ours} after {took:.0f} s"]
    print("\n".join(lines), flush=True)
    assert ours == 0, f"{ours} of 4096 blocks are offline"
    try:
        alone, took = one_dimm(vm, 512, "online_movable")
        lines.append(f"kernel's online_movable: {4096 - alone} after {took:.0f} s")
    except GuestError as error:
        lines.append(f"kernel's online_movable: the system is lost: {error}"[:160])
    vm.keep(f"one-dimm-{vm.kernel.name}.txt", ("\n".join(lines) + "\n").encode())
    print(lines[-1], flush=True)
