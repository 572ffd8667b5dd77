# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plans on kernels of other architectures: made on this machine from a capture, carried out in the guest by its shell.

`memonline plan --format shell` writes a script that needs only sh. Every block must then be in the zone that the plan's
JSON predicted, and a plan from a second capture must have no steps. `apply` runs in cross_build_test.py, the service on amd64 only.
"""
import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from architectures import ARCHITECTURES, Architecture, of_kernel
from guest import Guest, GuestError
from hardware import Layout, Node
from harness import Vm, on
from layouts_test import differences, predicted

MACHINES = True  # run --architectures
BLOCKS = "/sys/devices/system/memory"
OFFLINE = "memhp_default_state=offline"
WITH_DIMMS = [name for name, one in ARCHITECTURES.items() if one.dimms]
FOREIGN = [name for name, one in ARCHITECTURES.items() if one.foreign]


def kernels_of(names: list[str]) -> list[str]:
    """The kernels of these architectures."""
    return [kernel for name in names for kernel in ARCHITECTURES[name].kernels]


def of(vm: Vm) -> Architecture:
    """The architecture of the test's kernel."""
    return ARCHITECTURES[of_kernel(vm.kernel.name)]


def layout(vm: Vm, arguments: str = OFFLINE) -> Layout:
    """A guest with one node and slots for DIMMs."""
    return Layout(nodes=(Node(of(vm).boot_memory),), below_4g=None, slots=16, maxmem="32G", arguments=arguments)


def as_added(vm: Vm) -> str:
    """The kernel parameter with which added memory can be offlined again: DLPAR onlines it in any case."""
    return "memhp_default_state=online_movable" if of(vm).source == "dlpar" else OFFLINE


def memonline(vm: Vm, capture: bytes, *words: str) -> str:
    """What memonline on this machine says of a captured guest."""
    with tempfile.TemporaryDirectory() as scratch:
        host = Path(scratch) / "host.tar"
        host.write_bytes(capture)
        done = subprocess.run([vm.build / "bin/memonline", *words, "--root", host], text=True, capture_output=True,
                              timeout=120, check=False)
    assert done.returncode == 0, f"memonline {' '.join(words)} ended with {done.returncode}: {done.stderr}"
    return done.stdout


def plan(vm: Vm, capture: bytes, policy: str, *words: str) -> dict[str, Any]:
    """The plan for a captured guest."""
    return json.loads(memonline(vm, capture, "plan", "-e", policy, "--format", "json", *words))


def carry_out(vm: Vm, guest: Guest, capture: bytes, policy: str) -> None:
    """Has the guest's shell do the plan."""
    guest.put("/tmp/plan.sh", memonline(vm, capture, "plan", "-e", policy, "--format", "shell").encode())
    done = guest.run("sh /tmp/plan.sh", timeout=120)
    assert done.status == 0, f"the script ended with {done.status}: {done.stdout}{done.stderr}"


def plan_and_do(vm: Vm, guest: Guest, policy: str, kept: str = "") -> dict[str, Any]:
    """Plans, does it, compares the zones, plans again; the first plan. `kept`: keeps both hosts by this name."""
    capture, before = guest.capture(), guest.blocks()
    wanted = plan(vm, capture, policy)
    assert any(step["action"] in ("online", "offline") for step in wanted["steps"]), f"nothing to do: {wanted}"
    if kept:
        vm.keep_host(guest, f"{kept}-before", f"{kept}: before `{policy}`")
    carry_out(vm, guest, capture, policy)
    wrong = differences(predicted(before, wanted["steps"]), guest.blocks())
    assert not wrong, "\n    ".join(wrong)
    again = plan(vm, guest.capture(), policy)["steps"]
    assert not again, f"planning again gives steps: {again}"
    if kept:
        vm.keep_host(guest, f"{kept}-after", f"{kept}: after `{policy}`")
    return wanted


def add_memory(vm: Vm, guest: Guest, name: str, blocks: int) -> list[int]:
    """Plugs a DIMM of so many blocks."""
    return guest.add_dimm(name, blocks * of(vm).block)


@on(*kernels_of(WITH_DIMMS))
def test_a_dimm_is_split(vm: Vm) -> None:
    """Half of what was added becomes Movable. DLPAR has onlined all of it by then, as the kernel parameter says."""
    policy = "hotplugged: last 50% movable, rest normal"
    with vm.guest(layout(vm, as_added(vm))) as guest:
        added = add_memory(vm, guest, "d0", 4)
        states = {guest.blocks()[block] for block in added}
        if of(vm).source == "dlpar":
            assert states == {("online", "Movable")}, states
            policy = f"set rezone = allowed\n{policy}"
        else:
            assert states == {("offline", "Normal Movable")}, states
        plan_and_do(vm, guest, policy, f"{vm.kernel.name}-vm-split")
        zones = [guest.blocks()[block][1] for block in added]
        assert zones == ["Normal"] * 2 + ["Movable"] * 2, zones


@on(*kernels_of(WITH_DIMMS))
def test_a_forecast_comes_true(vm: Vm) -> None:
    """`plan --add` predicts in which zones a DIMM's blocks will be; then it comes, and they are."""
    for setting in ("offline", "online", "online_movable"):
        check_forecast(vm, setting)


def check_forecast(vm: Vm, setting: str) -> None:
    """One guest for each setting of auto_online_blocks, as a kernel parameter."""
    size = 4 * of(vm).block
    with vm.guest(layout(vm, f"memhp_default_state={setting}")) as guest:
        forecast = plan(vm, guest.capture(), "all: keep", "--add", f"{size >> 20}MiB")["forecast"]
        assert forecast["fits"] and forecast["source"] == of(vm).source, forecast
        expected = [run["zone"] for run in forecast["new_blocks"]
                    for _ in range(run["blocks"][0], run["blocks"][1] + 1)]
        added = add_memory(vm, guest, "d0", 4)
        if expected[0]:
            guest.wait_for(lambda: all(guest.blocks()[block][0] == "online" for block in added), "them to be online")
        blocks = guest.blocks()
        found = [blocks[block][1] if blocks[block][0] == "online" else None for block in added]
        assert found == expected, f"{setting}: predicted {expected}, the kernel has {found}"


@on(*kernels_of(WITH_DIMMS))
def test_online_three_ways_offline_and_unplug(vm: Vm) -> None:
    """Each word puts a block where it should; what is Movable can be offlined by plan, and QEMU takes the DIMM."""
    with vm.guest(layout(vm, as_added(vm))) as guest:
        added, taken = add_memory(vm, guest, "d0", 4), add_memory(vm, guest, "d1", 2)
        offline(guest, [*added, *taken])
        # The words for Movable first: the kernel takes pages for itself from a Normal block at once.
        words = ("online_movable", "online_movable", "online_kernel", "online")
        for block, word in zip((*taken, *added[:2]), words, strict=True):
            guest.run(f"echo {word} >{BLOCKS}/memory{block}/state", check=True)
        zones = [guest.blocks()[block][1] for block in (*taken, *added[:2])]
        assert zones == ["Movable", "Movable", "Normal", "Normal"], zones
        script = memonline(vm, guest.capture(), "plan", "--unplug", f"memory{taken[0]}-{taken[-1]}", "--format", "shell")
        guest.put("/tmp/unplug.sh", script.encode())
        guest.run("sh /tmp/unplug.sh", check=True)
        assert [guest.blocks()[block][0] for block in taken] == ["offline"] * 2, guest.blocks()
        guest.remove_dimm("d1")
        assert not set(taken) & set(guest.block_ids()), guest.block_ids()


def offline(guest: Guest, blocks: list[int]) -> None:
    """What DLPAR has onlined goes offline again."""
    for block in blocks:
        guest.run(f"cd {BLOCKS}/memory{block} && {{ grep -q offline state || echo offline >state; }}", check=True)


@on(*kernels_of(["ppc64le"]))
def test_dlpar_follows_the_setting(vm: Vm) -> None:
    """With online_movable it onlines in Movable, and a policy that says so has nothing to do, now and later."""
    with vm.guest(layout(vm)) as guest:
        capture = guest.capture()
        hotplug = plan(vm, capture, "hotplugged: movable")["hotplug"]
        assert hotplug["by"] == "kernel" and hotplug["knobs"] == {"auto_online_blocks": "online_movable"}, hotplug
        carry_out(vm, guest, capture, "hotplugged: movable")
        guest.run(f"echo online_movable >{BLOCKS}/auto_online_blocks", check=True)
        added = add_memory(vm, guest, "d0", 4)
        assert {guest.blocks()[block] for block in added} == {("online", "Movable")}, guest.blocks()
        again = plan(vm, guest.capture(), "hotplugged: movable")
        assert not again["steps"] and again["verdict"] == "as-desired", again


@on(*kernels_of(["s390x"]))
def test_boot_blocks_of_s390x_move(vm: Vm) -> None:
    """A boot block goes offline and comes back in Movable: the only memory that a guest of s390x has."""
    policy = "set rezone = allowed\nblock {}: movable"
    with vm.guest(layout(vm)) as guest:
        assert not [block for block, shown in guest.blocks().items() if shown != ("online", "DMA")], guest.blocks()
        block = movable_block(guest)
        plan_and_do(vm, guest, policy.format(block), f"{vm.kernel.name}-vm-boot-block")
        assert guest.blocks()[block] == ("online", "Movable")


def movable_block(guest: Guest) -> int:
    """A boot block that can be offlined: which, depends on what the kernel put where. It is online again."""
    for block in reversed(guest.block_ids()):
        path = f"{BLOCKS}/memory{block}/state"
        if guest.run(f"echo offline >{path} && echo online >{path}").status == 0:
            return block
    raise GuestError("no block can be offlined")


def present(guest: Guest, page: int) -> dict[str, int]:
    """Bytes present of each zone of node 0, without empty ones."""
    zones = re.findall(r"^Node 0, zone +(\w+)\n(?: .*\n)*? +present +(\d+)$", guest.read("/proc/zoneinfo"), re.MULTILINE)
    return {zone: int(pages) * page for zone, pages in zones if int(pages)}


@on(*kernels_of(FOREIGN))
def test_boot_parameters_come_true(vm: Vm) -> None:
    """A kernel booted with the parameters of a plan has the zones that the plan predicts."""
    policy = "boot: last 50% movable, rest normal"
    with vm.guest(layout(vm)) as guest:
        wanted = plan(vm, guest.capture(), policy)
    page = next(int(fact.split()[1]) for fact in wanted["host"]["facts"] if fact.startswith("page-size "))
    assert wanted["boot"]["set"], wanted["boot"]
    predicted_zones = wanted["boot"]["nodes"][0]["predicted"]
    with vm.guest(layout(vm, f"{OFFLINE} {' '.join(wanted['boot']['set'])}")) as guest:
        assert present(guest, page) == predicted_zones, (wanted["boot"], present(guest, page))


@on("7.2-arm64-generic")
def test_ignored_dimms_are_reported(vm: Vm) -> None:
    """ACPI says that the DIMM is there, the kernel adds no block, and `status` names the cause."""
    with vm.guest(layout(vm)) as guest:
        before = guest.blocks()
        guest.add_dimm("d0", of(vm).block, wait=False)
        guest.wait_for(lambda: "15" in guest.read("/sys/bus/acpi/devices/PNP0C80:00/status"), "a DIMM in the first slot")
        assert guest.blocks() == before, guest.blocks()
        capture = guest.capture()
        status = json.loads(memonline(vm, capture, "status", "--format", "json"))
        assert status["dimms_ignored_by"] == "CONFIG_ACPI_HOTPLUG_MEMORY", status
        text = memonline(vm, capture, "status")
        assert re.search(r"^Hot-added DIMMs are ignored: .*linux-image-cloud-arm64", text, re.MULTILINE), text
        vm.keep_host(guest, "7.2-arm64-vm-ignores-dimms", "a DIMM was added, and Debian's generic kernel ignores it")


@on(*kernels_of(["arm64"]))
def test_arm64_keeps_its_boot_memory(vm: Vm) -> None:
    """The kernel refuses to offline it (EPERM); the plan does not try."""
    with vm.guest(layout(vm)) as guest:
        tried = [guest.run(f"echo offline >{BLOCKS}/memory{block}/state").stderr for block in guest.block_ids()]
        assert any("not permitted" in message for message in tried), tried
        assert {state for state, _ in guest.blocks().values()} == {"online"}
        wanted = plan(vm, guest.capture(), "set rezone = allowed\nboot: last 50% movable, rest normal")
        assert not wanted["steps"] and wanted["remaining"], wanted
