# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can go wrong while a plan is applied, made to go wrong on real kernels."""
import json
import random
import time

from guest import Dimm, Guest, Layout, Node
from harness import Vm, on

MEMORY = "/sys/devices/system/memory"
DONE, FAILURE, PARTLY = 0, 1, 64


def states(guest: Guest, blocks: list[int]) -> list[tuple[str, str]]:
    """State and zone of online blocks; of offline ones only the state, what they offer may vary."""
    now = guest.blocks()
    return [(now[block][0], now[block][1] if now[block][0] == "online" else "") for block in blocks]


def report(guest: Guest, command: str, timeout: float = 60.0) -> dict:
    """The JSON report of a `memonline apply ... --json`, whose exit status must be what it says."""
    result = guest.run(f"{command} --json", timeout=timeout)
    document = json.loads(result.stdout)
    assert document["exit_status"] == result.status, (result.status, document)
    return document


def findings(document: dict, key: str = "report") -> list[dict]:
    return [finding for step in document[key]["steps"] for finding in step["findings"]]


# --- killed ---------------------------------------------------------------------------------------

# Kernel memory, Movable memory, and a switch that is set for the run and put back.
SMALL = "hotplugged: first 1 blocks normal, rest movable"
SMALL_BLOCKS = list(range(40, 43))


def reset(guest: Guest, blocks: list[int]) -> None:
    guest.run(f"for b in {' '.join(map(str, blocks))}; do echo offline >{MEMORY}/memory$b/state; done 2>/dev/null;"
              f" echo online >{MEMORY}/auto_online_blocks; rm -rf /run/memonline")


def killed_then_run_again(guest: Guest, policy: str, blocks: list[int], point: int, who: str,
                          expected: list[tuple[str, str]]) -> None:
    reset(guest, blocks)
    guest.run(f"killat {point} {who} memonline apply -e '{policy}' >/tmp/killed 2>&1")
    again = guest.run(f"memonline apply -e '{policy}'")
    where = f"killed {who} at system call {point}"
    assert again.status == DONE, (where, again)
    assert states(guest, blocks) == expected, (where, states(guest, blocks), again)
    assert guest.read(f"{MEMORY}/auto_online_blocks") == "online", where
    assert guest.run("ls /run/memonline").stdout.split() in (["last", "lock"], ["lock"]), where


def calls(guest: Guest, policy: str) -> tuple[int, int]:
    """The first system call that changes something, and the number of all."""
    words = guest.run(f"killat 0 main memonline apply -e '{policy}' | tail -n 1", check=True).stdout.split()
    return int(words[3]), int(words[1])


def sweep(vm: Vm, half: int) -> None:
    """Kills a run of the small plan at every second point from the first that changes something."""
    with vm.guest(Layout(dimms=(Dimm("d0", "384M"),))) as guest:
        reset(guest, SMALL_BLOCKS)
        first, last = calls(guest, SMALL)
        expected = [("online", "Normal")] + [("online", "Movable")] * 2
        assert states(guest, SMALL_BLOCKS) == expected
        assert guest.read(f"{MEMORY}/auto_online_blocks") == "online"
        assert last - first > 30, (first, last)
        for point in range(first + half, last + 1, 2):
            who = ("main", "child")[point // 2 % 2]
            killed_then_run_again(guest, SMALL, SMALL_BLOCKS, point, who, expected)


@on("6.12")
def test_killed_between_any_two_system_calls(vm: Vm) -> None:
    """Run again, and all is as if undisturbed. The other half of the points is the next test's."""
    sweep(vm, 0)


@on("6.12")
def test_killed_between_any_two_other_system_calls(vm: Vm) -> None:
    """The rest of the points, so that two guests share them."""
    sweep(vm, 1)


def test_killed_at_random_points(vm: Vm) -> None:
    """Of a larger plan, some points on every kernel."""
    policy = "hotplugged: first 8 blocks normal, rest movable"
    blocks = list(range(40, 72))
    with vm.guest(Layout(dimms=(Dimm("d0", "4G"),))) as guest:
        reset(guest, blocks)
        first, last = calls(guest, policy)
        expected = [("online", "Normal")] * 8 + [("online", "Movable")] * 24
        assert states(guest, blocks) == expected
        seed = random.randrange(1 << 32)
        points = random.Random(seed).sample(range(first, last + 1), 6)
        for point in points:
            try:
                killed_then_run_again(guest, policy, blocks, point, ("main", "child")[point % 2], expected)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}") from error


@on("6.12")
def test_recover_puts_back_and_does_nothing_else(vm: Vm) -> None:
    """`apply --recover` after a kill: switches back, no block written."""
    with vm.guest(Layout(dimms=(Dimm("d0", "384M"),))) as guest:
        reset(guest, SMALL_BLOCKS)
        first, last = calls(guest, SMALL)
        # The switch is set early and put back late: most points are between.
        for point in sorted(range(first, last + 1), key=lambda point: abs(2 * point - first - last)):
            reset(guest, SMALL_BLOCKS)
            guest.run(f"killat {point} main memonline apply -e '{SMALL}'")
            if guest.read(f"{MEMORY}/auto_online_blocks") == "offline":
                break
        else:
            raise AssertionError("no kill left the switch as it was set for the run")
        before = guest.blocks()
        recovered = report(guest, "memonline apply --recover")
        assert recovered["result"] == "recovered"
        assert "auto_online_blocks put back to online" in recovered["recovered"], recovered
        assert guest.read(f"{MEMORY}/auto_online_blocks") == "online"
        assert guest.blocks() == before


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
        guest.run(f"echo -16 >{INJECT}/MEM_GOING_OFFLINE/error", check=True)
        policy = "set rezone = allowed\nblock 40: offline\nblock 41-43: movable"
        partly = report(guest, f"memonline apply -e '{policy}'")
        assert (partly["result"], partly["exit_status"]) == ("partly", PARTLY), partly
        refused = [finding for finding in findings(partly) if finding["outcome"] == "refused"]
        assert [(f["blocks"], f["errno"], f["tries"]) for f in refused] == [([40, 40], "EBUSY", 6)], partly
        assert states(guest, list(range(40, 44))) == [("online", "Movable")] * 4


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
        assert all("is in Normal, predicted was Movable" in finding["text"] for finding in findings(ours)
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
        guest.run("memonline apply -e 'hotplugged: movable' --json >/tmp/report 2>/tmp/errors &")
        time.sleep(0.15)
        guest.remove_dimm("d1", wait=False)
        guest.wait_for(lambda: "exit_status" in guest.run("cat /tmp/report").stdout, "apply does not end")
        document = json.loads(guest.run("cat /tmp/report").stdout)
        assert document["result"] in ("complete", "partly"), document
        assert states(guest, list(range(40, 44))) == [("online", "Movable")] * 4
        there = set(guest.block_ids()) & set(first)
        again = report(guest, "memonline apply -e 'hotplugged: movable'")
        assert again["exit_status"] == DONE, again
        assert all(guest.blocks()[block] == ("online", "Movable") for block in there)


@on("6.12")
def test_one_run_at_a_time(vm: Vm) -> None:
    """The second is told who is first; with --wait it comes after."""
    with vm.guest(Layout(dimms=(Dimm("d0", "512M"),))) as guest:
        guest.run("memonline apply -e 'hotplugged: movable' --confirm 20s >/tmp/first 2>&1 &")
        guest.wait_for(lambda: "stays if" in guest.run("cat /tmp/first").stdout, "the first does not wait")
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
        guest.wait_for(lambda: "stays if" in guest.run("cat /tmp/out").stdout, "it does not wait")
        assert states(guest, blocks) == [("online", "Movable")] * 4
        guest.run("kill -9 $(cat /tmp/pid)", check=True)
        guest.run("memonline apply --recover", check=True)
        assert states(guest, blocks) == [("offline", "")] * 4


@on("6.12")
def test_interrupted_says_where_it_stands(vm: Vm) -> None:
    """SIGINT in the middle ends after the current block with 64; the next run goes on from there."""
    policy = "hotplugged: movable"
    blocks = list(range(40, 168))
    with vm.guest(Layout(dimms=(Dimm("d0", "16G"),))) as guest:
        # Written from the top: when the 16th block from there is online, a hundred are still to come.
        guest.run(f"memonline apply -e '{policy}' --json >/tmp/out & run=$!; "
                  f"until read -r state <{MEMORY}/memory{blocks[-16]}/state && [ $state = online ]; do :; done; "
                  "kill -INT $run; wait $run", timeout=120)
        document = json.loads(guest.run("cat /tmp/out").stdout)
        assert (document["result"], document["exit_status"]) == ("partly", PARTLY), document
        assert 0 < document["report"]["blocks_done"] < len(blocks), document
        guest.run(f"memonline apply -e '{policy}'", check=True)
        assert states(guest, blocks) == [("online", "Movable")] * len(blocks)
        # Before the first write: nothing is written.
        few = blocks[:8]
        reset(guest, few)
        first, _ = calls(guest, policy)
        reset(guest, few)
        guest.run(f"killat {first} interrupt sh -c \"exec memonline apply -e '{policy}' --json >/tmp/out\"")
        assert {state for state, _ in states(guest, few)} == {"offline"}, guest.read("/tmp/out")


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
                  "while kill -0 $! 2>/dev/null; do grep -h -e VmHWM /proc/$!/status; sleep 0.02; done >/tmp/hwm",
                  timeout=120)
        assert "applied: 256 of 256 blocks" in guest.run("cat /tmp/out").stdout, guest.run("cat /tmp/out")
        peak = max(int(line.split()[1]) for line in guest.run("cat /tmp/hwm").stdout.splitlines())
        vm.keep("low-memory.txt", f"{peak} KiB\n".encode())
        assert peak < 8 << 10, f"{peak} KiB"
