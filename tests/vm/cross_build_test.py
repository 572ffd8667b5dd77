# SPDX-License-Identifier: LGPL-2.1-or-later
"""memonline itself in a guest of another architecture, cross-built from this tree: status, plan, apply and undo on a
real kernel. It must also plan there as it does here from a capture of the guest."""
import json
from pathlib import Path
from typing import Any

import architectures_test
import cross_build
from architectures import of_kernel
from architectures_test import add_memory, kernels_of, layout
from guest import Guest
from harness import Skip, Vm, on
from kernels import Unavailable
from layouts_test import Blocks, differences, predicted

MACHINES = True  # run --architectures
POLICY = "hotplugged: last 50% movable, rest normal"


def programs(vm: Vm) -> dict[str, Path]:
    """memonline for the guest's architecture; skips without a root to build it in."""
    try:
        return cross_build.memonline(of_kernel(vm.kernel.name))
    except Unavailable as reason:
        raise Skip(str(reason)) from reason


@on(*kernels_of([*cross_build.TRIPLETS]))
def test_a_dimm_is_applied_and_undone(vm: Vm) -> None:
    """The zones are those of the plan, a second plan has no steps, and `undo` offlines what was onlined."""
    with vm.guest(layout(vm), programs(vm)) as guest:
        added = add_memory(vm, guest, "d0", 4)
        before = guest.blocks()
        apply(vm, guest)
        zones = [guest.blocks()[block][1] for block in added]
        assert zones == ["Normal"] * 2 + ["Movable"] * 2, zones
        undo(guest, before, added)


def plan(guest: Guest, path: str) -> dict[str, Any]:
    """The plan that memonline makes in the guest, also as a file there."""
    guest.run(f"memonline plan -e '{POLICY}' -o {path}", check=True)
    return json.loads(guest.get(path))


def apply(vm: Vm, guest: Guest) -> None:
    """status, plan, apply, and plan again."""
    status = guest.run(f"memonline status -e '{POLICY}' --format json")
    assert status.status == 3 and json.loads(status.stdout)["verdict"] == "drift", status
    assert "dimms_ignored_by" not in json.loads(status.stdout), status.stdout
    before, capture = guest.blocks(), guest.capture()
    wanted = plan(guest, "/tmp/plan.json")
    here = architectures_test.plan(vm, capture, POLICY)
    assert wanted["steps"] == here["steps"], f"planned there: {wanted['steps']}\n    here: {here['steps']}"
    assert wanted["host"]["fingerprint"] == here["host"]["fingerprint"], (wanted["host"], here["host"])
    applied = guest.run("memonline apply /tmp/plan.json", timeout=180)
    assert applied.status == 0, f"apply ended with {applied.status}: {applied.stdout}{applied.stderr}"
    wrong = differences(predicted(before, wanted["steps"]), guest.blocks())
    assert not wrong, "\n    ".join(wrong)
    again = plan(guest, "/tmp/again.json")["steps"]
    assert not again, f"planning again gives steps: {again}"
    status = guest.run(f"memonline status -e '{POLICY}' --format json", check=True)
    assert json.loads(status.stdout)["verdict"] == "as-desired", status.stdout


def undo(guest: Guest, before: Blocks, added: list[int]) -> None:
    """Movable memory goes offline again; a Normal block that the kernel uses already may stay online (status 64)."""
    undone = guest.run("memonline undo", timeout=180)
    assert undone.status in (0, 64), f"undo ended with {undone.status}: {undone.stdout}{undone.stderr}"
    states = [guest.blocks()[block][0] for block in added]
    assert states[2:] == ["offline"] * 2, states
    assert undone.status == 64 or states == ["offline"] * 4, states
    assert not differences({block: shown for block, shown in before.items() if block not in added},
                           {block: shown for block, shown in guest.blocks().items() if block not in added})
