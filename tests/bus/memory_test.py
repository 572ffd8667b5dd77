# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: memory_test.py MEMONLINED SOURCE: how much memory the service takes, and how often it wakes up. Large
requests leave nothing behind, what is locked is bounded, and while nothing happens it sleeps."""
import pathlib
import sys
import time
import zlib
from typing import Callable, Dict, List

from world import dbus, ERROR, Client, World, eventually, refused, run, unless

HOST = "6.12-a1"
SLACK = 2 << 10  # KiB: what is returned to the kernel is counted from 1 MiB of growth on
LOCKED = 64 << 10  # KiB: code, libraries and the reserve of the heap
IDLE_SECONDS = 6.0


def status(w: World) -> Dict[str, int]:
    """The numbers of /proc/PID/status, sizes in KiB."""
    assert w.daemon is not None
    lines = pathlib.Path(f"/proc/{w.daemon.pid}/status").read_text().splitlines()
    words = [line.split() for line in lines]
    return {word[0].rstrip(":"): int(word[1]) for word in words if len(word) > 1 and word[1].isdigit()}


def wakeups(w: World) -> int:
    """How often the threads of the service gave up the processor by themselves."""
    assert w.daemon is not None
    tasks = pathlib.Path(f"/proc/{w.daemon.pid}/task").glob("*/status")
    return sum(int(line.split()[1]) for task in tasks for line in task.read_text().splitlines()
               if line.startswith("voluntary_ctxt_switches"))


def sanitized(w: World) -> bool:
    """Sanitizers have memory and threads of their own."""
    return any(name in pathlib.Path(w.memonlined).read_bytes() for name in (b"__asan_init", b"__tsan_init"))


@unless(sanitized, "a service without sanitizers")
def returns_memory(w: World) -> None:
    """What a large request took is returned, and was never locked."""
    w.start(HOST)
    client = Client(w)
    client.settled()
    client.plan()
    before = status(w)
    # A document of 3 MB whose values take ten times as much.
    document = zlib.compress(b'{"schema": "memonline.plan/1", "x": [' + b"0," * 1_400_000 + b"0]}")
    for _ in range(3):
        refused(ERROR + "PlanInvalid", lambda: client.manager.SubmitCompressedPlan(dbus.ByteArray(document), timeout=300))
    peak = status(w)["VmHWM"]
    print(f"resident {before['VmRSS']} KiB, at most {peak} KiB, locked {status(w)['VmLck']} KiB")
    assert peak > before["VmRSS"] + SLACK, "the request was too small to show anything"
    eventually(lambda: status(w)["VmRSS"] <= before["VmRSS"] + SLACK, "memory is returned", 20)
    assert status(w)["VmLck"] <= LOCKED, status(w)
    assert status(w)["VmLck"] <= before["VmLck"] + 256, "a request's memory was locked"
    assert status(w)["VmLck"] >= before["VmLck"] - 64, "the reserve of the heap was returned"


@unless(sanitized, "a service without sanitizers")
def sleeps(w: World) -> None:
    """While nothing happens it is not woken, also not by others that come to the bus and go."""
    w.start(HOST)
    client = Client(w)
    client.settled()
    client.manager.Verify()
    time.sleep(2)
    before = wakeups(w)
    other = w.connect()
    other.close()
    time.sleep(IDLE_SECONDS)
    woken = wakeups(w) - before
    print(f"{woken} wake-ups in {IDLE_SECONDS:.0f} s; resident {status(w)['VmRSS']} KiB")
    assert woken == 0


TESTS: List[Callable[[World], None]] = [returns_memory, sleeps]

if __name__ == "__main__":
    sys.exit(run(TESTS))
