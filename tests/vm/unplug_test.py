# SPDX-License-Identifier: LGPL-2.1-or-later
"""`plan --unplug`, `apply`, and then the device really taken out, on real kernels."""
import time

from reports import DONE, findings, report, states
from guest import Dimm, Layout, Node
from harness import Vm, on

LAYOUT = Layout(nodes=(Node("1G"), Node(0, cpus=0)), dimms=(Dimm("d0", "256M"), Dimm("d1", "512M", node=1)))
D1 = list(range(42, 46))


@on("5.10", "6.12")
def test_a_dimm_of_ours_is_unplugged(vm: Vm) -> None:
    """All its blocks go offline by the plan, in a file, and device_del succeeds."""
    with vm.guest(LAYOUT) as guest:
        guest.run("memonline apply -e 'hotplugged: movable'", check=True)
        name = guest.run("memonline status | awk '$1 ~ /memory42/ { print $NF }'", check=True).stdout.strip()
        assert name.startswith("dimm"), name
        guest.run(f"memonline plan --unplug {name} -o /tmp/plan.json", check=True)
        applied = report(guest, "memonline apply /tmp/plan.json --deadline 10s")
        assert (applied["result"], applied["exit_status"]) == ("complete", DONE), applied
        assert states(guest, D1) == [("offline", "")] * 4
        guest.remove_dimm("d1")
        assert not set(D1) & set(guest.blocks()), guest.blocks()
        assert states(guest, [40, 41]) == [("online", "Movable")] * 2


@on("5.10", "6.12")
def test_a_pinned_page_leaves_everything_as_it_was(vm: Vm) -> None:
    """It ends at the deadline, and what went offline before is online again in its zone."""
    with vm.guest(LAYOUT) as guest:
        guest.run("memonline apply -e 'hotplugged: movable'", check=True)
        guest.run("pin 1 >/tmp/pin 2>&1 & while ! grep -q pinned /tmp/pin; do sleep 0.05; done", check=True)
        before = guest.blocks()
        guest.run("memonline plan --unplug 512MiB@node1 -o /tmp/plan.json", check=True)
        began = time.monotonic()
        failed = report(guest, "memonline apply /tmp/plan.json --deadline 2s")
        assert time.monotonic() - began < 30
        assert failed["exit_status"] != DONE, failed
        outcomes = {f["outcome"] for f in findings(failed)}
        assert "deadline" in outcomes and outcomes <= {"deadline", "taken-back", "not-tried"}, failed
        assert guest.blocks() == before, (before, guest.blocks())
