# SPDX-License-Identifier: LGPL-2.1-or-later
"""Volatile memory on an emulated CXL card: from the bare card to blocks online as a policy says, and back.

The guest is an amd64 machine, so memonline runs in it. The card's memory becomes region0, dax0.0 and, by the driver
kmem, blocks of a node without processors.
"""
import json
import re

from architectures import ARCHITECTURES, CXL_SIZE
from guest import Guest
from hardware import Layout, Node, size_of
from harness import Vm, long, on
from kernels import CXL_MODULES
from layouts_test import differences, predicted
from reports import FAILURE, report, states

MACHINES = True  # run --architectures
KERNELS = ARCHITECTURES["cxl"].kernels
POLICY = "/tmp/50-cxl.mempolicy"
CYCLES, MANY_CYCLES = 5, 100
# What a cycle may leave behind, in KiB, once the first has filled the caches: far less than a block's memory map.
LEAK_PER_CYCLE = 64

# What an administrator without the tool `cxl` writes, in this order (Documentation/ABI/testing/sysfs-bus-cxl).
REGION = f"""set -e
for module in {' '.join(CXL_MODULES)}; do insmod /modules/$module.ko; done
cd /sys/bus/cxl/devices
for try in $(seq 100); do [ ! -e endpoint2/decoder2.0 ] || break; sleep 0.1; done
region=$(cat decoder0.0/create_ram_region)
echo $region >decoder0.0/create_ram_region
echo 256 >$region/interleave_granularity
echo 1 >$region/interleave_ways
echo {size_of(CXL_SIZE)} >$region/size
echo ram >decoder2.0/mode
echo {size_of(CXL_SIZE)} >decoder2.0/dpa_size
echo decoder2.0 >$region/target0
echo 1 >$region/commit
echo $region >/sys/bus/cxl/drivers/cxl_region/bind
"""


def layout(arguments: str = "memhp_default_state=offline") -> Layout:
    """One node; the card's memory is of another."""
    return Layout(nodes=(Node("1G"),), below_4g=None, slots=4, maxmem="8G", arguments=arguments)


def make_region(guest: Guest) -> list[int]:
    """Has the card's memory become blocks; their numbers."""
    before = set(guest.block_ids())
    assert not guest.run("ls /sys/bus/dax/devices 2>/dev/null").stdout.strip(), "the card is not bare"
    guest.run(REGION, check=True, timeout=120)
    return new_blocks(guest, before)


def new_blocks(guest: Guest, before: set[int]) -> list[int]:
    """The blocks of the card, once they are all there."""
    wanted = size_of(CXL_SIZE) // guest.block_size()
    guest.wait_for(lambda: len(set(guest.block_ids()) - before) >= wanted, "the card's blocks")
    return sorted(set(guest.block_ids()) - before)


def apply(guest: Guest, policy: str) -> None:
    """Plans, applies, compares, and plans again."""
    guest.put(POLICY, policy.encode() + b"\n")
    guest.run(f"memonline plan --policy {POLICY} -o /tmp/plan.json", check=True)
    steps = json.loads(guest.get("/tmp/plan.json"))["steps"]
    assert any(step["action"] == "online" for step in steps), f"the plan onlines nothing: {steps}"
    before = guest.blocks()
    guest.run("memonline apply /tmp/plan.json", check=True, timeout=120)
    wrong = differences(predicted(before, steps), guest.blocks())
    assert not wrong, "\n    ".join(wrong)
    again = json.loads(guest.run(f"memonline plan --policy {POLICY} --json", check=True).stdout)["steps"]
    assert not again, f"planning again gives steps: {again}"


@on(*KERNELS)
def test_a_bare_card_comes_online_by_policy(vm: Vm) -> None:
    """The upper half Movable, the rest Normal, on a node of its own; both hosts are kept."""
    policy = "dax: last 50% movable, rest normal"
    host = f"{vm.kernel.name.partition('-')[0]}-vm-cxl"
    with vm.guest(layout()) as guest:
        added = make_region(guest)
        assert {guest.blocks()[block] for block in added} == {("offline", "Normal Movable")}, guest.blocks()
        assert guest.run(f"ls -d /sys/devices/system/memory/memory{added[0]}/node1").status == 0, "not on node 1"
        shown = guest.run("memonline status", check=True).stdout
        assert re.search(rf"^memory{added[0]}\.\.{added[-1]} .* dax0\.0", shown, re.MULTILINE), shown
        vm.keep_host(guest, f"{host}-before", f"cxl: before `{policy}`")
        apply(guest, policy)
        zones = [guest.blocks()[block] for block in added]
        assert zones == [("online", "Normal")] * 2 + [("online", "Movable")] * 2, zones
        vm.keep_host(guest, f"{host}-after", f"cxl: after `{policy}`")


@on(*KERNELS)
def test_another_writer_is_reported_as_drift(vm: Vm) -> None:
    """A block onlined to the other zone between plan and apply: refused by `apply PLAN`, drift for `status`."""
    with vm.guest(layout()) as guest:
        added = make_region(guest)
        guest.put(POLICY, b"dax: movable\n")
        guest.run(f"memonline plan --policy {POLICY} -o /tmp/plan.json", check=True)
        guest.run(f"echo online_kernel >/sys/devices/system/memory/memory{added[1]}/state", check=True)
        refused = report(guest, "memonline apply /tmp/plan.json")
        assert (refused["exit_status"], refused["diagnostics"][0]["code"]) == (FAILURE, "ML0762"), refused
        assert refused["diagnostics"][0]["notes"] == [f"memory{added[1]} was offline, is online in Normal"], refused
        assert states(guest, added) == [("offline", ""), ("online", "Normal"), *[("offline", "")] * 2]
        status = guest.run(f"memonline status --policy {POLICY}")
        drift = [line for line in status.stdout.splitlines() if line.endswith(" drift")]
        assert status.status == 3 and any(re.match(rf"memory{added[1]} .*online  Normal .* dax0\.0 ", line)
                                          for line in drift), status
        # What is offline still follows the policy; the block of another process stays.
        guest.run(f"memonline apply --policy {POLICY}")
        assert states(guest, added) == [("online", zone) for zone in ("Movable", "Normal", "Movable", "Movable")]


@on(*KERNELS)
def test_a_forecast_comes_true(vm: Vm) -> None:
    """`plan --add` predicts in which zone the card's memory will be; then it is bound, and it is there."""
    with vm.guest(layout()) as guest:
        before = set(guest.block_ids())
        make_region(guest)
        # The kernel zone last: the kernel takes pages from it at once, and the device stays.
        for setting in ("offline", "online_movable", "online"):
            unbind(guest, before)
            guest.run(f"echo {setting} >/sys/devices/system/memory/auto_online_blocks", check=True)
            shown = guest.run(f"memonline plan -e 'all: keep' --add {CXL_SIZE}iB@node1 --json", check=True).stdout
            forecast = json.loads(shown)["forecast"]
            zones = {run["zone"] for run in forecast["new_blocks"]}
            added = bind(guest, before)
            blocks = guest.blocks()
            found = {blocks[block][1] if blocks[block][0] == "online" else None for block in added}
            assert found == zones and len(zones) == 1, f"{setting}: predicted {zones}, the kernel has {found}"


@on(*KERNELS)
def test_a_rule_makes_the_card_system_ram(vm: Vm) -> None:
    """A device without a driver is bound and onlined in one apply, and released by an undo."""
    policy = "dax0.0 system-ram: last 50% movable, rest offline"
    driver = "/sys/bus/dax/devices/dax0.0/driver"
    with vm.guest(layout()) as guest:
        before = set(guest.block_ids())
        added = make_region(guest)
        unbind(guest, before)
        assert "dax0.0 is not system RAM (no driver)" in guest.run("memonline status", check=True).stdout
        guest.put(POLICY, policy.encode() + b"\n")
        for setting in ("offline", "online", "online_movable"):
            guest.run(f"echo {setting} >/sys/devices/system/memory/auto_online_blocks", check=True)
            guest.run(f"memonline plan --policy {POLICY} -o /tmp/plan.json", check=True)
            steps = json.loads(guest.get("/tmp/plan.json"))["steps"]
            assert [step["action"] for step in steps if step["action"] != "set"] == ["bind", "online"], steps
            # Killed at some point, before or after the device is bound: the second run ends as one run does.
            pause = {"offline": 0, "online": 0.05, "online_movable": 0.15}[setting]
            guest.run(f"memonline apply /tmp/plan.json >/dev/null 2>&1 & sleep {pause}; kill -9 $!; wait", timeout=120)
            guest.run("memonline apply /tmp/plan.json", check=True, timeout=120)
            assert states(guest, added) == [("offline", "")] * 2 + [("online", "Movable")] * 2
            again = json.loads(guest.run(f"memonline plan --policy {POLICY} --json", check=True).stdout)["steps"]
            assert not again, f"planning again gives steps: {again}"
            assert guest.read("/sys/devices/system/memory/auto_online_blocks").strip() == setting
            guest.run("memonline undo", check=True, timeout=120)
            assert set(guest.block_ids()) == before and guest.run(f"test -e {driver}").status == 1
        guest.run("memonline plan -e 'dax system-ram: normal' --format shell >/tmp/plan.sh && sh /tmp/plan.sh", check=True, timeout=120)
        assert states(guest, added) == [("online", "Normal")] * 4


@on(*KERNELS)
def test_the_card_is_released(vm: Vm) -> None:
    """--release unbinds it after all of it is offline, an undo brings it back; a pinned page keeps all as it was."""
    driver = "/sys/bus/dax/devices/dax0.0/driver"
    with vm.guest(layout()) as guest:
        before = set(guest.block_ids())
        added = make_region(guest)
        apply(guest, "dax: movable")
        online = states(guest, added)
        guest.run("memonline plan --unplug dax0.0 --release -o /tmp/plan.json", check=True)
        steps = json.loads(guest.get("/tmp/plan.json"))["steps"]
        assert [step["action"] for step in steps][-1] == "unbind" and len(steps) < 5, steps
        guest.run("pin 1 >/tmp/pin 2>&1 & echo $! >/tmp/pid; while ! grep -q pinned /tmp/pin; do sleep 0.05; done",
                  check=True)
        assert guest.run("memonline apply /tmp/plan.json --deadline 2s", timeout=120).status != 0
        assert states(guest, added) == online and guest.run(f"test -e {driver}").status == 0
        guest.run("kill $(cat /tmp/pid)", check=True)
        for pause in (0.05, 0.4):
            guest.run(f"memonline apply /tmp/plan.json >/dev/null 2>&1 & sleep {pause}; kill -9 $!; wait", timeout=120)
        guest.run("memonline apply /tmp/plan.json", check=True, timeout=120)
        assert set(guest.block_ids()) == before and guest.run(f"test -e {driver}").status == 1
        guest.run("memonline undo", check=True, timeout=120)
        assert states(guest, added) == online, (online, states(guest, added))


def bind(guest: Guest, before: set[int]) -> list[int]:
    """Has the driver kmem take the device; its blocks."""
    guest.run("echo dax0.0 >/sys/bus/dax/drivers/kmem/bind", check=True)
    return new_blocks(guest, before)


def unbind(guest: Guest, before: set[int]) -> None:
    """Takes the device from its driver, which removes the blocks if all are offline."""
    for block in sorted(set(guest.block_ids()) - before):
        guest.run(f"cd /sys/devices/system/memory/memory{block}; grep -q offline state || echo offline >state", check=True)
    guest.run("echo dax0.0 >/sys/bus/dax/drivers/kmem/unbind", check=True)
    guest.wait_for(lambda: set(guest.block_ids()) == before, "the card's blocks to go")


def used(guest: Guest) -> dict[str, int]:
    """KiB of what a driver could leak."""
    guest.run("sync; echo 3 >/proc/sys/vm/drop_caches", check=True)
    shown = dict(re.findall(r"^(\w+): +(\d+) kB$", guest.read("/proc/meminfo"), re.MULTILINE))
    return {name: int(shown[name]) for name in ("MemTotal", "MemFree", "SUnreclaim", "KernelStack", "PageTables")}


def check_cycles(vm: Vm, cycles: int) -> None:
    """Bound, online by policy, offline, unbound: again and again, and nothing is left behind."""
    with vm.guest(layout()) as guest:
        before = set(guest.block_ids())
        added = make_region(guest)
        seen = []
        for number in range(cycles):
            if number:
                assert bind(guest, before) == added
            apply(guest, "dax: movable")
            assert {guest.blocks()[block] for block in added} == {("online", "Movable")}
            guest.run("memonline apply -e 'set rezone = allowed; dax: offline'", check=True, timeout=120)
            unbind(guest, before)
            seen.append(used(guest))
        first, last = seen[1], seen[-1]
        assert last["MemTotal"] == first["MemTotal"], seen
        leaked = {name: abs(last[name] - first[name]) for name in first}
        assert all(kib <= 1024 + LEAK_PER_CYCLE * cycles for kib in leaked.values()), (leaked, seen)


@on(*KERNELS)
def test_a_card_comes_and_goes(vm: Vm) -> None:
    """A few times."""
    check_cycles(vm, CYCLES)


@long
@on(*KERNELS)
def test_a_card_comes_and_goes_100_times(vm: Vm) -> None:
    """Often."""
    check_cycles(vm, MANY_CYCLES)
