# SPDX-License-Identifier: LGPL-2.1-or-later
"""What must go offline, on real kernels: devices really taken out, and what must move before has room or not."""
import json
import time

from reports import DONE, findings, report, states
from guest import Dimm, Layout, Node
from harness import Vm, on

LAYOUT = Layout(nodes=(Node("1G"), Node(0, cpus=0)), dimms=(Dimm("d0", "256M"), Dimm("d1", "512M", node=1)))
ONE_NODE = Layout(nodes=(Node("1G"),), dimms=(Dimm("d0", "256M"), Dimm("d1", "512M")))
D1 = list(range(42, 46))
PAGES_OF_A_BLOCK = 32768


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


@on("5.10", "6.12", "7.2")
def test_a_dimm_is_released(vm: Vm) -> None:
    """With --release it is ejected, and its blocks are gone; what is in use keeps all of it as it was."""
    with vm.guest(LAYOUT) as guest:
        guest.run("memonline apply -e 'hotplugged: movable'", check=True)
        guest.run("pin 1 >/tmp/pin 2>&1 & echo $! >/tmp/pid; while ! grep -q pinned /tmp/pin; do sleep 0.05; done",
                  check=True)
        before = guest.blocks()
        guest.run("memonline plan --unplug 'dimm1' --release -o /tmp/plan.json", check=True)
        failed = report(guest, "memonline apply /tmp/plan.json --deadline 2s")
        assert failed["exit_status"] != DONE and guest.blocks() == before, (failed, guest.blocks())
        guest.run("kill $(cat /tmp/pid)", check=True)
        released = report(guest, "memonline apply /tmp/plan.json --deadline 20s")
        assert (released["result"], released["exit_status"]) == ("complete", DONE), released
        assert not set(D1) & set(guest.blocks()), guest.blocks()
        assert states(guest, [40, 41]) == [("online", "Movable")] * 2
        # As a script: the other DIMM.
        guest.run("memonline plan --unplug dimm0 --release --format shell >/tmp/plan.sh && sh /tmp/plan.sh", check=True)
        guest.wait_for(lambda: not {40, 41} & set(guest.blocks()), "the DIMM's blocks to be removed")


@on("6.12")
def test_what_a_run_took_offline_stays_offline(vm: Vm) -> None:
    """Without the service, too: it is noted, `apply --boot` leaves it, and forgotten once it is online again."""
    left = "cat /run/memonline/left-alone 2>/dev/null"
    with vm.guest(LAYOUT) as guest:
        guest.run("mkdir -p /etc/memonline/policy.d; "
                  "echo 'hotplugged: movable' >/etc/memonline/policy.d/50-test.mempolicy; memonline apply", check=True)
        assert guest.run(left).stdout == ""
        guest.run("memonline plan --unplug memory42-45 -o /tmp/plan.json && memonline apply /tmp/plan.json", check=True)
        assert guest.run(left).stdout.endswith("\n42 45 job\n")
        guest.run("memonline apply --boot", check=True)
        assert states(guest, D1) == [("offline", "")] * 4
        guest.run("memonline undo", check=True)
        assert states(guest, D1) == [("online", "Movable")] * 4
        assert guest.run(left).stdout == ""
        # What someone brought back by hand is as the policy says, and not left alone any more.
        guest.run("memonline apply /tmp/plan.json", check=True)
        guest.run("for n in 42 43 44 45; do echo online_movable >/sys/devices/system/memory/memory$n/state; done")
        guest.run("memonline apply -e 'hotplugged: normal; set rezone = allowed'", check=True)
        assert guest.run(left).stdout == ""


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


@on("5.10", "6.12", "7.2")
def test_a_failed_offline_names_its_page(vm: Vm) -> None:
    """The kernel's log names the page that was in the way, and /proc/kpageflags what it is used for."""
    with vm.guest(LAYOUT) as guest:
        guest.run("memonline apply -e 'dimm0: normal; dimm1: movable'", check=True)
        guest.run("pin 1 >/tmp/pin 2>&1 & while ! grep -q pinned /tmp/pin; do sleep 0.05; done", check=True)
        guest.run("memonline plan --unplug 512MiB@node1 -o /tmp/plan.json", check=True)
        failed = report(guest, "memonline apply /tmp/plan.json --deadline 2s")
        stuck = [f for f in findings(failed) if f["outcome"] == "deadline"]
        assert len(stuck) == 1 and stuck[0]["page"]["kernel"] == "migration failure", failed
        assert stuck[0]["page"]["pfn"] // PAGES_OF_A_BLOCK == stuck[0]["blocks"][0], failed
        assert stuck[0]["page"]["holds"] == "anonymous", failed
    # A kernel zone: a block of boot memory that holds pages of the kernel; not each does.
    with vm.guest(ONE_NODE) as guest:
        for block in (1, 2, 3, 32, 33, 34):
            planned = guest.run(f"memonline plan --unplug 'block {block}' -o /tmp/plan.json")
            if planned.status == 0 and '"unlikely"' in guest.read("/tmp/plan.json"):
                break
        failed = report(guest, "memonline apply /tmp/plan.json --deadline 2s")
        stuck = [f for f in findings(failed) if f["outcome"] == "refused"]
        assert len(stuck) == 1 and stuck[0]["page"]["kernel"] == "unmovable page", failed
        assert stuck[0]["page"]["pfn"] // PAGES_OF_A_BLOCK == block, failed
        assert "blocking page: pfn 0x" in stuck[0]["text"], failed


@on("5.10", "6.12", "7.2")
def test_slab_is_reclaimed_before_a_kernel_zone_goes(vm: Vm) -> None:
    """--reclaim: page cache, slab and compaction, each reported; not where only Movable memory is offlined."""
    with vm.guest(ONE_NODE) as guest:
        guest.run("memonline apply -e 'dimm0: normal; dimm1: movable'", check=True)
        guest.run("find /sys /proc >/dev/null 2>&1")
        planned = guest.run("memonline plan --unplug dimm0 --reclaim -o /tmp/plan.json", check=True)
        assert "ML0548" in planned.stderr and "on the whole machine" in planned.stderr, planned
        applied = report(guest, "memonline apply /tmp/plan.json --deadline 20s")
        assert (applied["result"], applied["exit_status"]) == ("complete", DONE), applied
        assert [step["what"] for step in applied["report"]["steps"][:3]] == [
            "drop the clean page cache", "reclaim slab", "compact memory"], applied
        freed = [step.get("freed") for step in applied["report"]["steps"]]
        assert None not in freed[:3] and freed[3] is None, applied
        # 7.2 keeps the pages of freed directory entries in its per-CPU caches.
        assert freed[1] > 0 or vm.kernel.name == "7.2", applied
        log = guest.run("dmesg").stdout
        assert "drop_caches: 1" in log and "drop_caches: 2" in log, log
        assert int(guest.run("awk '$1 == \"compact_migrate_scanned\" { print $2 }' /proc/vmstat").stdout) > 0
        movable = guest.run("memonline plan --unplug dimm1 --reclaim --format json", check=True)
        movable_plan = json.loads(movable.stdout)
        assert "reclaim" not in {step["action"] for step in movable_plan["steps"]}, movable
        assert [d["code"] for d in movable_plan["diagnostics"]] == ["ML0548"], movable
        # As a script.
        guest.run("memonline apply -e 'dimm0: normal'; "
                  "memonline plan --unplug dimm0 --reclaim --format shell >/tmp/plan.sh && sh /tmp/plan.sh", check=True)
        assert states(guest, [40, 41]) == [("offline", "")] * 2


IN_USE = Layout(nodes=(Node("1G"),), dimms=(Dimm("d0", "768M"),))


def hog(guest, left: int) -> None:
    """Something takes memory until only `left` MiB are available; the kernel can move it, not reclaim it."""
    guest.run(f"hog {left} >/tmp/hog 2>&1 & while ! grep -q full /tmp/hog; do sleep 0.1; done",
              timeout=300, check=True)


@on("6.1", "6.12")
def test_more_than_is_free_does_not_change_its_zone(vm: Vm) -> None:
    """What is in use in the DIMM has no room elsewhere: an error with the numbers, and nothing is written."""
    with vm.guest(IN_USE) as guest:
        guest.run("memonline apply -e 'hotplugged: normal'", check=True)
        guest.run("memonline plan --unplug hotplugged -o /tmp/plan.json", check=True)
        hog(guest, 400)
        before = guest.blocks()
        for command in ("apply -e 'hotplugged: movable; set rezone = allowed'",
                        "apply -e 'hotplugged: offline; set rezone = allowed'", "apply /tmp/plan.json"):
            refused = report(guest, f"memonline {command}")
            codes = [d["code"] for d in refused["diagnostics"] if d["severity"] == "error"]
            assert (refused["exit_status"], codes) == (1, ["ML0544"]), refused
        planned = guest.run("memonline plan --unplug 768MiB")
        assert planned.status == 1 and "ML0544" in planned.stderr and "fits" in planned.stderr, planned
        assert guest.blocks() == before
        # What it advises instead goes.
        less = planned.stderr.split("`--unplug \"")[1].split("\"")[0]
        guest.run(f"memonline plan --unplug '{less}' -o /tmp/less.json", check=True)


@on("6.1", "6.12")
def test_less_than_is_free_changes_its_zone_in_slices(vm: Vm) -> None:
    """Movable memory in use becomes Normal piece by piece, more of it than is available at once."""
    with vm.guest(IN_USE) as guest:
        guest.run("memonline apply -e 'hotplugged: movable'", check=True)
        hog(guest, 450)
        policy = "hotplugged: normal; set rezone = allowed"
        plan = json.loads(guest.run(f"memonline plan -e '{policy}' --json", check=True).stdout)
        actions = [step["action"] for step in plan["steps"] if step["action"] in ("offline", "online")]
        assert actions == ["offline", "online"] * (len(actions) // 2) and len(actions) > 2, plan["steps"]
        applied = report(guest, f"memonline apply -e '{policy}' --deadline 20s", timeout=180)
        assert (applied["result"], applied["exit_status"]) == ("complete", DONE), applied
        assert states(guest, list(range(40, 46))) == [("online", "Normal")] * 6, guest.blocks()
        # Taking that back would have to move pages of a kernel zone, for which there is no room.
        undone = report(guest, "memonline undo")
        assert (undone["exit_status"], undone["diagnostics"][-1]["code"]) == (1, "ML0544"), undone
        assert states(guest, list(range(40, 46))) == [("online", "Normal")] * 6, guest.blocks()


@on("6.12")
def test_pages_of_a_kernel_zone_do_not_move_to_movable(vm: Vm) -> None:
    """The kernel's rule that the plan goes by: kernel zones full, a Movable DIMM free, and not all of Normal goes."""
    with vm.guest(Layout(nodes=(Node("1G"),), dimms=(Dimm("d0", "512M"),))) as guest:
        guest.run("memonline apply -e 'hotplugged: normal'", check=True)
        hog(guest, 80)
        guest.run("echo online_movable >/sys/devices/system/memory/auto_online_blocks", check=True)
        guest.add_dimm("d1", "512M", node=0)
        assert states(guest, [44, 45, 46, 47]) == [("online", "Movable")] * 4, guest.blocks()
        refused = guest.run("memonline plan --unplug 'block 40-43'")
        assert refused.status == 1 and "kernel zones only" in refused.stderr, refused
        guest.run("for b in 43 42 41 40; do timeout -s INT 4 sh -c "
                  "\"echo offline > /sys/devices/system/memory/memory$b/state\"; done", timeout=60)
        # The little that was free lets some of them go; the rest stay, with all of Movable free.
        assert ("online", "Normal") in states(guest, [40, 41, 42, 43]), guest.blocks()
        assert "migration failure" in guest.run("dmesg").stdout
