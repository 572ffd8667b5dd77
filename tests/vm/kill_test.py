# SPDX-License-Identifier: LGPL-2.1-or-later
"""A run of memonline is killed or stopped, at every point of it, and the next one makes it good."""
import json
import random
from collections.abc import Iterator

from guest import Dimm, Guest, Layout
from harness import Vm, on
from reports import DONE, MEMORY, PARTLY, report, states

# Kernel memory, Movable memory, and a switch that is set for the run and put back.
SMALL = "hotplugged: first 1 blocks normal, rest movable"
SMALL_BLOCKS = list(range(40, 43))


RESET = (f"for b in {{blocks}}; do echo offline >{MEMORY}/memory$b/state; done 2>/dev/null; "
         f"echo online >{MEMORY}/auto_online_blocks; rm -rf /run/memonline")


def reset(guest: Guest, blocks: list[int]) -> None:
    guest.run(RESET.format(blocks=" ".join(map(str, blocks))))


def killed_then_run_again(guest: Guest, policy: str, blocks: list[int], point: int, who: str,
                          expected: list[tuple[str, str]], undo: bool = False) -> None:
    # One command, because each costs a guest under TCG much of the time that a point takes.
    again = guest.run(f"{RESET.format(blocks=' '.join(map(str, blocks)))}\n"
                      f"killat {point} {who} memonline apply -e '{policy}' >/tmp/killed 2>&1\n"
                      f"memonline apply -e '{policy}' >/tmp/again 2>&1; status=$?\n"
                      f"cat {MEMORY}/auto_online_blocks; ls -A /run/memonline; cat /tmp/again >&2; exit $status")
    where = f"killed {who} at system call {point}"
    assert again.status == DONE, (where, again)
    assert states(guest, blocks) == expected, (where, states(guest, blocks), again)
    setting, *left_behind = again.stdout.split()
    assert setting == "online", where
    assert left_behind in (["last", "lock"], ["lock"]), (where, left_behind)
    if undo:
        undone = guest.run("memonline undo")
        # Kernel memory need not go offline again; Movable that stays would be what nobody knew to undo.
        assert undone.status in (DONE, PARTLY), (where, undone)
        left = [zone for state, zone in states(guest, blocks) if state == "online"]
        assert set(left) <= {"Normal"}, (where, left, undone)


def calls(guest: Guest, policy: str) -> tuple[int, int]:
    """The first system call that changes something, and the number of all."""
    told = guest.run(f"killat 0 main memonline apply -e '{policy}'", check=True).stdout
    words = next(line for line in told.splitlines() if line.startswith("calls ")).split()
    return int(words[3]), int(words[1])


def spread(first: int, last: int) -> Iterator[int]:
    """The points of a range, in ever finer steps: any part of the range is found soon."""
    seen: set[int] = set()
    step = last - first
    while step:
        for point in range(first + step // 2, last + 1, step):
            if point not in seen:
                seen.add(point)
                yield point
        step //= 2


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
            killed_then_run_again(guest, SMALL, SMALL_BLOCKS, point, who, expected, undo=point % 16 < 2)


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
        for point in spread(first, last):
            reset(guest, SMALL_BLOCKS)
            guest.run(f"killat {point} main memonline apply -e '{SMALL}'")
            if guest.read(f"{MEMORY}/auto_online_blocks") == "offline":
                break
        else:
            raise AssertionError("no kill left the switch as it was set for the run")
        before = guest.blocks()
        recovered = report(guest, "memonline apply --recover")
        assert recovered["result"] == "recovered"
        assert "auto_online_blocks restored to online" in recovered["recovered"], recovered
        assert guest.read(f"{MEMORY}/auto_online_blocks") == "online"
        assert guest.blocks() == before


@on("6.12")
def test_a_switch_held_for_the_run_is_put_back_however_it_ends(vm: Vm) -> None:
    """The plan gives it a value that stays, at its end: cut short before that, it is what it was."""
    policy = "hotplugged: movable"
    with vm.guest(Layout(dimms=(Dimm("d0", "384M"),))) as guest:
        reset(guest, SMALL_BLOCKS)
        first, last = calls(guest, policy)
        assert guest.read(f"{MEMORY}/auto_online_blocks") == "online_movable"
        held = 0
        for point in range(first, last + 1, 4):
            reset(guest, SMALL_BLOCKS)
            guest.run(f"killat {point} main memonline apply -e '{policy}'")
            now = guest.read(f"{MEMORY}/auto_online_blocks")
            guest.run("memonline apply --recover", check=True)
            after = guest.read(f"{MEMORY}/auto_online_blocks")
            assert after == ("online" if now == "offline" else now), (point, now, after)
            held += now == "offline"
        assert held > 1, held
        # Stopped in an orderly way it puts back by itself.
        for point in range(first, last + 1, (last - first) // 6):
            reset(guest, SMALL_BLOCKS)
            guest.run(f"killat {point} interrupt memonline apply -e '{policy}'")
            now, blocks = guest.read(f"{MEMORY}/auto_online_blocks"), states(guest, SMALL_BLOCKS)
            done = blocks == [("online", "Movable")] * 3
            assert now == "online" or (done and now == "online_movable"), (point, now, blocks)


@on("6.12")
def test_interrupted_says_where_it_stands(vm: Vm) -> None:
    """SIGINT or SIGTERM in the middle ends after the current block with 64; the next run goes on from
    there. SIGHUP, of a terminal that is gone, ends nothing."""
    policy = "hotplugged: movable"
    blocks = list(range(40, 168))
    with vm.guest(Layout(dimms=(Dimm("d0", "16G"),))) as guest:
        for signal in ("INT", "TERM", "HUP"):
            reset(guest, blocks)
            # Written from the top: when the 16th block from there is online, a hundred are still to come.
            guest.run(f"memonline apply -e '{policy}' --json >/tmp/out & run=$!; "
                      f"until read -r state <{MEMORY}/memory{blocks[-16]}/state && [ $state = online ]; do :; done; "
                      f"kill -{signal} $run; wait $run", timeout=120)
            document = json.loads(guest.run("cat /tmp/out").stdout)
            if signal != "HUP":
                assert (document["result"], document["exit_status"]) == ("partly", PARTLY), (signal, document)
                assert 0 < document["report"]["blocks_done"] < len(blocks), (signal, document)
                guest.run(f"memonline apply -e '{policy}'", check=True)
            assert states(guest, blocks) == [("online", "Movable")] * len(blocks), signal
        # Before the first write: nothing is written.
        few = blocks[:8]
        reset(guest, few)
        first, _ = calls(guest, policy)
        reset(guest, few)
        guest.run(f"killat {first} interrupt sh -c \"exec memonline apply -e '{policy}' --json >/tmp/out\"")
        assert {state for state, _ in states(guest, few)} == {"offline"}, guest.read("/tmp/out")


# By their numbers on x86-64: from one write to the next nothing else is called.
WHILE_WRITING = {"read": 0, "write": 1, "close": 3, "openat": 257, "the wait of who shows progress": 271}


@on("6.12")
def test_nothing_is_allocated_and_nobody_forked_while_writing(vm: Vm) -> None:
    """It must work when memory is what is short: two steps of 128 blocks, every system call looked at."""
    policy = "hotplugged: first 8 blocks normal, rest movable"
    with vm.guest(Layout(dimms=(Dimm("d0", "16G"),))) as guest:
        told = guest.run(f"killat 0 main memonline apply -e '{policy}'", check=True, timeout=120).stdout
        zones = [zone for _, zone in states(guest, [40, 47, 48, 167])]
        assert zones == ["Normal", "Normal", "Movable", "Movable"], zones
        writing = next(line for line in told.splitlines() if line.startswith("writing ")).split()[1:]
        others = set(map(int, writing)) - set(WHILE_WRITING.values())
        assert len(writing) >= 4 and not others, f"system calls between the first write and the last: {others}"
