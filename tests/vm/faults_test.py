# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can go wrong while a plan is applied, made to go wrong on real kernels."""
import json
import time

from guest import Dimm, Guest, Layout, Node
from harness import Vm, on
from reports import DONE, FAILURE, MEMORY, PARTLY, findings, report, states

# --- the kernel says no ---------------------------------------------------------------------------

INJECT = "/sys/kernel/debug/notifier-error-inject/memory/actions"


def inject(guest: Guest) -> None:
    guest.run("insmod /modules/notifier-error-inject.ko && insmod /modules/memory-notifier-error-inject.ko &&"
              f" (test -d {INJECT} || mount -t debugfs debug /sys/kernel/debug)", check=True)


@on("6.1-generic")
def test_errors_are_tried_again_and_reported(vm: Vm) -> None:
    """ENOMEM and EBUSY of onlining: for good, and only for a while."""
    with vm.guest(Layout(dimms=(Dimm("d0", "512M"),))) as guest:
        inject(guest)
        for number, name in ((-12, "ENOMEM"), (-16, "EBUSY")):
            guest.run(f"echo {number} >{INJECT}/MEM_GOING_ONLINE/error", check=True)
            failed = report(guest, "memonline apply -e 'hotplugged: first 1 blocks normal, rest movable'")
            assert (failed["result"], failed["exit_status"]) == ("failed", FAILURE), failed
            kernel, movable = findings(failed)[:2]
            assert (kernel["outcome"], kernel["errno"], kernel["tries"]) == ("refused", name, 6), failed
            # Movable waits for the kernel memory that failed.
            assert (movable["outcome"], movable["blocks"]) == ("not-tried", [43, 41]), failed
            assert states(guest, list(range(40, 44))) == [("offline", "")] * 4
        # It passes while we try again.
        guest.run(f"(sleep 0.3; echo 0 >{INJECT}/MEM_GOING_ONLINE/error) >/dev/null 2>&1 &")
        done = report(guest, "memonline apply -e 'hotplugged: first 1 blocks normal, rest movable'")
        assert done["exit_status"] == DONE, done
        assert states(guest, list(range(40, 44))) == [("online", "Normal")] + [("online", "Movable")] * 3


@on("6.1-generic")
def test_what_does_not_depend_on_a_failure_goes_on(vm: Vm) -> None:
    """Offlining fails for good, onlining works: part of it is done, exit 64, nothing is lost."""
    with vm.guest(Layout(dimms=(Dimm("d0", "512M"),))) as guest:
        inject(guest)
        guest.run(f"echo online_movable >{MEMORY}/memory40/state", check=True)
        policy = "set rezone = allowed\nblock 40: offline\nblock 41-43: movable"
        for number, name in ((-12, "ENOMEM"), (-16, "EBUSY")):
            guest.run(f"for b in 41 42 43; do echo offline >{MEMORY}/memory$b/state; done 2>/dev/null")
            guest.run(f"echo {number} >{INJECT}/MEM_GOING_OFFLINE/error", check=True)
            partly = report(guest, f"memonline apply -e '{policy}'")
            assert (partly["result"], partly["exit_status"]) == ("partly", PARTLY), partly
            refused = [finding for finding in findings(partly) if finding["outcome"] == "refused"]
            assert [(f["blocks"], f["errno"], f["tries"]) for f in refused] == [([40, 40], name, 6)], partly
            assert states(guest, list(range(40, 44))) == [("online", "Movable")] * 4
            guest.run(f"echo 0 >{INJECT}/MEM_GOING_OFFLINE/error", check=True)
        # The other way round: onlining fails, and what is to go offline goes.
        guest.run(f"echo offline >{MEMORY}/memory43/state", check=True)
        guest.run(f"echo -12 >{INJECT}/MEM_GOING_ONLINE/error", check=True)
        partly = report(guest, f"memonline apply -e '{policy}'")
        assert (partly["result"], partly["exit_status"]) == ("partly", PARTLY), partly
        assert states(guest, [40, 43]) == [("offline", "")] * 2


@on("5.10", "7.2")
def test_a_pinned_page_ends_at_the_deadline(vm: Vm) -> None:
    """The block that cannot be emptied stays as it was, the others go, and the lock is free again."""
    layout = Layout(nodes=(Node("1G"), Node(0, cpus=0)), dimms=(Dimm("d0", "512M", node=1),))
    with vm.guest(layout) as guest:
        guest.run("memonline apply -e 'hotplugged: movable'", check=True)
        guest.run("pin 1 >/tmp/pin 2>&1 & while ! grep -q pinned /tmp/pin; do sleep 0.05; done", check=True)
        began = time.monotonic()
        partly = report(guest, "memonline apply --deadline 2s --offline -e 'hotplugged: offline'")
        assert time.monotonic() - began < 30
        assert (partly["result"], partly["exit_status"]) == ("partly", PARTLY), partly
        stuck = findings(partly)
        assert [(f["outcome"], f["blocks"][0] == f["blocks"][1]) for f in stuck] == [("deadline", True)], partly
        block = stuck[0]["blocks"][0]
        for other in range(40, 44):
            assert guest.blocks()[other][0] == ("online" if other == block else "offline")
        # The deadline is kept also while the run that watches over it is stopped, as by ^Z.
        run = "memonline apply --deadline 2s --offline -e 'hotplugged: offline'"
        guest.run(f"{run} >/tmp/stopped 2>&1 & echo $! >/tmp/pid; "
                  f"until grep -q going-offline {MEMORY}/memory{block}/state; do :; done; kill -STOP $(cat /tmp/pid)",
                  check=True)
        guest.wait_for(lambda: guest.read(f"{MEMORY}/memory{block}/state") == "online", "the deadline", 20)
        # Asked twice to stop, it ends an offline under way long before its deadline.
        guest.run("kill -CONT $(cat /tmp/pid)", check=True)
        guest.wait_for(lambda: "within the time limit" in guest.run("cat /tmp/stopped").stdout, "the stopped run to end", 20)
        guest.run(f"{run.replace('2s', '60s')} >/tmp/asked 2>&1 & echo $! >/tmp/pid; "
                  f"until grep -q going-offline {MEMORY}/memory{block}/state; do :; done; "
                  "kill -INT $(cat /tmp/pid); sleep 0.3; kill -INT $(cat /tmp/pid)", check=True)
        guest.wait_for(lambda: "stopped on request" in guest.run("cat /tmp/asked").stdout, "it to stop", 20)
        # Once nothing pins it, it goes.
        guest.run("killall pin; sleep 0.1")
        guest.run("memonline apply --deadline 2s --offline -e 'hotplugged: offline'", check=True)
        assert states(guest, list(range(40, 44))) == [("offline", "")] * 4


# --- others ---------------------------------------------------------------------------------------

@on("6.1", "6.12")
def test_a_second_writer_onlines_to_the_other_zone(vm: Vm) -> None:
    """What it took first is told with both zones; the rest is as planned; nobody's block is taken away."""
    with vm.guest(Layout(dimms=(Dimm("d0", "32G"),))) as guest:
        # Ours comes from the top. It is held up once, so that the other is surely first somewhere.
        guest.run("memonline apply -e 'hotplugged: movable' --json >/tmp/ours 2>/dev/null &"
                  " until grep -q '^online' /sys/devices/system/memory/memory295/state; do :; done;"
                  " killall -STOP memonline; writeloop online_kernel 40 47; killall -CONT memonline;"
                  " writeloop online_kernel 48 295", check=True)
        guest.wait_for(lambda: "exit_status" in guest.run("cat /tmp/ours").stdout, "apply does not end")
        ours = json.loads(guest.run("cat /tmp/ours").stdout)
        wrong = {block for finding in findings(ours) if finding["outcome"] == "wrong-zone"
                 for block in range(min(finding["blocks"]), max(finding["blocks"]) + 1)}
        assert all("ended up in Normal instead of Movable" in finding["text"] for finding in findings(ours)
                   if finding["outcome"] == "wrong-zone"), ours
        blocks = guest.blocks()
        for block in range(40, 296):
            zone = "Normal" if block in wrong else "Movable"
            assert blocks[block] == ("online", zone), (block, ours)
        assert wrong >= set(range(40, 48)), ours
        assert (ours["result"], ours["exit_status"]) == ("partly", PARTLY), ours


@on("6.12", "7.2")
def test_a_dimm_ejected_while_it_is_onlined(vm: Vm) -> None:
    """Blocks that vanish are said; the other DIMM is done; the next plan is for what is there."""
    with vm.guest(Layout(dimms=(Dimm("d0", "512M"),))) as guest:
        first = guest.add_dimm("d1", "4G")
        # It is held up once some blocks of the DIMM are online, until the DIMM is gone.
        guest.run("memonline apply -e 'hotplugged: movable' --json >/tmp/report 2>/tmp/errors & "
                  f"until grep -q '^online' {MEMORY}/memory{first[-3]}/state; do :; done; killall -STOP memonline",
                  check=True)
        assert ("offline", "") in states(guest, first)
        guest.remove_dimm("d1")
        guest.run("killall -CONT memonline", check=True)
        guest.wait_for(lambda: "exit_status" in guest.run("cat /tmp/report").stdout, "apply does not end")
        document = json.loads(guest.run("cat /tmp/report").stdout)
        assert (document["result"], document["exit_status"]) == ("partly", PARTLY), document
        assert "vanished" in {finding["outcome"] for finding in findings(document)}, document
        assert states(guest, list(range(40, 44))) == [("online", "Movable")] * 4
        there = set(guest.block_ids()) & set(first)
        again = report(guest, "memonline apply -e 'hotplugged: movable'")
        assert again["exit_status"] == DONE, again
        assert all(guest.blocks()[block] == ("online", "Movable") for block in there)


@on("6.12", "7.2")
def test_switches_are_not_changed_while_memory_is_being_added(vm: Vm) -> None:
    """The kernel brings a DIMM online as it is told at the time; a run meanwhile waits with its switch."""
    with vm.guest(Layout(arguments="", dimms=(Dimm("d0", "256M"),))) as guest:
        added = len(guest.block_ids()) + 128
        guest.add_dimm("d1", "16G", wait=False)
        guest.run(f"until [ $(ls -d {MEMORY}/memory* | wc -l) -ge {added} ]; do :; done; "
                  "memonline apply -e 'hotplugged: movable' >/tmp/out 2>&1", timeout=120)
        blocks = guest.blocks()
        # All of it as the kernel's word was when it was added: `online`, which is Normal here.
        assert {blocks[block] for block in sorted(blocks)[-128:]} == {("online", "Normal")}, blocks
        assert guest.read(f"{MEMORY}/auto_online_blocks") == "online_movable"


@on("6.12")
def test_one_run_at_a_time(vm: Vm) -> None:
    """The second is told who is first; with --wait it comes after."""
    with vm.guest(Layout(dimms=(Dimm("d0", "512M"),))) as guest:
        guest.run("memonline apply -e 'hotplugged: movable' --confirm 20s >/tmp/first 2>&1 &")
        guest.wait_for(lambda: "are kept if" in guest.run("cat /tmp/first").stdout, "the first does not wait")
        second = report(guest, "memonline apply -e 'hotplugged: movable'")
        assert second["exit_status"] == FAILURE
        assert "another run is changing memory: pid " in second["diagnostics"][0]["message"], second
        guest.run("memonline apply --wait 60s -e 'hotplugged: movable' --json >/tmp/third 2>&1 &")
        guest.run("memonline confirm", check=True)
        guest.wait_for(lambda: "nothing-to-do" in guest.run("cat /tmp/third").stdout, "the third does not follow")
        assert "confirmed" in guest.run("cat /tmp/first").stdout


@on("5.10", "6.12")
def test_unconfirmed_is_undone(vm: Vm) -> None:
    """By the clock, and after a kill by the next run."""
    blocks = list(range(40, 44))
    with vm.guest(Layout(dimms=(Dimm("d0", "512M"),))) as guest:
        undone = report(guest, "memonline apply -e 'hotplugged: movable' --confirm 1s")
        assert (undone["result"], undone["exit_status"]) == ("undone", FAILURE), undone
        assert states(guest, blocks) == [("offline", "")] * 4
        guest.run("memonline apply -e 'hotplugged: movable' --confirm 60s >/tmp/out 2>&1 & echo $! >/tmp/pid")
        guest.wait_for(lambda: "are kept if" in guest.run("cat /tmp/out").stdout, "it does not wait")
        assert states(guest, blocks) == [("online", "Movable")] * 4
        guest.run("kill -9 $(cat /tmp/pid)", check=True)
        guest.run("memonline apply --recover", check=True)
        assert states(guest, blocks) == [("offline", "")] * 4


# --- the machine says no --------------------------------------------------------------------------

@on("6.12")
def test_nothing_is_written_where_nothing_can_be(vm: Vm) -> None:
    """A read-only /sys, and a /run without room for a journal: refused before the first write."""
    with vm.guest(Layout(dimms=(Dimm("d0", "512M"),))) as guest:
        before = guest.blocks()
        guest.run("mount -o remount,ro /sys", check=True)
        refused = report(guest, "memonline apply -e 'hotplugged: movable'")
        assert (refused["exit_status"], refused["diagnostics"][0]["code"]) == (FAILURE, "ML0760"), refused
        guest.run("mount -o remount,rw /sys && mount -t tmpfs -o size=64k full /run", check=True)
        guest.run("dd if=/dev/zero of=/run/fill bs=4k 2>/dev/null")
        refused = report(guest, "memonline apply -e 'hotplugged: movable'")
        assert (refused["exit_status"], refused["diagnostics"][-1]["code"]) == (FAILURE, "ML0763"), refused
        assert guest.blocks() == before
        guest.run("rm /run/fill", check=True)
        guest.run("memonline apply -e 'hotplugged: movable'", check=True)


@on("6.12")
def test_works_when_memory_is_short(vm: Vm) -> None:
    """256 blocks into a guest with 60 MiB left, by a process that needs less than 8 MiB."""
    with vm.guest(Layout(dimms=(Dimm("d0", "32G"),))) as guest:
        guest.run("hog 60 >/tmp/hog 2>&1 & while ! grep -q full /tmp/hog; do sleep 0.1; done", check=True)
        guest.run("memonline apply -e 'hotplugged: first 16 blocks normal, rest movable' >/tmp/out 2>&1 & "
                  "while kill -0 $! 2>/dev/null; do for p in $(pidof memonline); do "
                  "sed -n -e \"s/^Pid:/& $p /p\" -e '/^Vm\\(HWM\\|Lck\\):/p' /proc/$p/status; done; "
                  "sleep 0.02; done >/tmp/hwm 2>/dev/null",
                  timeout=120)
        assert "applied: 256 of 256 blocks" in guest.run("cat /tmp/out").stdout, guest.run("cat /tmp/out")
        said = [line.split() for line in guest.run("cat /tmp/hwm").stdout.splitlines()]
        peak = max(int(words[1]) for words in said if words[0] == "VmHWM:")
        vm.keep("low-memory.txt", f"{peak} KiB\n".encode())
        # Who watches, and the process that writes.
        assert len({words[2] for words in said if words[0] == "Pid:"}) == 2, said[:4]
        assert any(words[0] == "VmLck:" and int(words[1]) > 0 for words in said), "nothing is locked"
        assert peak < 8 << 10, f"{peak} KiB"
