# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: trouble_test.py MEMONLINED SOURCE: what the service tells where things are not well: blocks
that the kernel refuses, what somebody else changed, kernel parameters that wait; by the bus, by the
journal, and by `memonline status`."""
import json
import os
import sys
from typing import Callable, List

from large_hosts import memonline
from world import (MANAGER, NAME, PATH, Client, Journal, Kernel, World, as_user, eventually, run, unless)

HOST = "6.12-a1"  # memory32..47 hot-plugged, offline
FAILS = ("--refuse", "memory41-42=EIO", "--refuse", "memory36=EBUSY")
EIO, EBUSY = 5, 16


def fails(w: World) -> None:
    """Refused blocks are named with their errors, to everybody, until they are wanted no more."""
    w.start(HOST, *FAILS)
    client = Client(w)
    client.settled("failed")
    failing = [[int(first), int(last), int(error)] for first, last, error, _ in client.get("Failing")]
    assert sorted(failing) == [[36, 36, EBUSY], [41, 42, EIO]], failing
    assert all("EIO" in text or "EBUSY" in text for *_, text in client.get("Failing"))
    verified = client.manager.Verify()
    assert verified["failing"] == client.get("Failing")
    assert verified["state"] in ("failed", "applying"), "the latter while it tries again"
    assert verified["blocks"] == 3, verified
    assert client.get("Counters")["failures"] >= 3
    for user in w.users:
        assert "EIO" in as_user(user, w, "get-property", NAME, PATH, MANAGER, "Failing").stdout
    eventually(lambda: client.get("Counters")["retries"] > 0, "it tries again")
    for user in w.users:
        said = memonline(w, "status", "-e", "hotplugged: movable", user=user)
        assert b"Failing: memory41" in said[1] and b"EIO" in said[1], said
        assert said[1].count(b"memonlined keeps retrying.") == len(failing), said
    document = json.loads(memonline(w, "status", "--format", "json", "-e", "hotplugged: movable")[1])
    assert [one["errno"] for one in document["service"]["failing"]] == [row[2] for row in failing]
    w.write_policy("hotplugged: offline\n")
    client.manager.Reload()
    eventually(lambda: not client.get("Failing"), "nothing fails that is not wanted")
    assert b"Failing" not in memonline(w, "status")[1]


def leaves_alone(w: World) -> None:
    """What somebody else took offline is named and left alone."""
    w.kernel = Kernel()
    try:
        # Of a block that is offline: whoever says so of one that is not is not believed.
        w.start(HOST, policy="hotplugged: keep\n")
        client = Client(w)
        client.settled()
        w.kernel.says("offline", 41)
        client.settled("drift")
        told = ["memory41 was offlined by another process"]
        assert [str(text) for text in client.get("LeftAlone")] == told
        assert [str(text) for text in client.manager.Verify()["left-alone"]] == told
        for user in w.users:
            shown = as_user(user, w, "get-property", NAME, PATH, MANAGER, "LeftAlone").stdout
            assert told[0] in shown, shown
            said = memonline(w, "status", "-e", "hotplugged: movable", user=user)[1]
            assert b"\nLeft unchanged: memory41 was offlined by another process.\n" in said, said
        document = json.loads(memonline(w, "status", "--format", "json", "-e", "all: keep")[1])
        assert document["service"] == {"failing": [], "left_alone": told}
        assert client.get("Counters")["events"] == 1
        w.kernel.says("remove", 41)  # gone, and what was done to it with it
        client.settled()
        assert not client.get("LeftAlone")
    finally:
        w.kernel = None


def waits_for_a_reboot(w: World) -> None:
    """Kernel parameters that a policy needs are told, and that they wait."""
    w.start(HOST, policy="set memmap-on-memory = on\nhotplugged: movable\n")
    client = Client(w)
    client.settled("reboot-required")
    wished = "memory_hotplug.memmap_on_memory=1"
    assert {str(way): [str(word) for word in words] for way, words in
            client.get("PendingKernelParameters").items()} == {"set": [wished]}
    assert client.manager.Verify()["reboot-required"] and client.plan()["reboot-required"]
    for user in w.users:
        assert wished in as_user(user, w, "get-property", NAME, PATH, MANAGER,
                                 "PendingKernelParameters").stdout
    w.write_policy("boot: last 50% movable, rest normal\n")
    client.manager.Reload()
    eventually(lambda: "core=" in str(client.get("PendingKernelParameters")), "others wait now")
    # Boot memory that no write can move: only the reboot is to come.
    client.settled("reboot-required")


def larger(w: World) -> str:
    """A host with a DIMM of 361 blocks."""
    captured = memonline(w, "capture", "--root", str(w.source / f"tests/hosts/{HOST}.tar.xz"))[1]
    text = captured.decode().replace("blocks: [40, 47]", "blocks: [40, 400]")
    assert "[40, 400]" in text, text
    file = w.directory / "larger.yaml"
    file.write_text(text)
    return str(file)


@unless(lambda w: not w.own_rules or not os.path.isdir("/run/systemd"),
        "mount namespaces and /run/systemd")
def journals(w: World) -> None:
    """journalctl finds the message by each block of the run, by the rule and by the error."""
    w.journal = Journal(w.directory)
    w.kernel = Kernel()
    try:
        w.start(HOST, "--refuse", "memory41-44=EIO", policy="dimm: rest movable\n")
        entry = w.journal.entry("memory44..41: EIO")
        assert entry["MEMONLINE_BLOCK"] == [f"memory{block}" for block in range(41, 45)], entry
        assert entry["MEMONLINE_ERRNO"] == ["5"] and entry["MEMONLINE_RULE"] == ["rest movable"]
        assert entry["PRIORITY"] == ["4"] and entry["SYSLOG_IDENTIFIER"] == ["memonlined"]
        assert len(entry["MESSAGE_ID"]) == 1, entry
        w.kernel.says("offline", 47)
        entry = w.journal.entry("by another process")
        assert entry["MEMONLINE_BLOCK"] == ["memory47"] and "MEMONLINE_ERRNO" not in entry, entry
        assert w.stop() == 0
        w.start(larger(w), "--refuse", "memory41-399=EIO")
        blocks = w.journal.entry("memory399..41: EIO")["MEMONLINE_BLOCK"]
        assert blocks == [f"memory{block}" for block in range(41, 41 + 256)], "as many as fit"
    finally:
        w.journal = w.kernel = None


TESTS: List[Callable[[World], None]] = [fails, leaves_alone, waits_for_a_reboot, journals]

if __name__ == "__main__":
    sys.exit(run(TESTS))
