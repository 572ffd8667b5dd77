# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plans carried out on real kernels: every block is in the zone that the plan's JSON predicted."""
import json
from typing import Any

from guest import Dimm, Guest, Layout
from harness import Test, Vm
from layouts import CASES, Case

POLICY = "/tmp/50-test.mempolicy"
SET = 'cd /sys/devices/system/memory; write() { echo "$2" >"memory$1/state"; }; '

Blocks = dict[int, tuple[str, str]]


def plan(guest: Guest, path: str = "/tmp/plan.json") -> dict[str, Any]:
    """The plan for the guest as it is."""
    guest.run(f"memonline plan --policy {POLICY} -o {path}", check=True)
    return json.loads(guest.get(path))


def predicted(before: Blocks, steps: list[dict[str, Any]]) -> Blocks:
    """What the blocks are once `steps` are done, by what they say."""
    after = dict(before)
    for step in steps:
        if step["action"] not in ("online", "offline"):
            continue
        low, high = sorted(step["blocks"])
        for block in range(low, high + 1):
            after[block] = ("online", step["zone"]) if step["action"] == "online" else ("offline", "")
    return after


def differences(expected: Blocks, found: Blocks) -> list[str]:
    """Each block that is not as expected; where an offline one could go changes with its neighbors."""
    wrong = []
    for block in sorted({*expected, *found}):
        wanted, real = expected.get(block), found.get(block)
        same = wanted and real and wanted[0] == real[0] and (wanted[0] == "offline" or wanted[1] == real[1])
        if not same:
            wrong.append(f"memory{block}: predicted {wanted}, the kernel says {real}")
    return wrong


def prepare(guest: Guest, case: Case) -> None:
    """Brings the guest to where the plan begins."""
    for dimm in case.later:
        guest.add_dimm(dimm.id, dimm.size, dimm.node)
    if case.blocks:
        guest.wait_for(lambda: len(guest.block_ids()) >= case.blocks, f"{case.blocks} blocks")
    if case.before:
        guest.run(SET + case.before, check=True)
    guest.put(POLICY, case.policy.encode() + b"\n")


def check(vm: Vm, name: str, case: Case) -> None:
    """Plans, applies, compares, and plans and applies again."""
    kept = vm.kernel.name in case.kept
    host = f"{vm.kernel.name}-vm-{name.replace('_', '-')}"
    with vm.guest(case.layout) as guest:
        prepare(guest, case)
        before = guest.blocks()
        if kept:
            vm.keep_host(guest, f"{host}-before", f"{name}: before `{case.policy}`")
        wanted = plan(guest)
        assert any(step["action"] == "online" for step in wanted["steps"]), "the plan onlines nothing"
        applied = guest.run("memonline apply /tmp/plan.json", timeout=180)
        wrong = differences(predicted(before, wanted["steps"]), guest.blocks())
        assert not wrong, "\n    ".join([*wrong, f"apply ended with {applied.status}:", applied.stdout, applied.stderr])
        assert applied.status == 0, f"apply ended with {applied.status}: {applied.stdout}{applied.stderr}"
        again = plan(guest, "/tmp/again.json")["steps"]
        assert not again, f"planning again gives steps: {again}"
        repeated = guest.run("memonline apply /tmp/plan.json")
        assert repeated.status == 0, f"applying again ended with {repeated.status}: {repeated.stderr}"
        assert "already" in repeated.stdout + repeated.stderr, repeated.stdout + repeated.stderr
        if kept:
            vm.keep_host(guest, f"{host}-after", f"{name}: after `{case.policy}`")


def tests() -> dict[str, Test]:
    """One test a case."""
    return {name: lambda vm, name=name, case=case: check(vm, name, case) for name, case in CASES.items()}


def test_memory_added_later_comes_as_the_plan_says(vm: Vm) -> None:
    """What the plan leaves to the kernel, the kernel does the same way."""
    with vm.guest(Layout(dimms=(Dimm("d0", "256M"),))) as guest:
        guest.put(POLICY, b"hotplugged: rest movable\n")
        wanted = plan(guest)
        guest.run("memonline apply /tmp/plan.json", check=True)
        added = guest.add_dimm("d1", "512M")
        lowered = wanted["hotplug"]["by"] == "kernel"
        assert lowered, wanted["hotplug"]
        guest.wait_for(lambda: all(guest.blocks()[block] == ("online", "Movable") for block in added),
                       "the kernel to online what was added in Movable")
        assert not plan(guest, "/tmp/again.json")["steps"]


def test_the_online_attribute_is_not_fallen_for(vm: Vm) -> None:
    """`online_movable` written into `online` means `online`, and lands in Normal; `state` obeys."""
    with vm.guest(Layout(dimms=(Dimm("d0", "256M"),))) as guest:
        guest.run("echo online_movable >/sys/devices/system/memory/memory40/online", check=True)
        assert guest.blocks()[40] == ("online", "Normal")
        guest.run("echo offline >/sys/devices/system/memory/memory40/state", check=True)
        guest.put(POLICY, b"hotplugged: rest movable\n")
        plan(guest)
        guest.run("memonline apply /tmp/plan.json", check=True)
        assert {guest.blocks()[block] for block in (40, 41)} == {("online", "Movable")}
