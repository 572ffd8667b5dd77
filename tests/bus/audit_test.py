# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: audit_test.py MEMONLINED SOURCE: the journal has one entry for each request that changes something, and for
each that was refused."""
import os
import subprocess
import sys
import time
from typing import Callable, Dict, List

from large_hosts import many_runs
from limits_test import DEAF, MAX_RUNS
from world import (dbus, ERROR, MANAGER, NAME, PATH, STANDARD, Client, Journal, World, as_nobody, become, needs_polkit,
                   needs_users, refused, run, unless)

HOST = "6.12-a1"
OPTIONS = dbus.Dictionary({}, signature="sv")
MOVABLE = "hotplugged: movable\n"
has_journal = unless(lambda w: not w.own_rules or not os.path.isdir("/run/systemd"), "mount namespaces and /run/systemd")


def explained(w: World, entry: Dict[str, List[str]]) -> bool:
    """Whether the catalog has the entry's message, with fields that the entry has."""
    catalog = (w.source / "dbus/data/memonline.catalog").read_text()
    _, found, text = catalog.partition(f"-- {entry['MESSAGE_ID'][0]}\n")
    fields = [word for number, word in enumerate(text.split("\n-- ")[0].split("@")) if number % 2]
    return bool(found) and set(fields) <= set(entry)


def start(w: World) -> Client:
    w.journal = Journal(w.directory)
    w.start(HOST, policy="boot: keep\n")
    client = Client(w)
    client.settled()
    return client


@has_journal
def changes(w: World) -> None:
    """What changes something is reported with the process that asked, the plan and the outcome."""
    try:
        client = start(w)
        digest = client.plan(policy=MOVABLE)["digest"]
        job = client.manager.Apply(digest, OPTIONS)
        assert w.journal is not None
        entry = w.journal.entry("audit: ")
        own = str(os.getpid())
        expected = {"MEMONLINE_METHOD": "Apply", "MEMONLINE_UID": str(os.getuid()), "MEMONLINE_PID": own, "OBJECT_PID": own,
                    "MEMONLINE_DIGEST": digest, "MEMONLINE_RESULT": "success", "PRIORITY": "5"}
        assert {name: entry[name] for name in expected} == {n: [v] for n, v in expected.items()}, entry
        assert int(entry["MEMONLINE_DURATION_USEC"][0]) > 0, entry
        assert f'op="Apply" uid={os.getuid()} pid={own} ' in entry["MESSAGE"][0], entry
        assert 'result="success"' in entry["MESSAGE"][0] and explained(w, entry), entry
        assert client.done(job) == "done"
        # What only reads is not reported.
        client.manager.Verify()
        refused(ERROR + "UnknownBlock", lambda: client.manager.Explain("memory99999"))
        refused(ERROR + "NothingToDo", client.manager.Confirm)
        entry = w.journal.entry("audit: ")
        assert entry["MEMONLINE_METHOD"] == ["Confirm"] and entry["MEMONLINE_RESULT"] == ["fail"], entry
        assert entry["MEMONLINE_ERROR"] == [ERROR + "NothingToDo"], entry
        assert entry["MEMONLINE_REASON"] == ["no job is waiting for confirmation"], entry
    finally:
        w.journal = None


@has_journal
@needs_polkit
def refusals(w: World) -> None:
    """What is refused is a warning, with the user and the reason."""
    try:
        start(w)
        assert as_nobody(w, "--allow-interactive-authorization=no", "call", NAME, PATH, MANAGER, "Undo").returncode != 0
        assert w.journal is not None
        entry = w.journal.entry("audit: ")
        assert entry["MEMONLINE_METHOD"] == ["Undo"] and entry["MEMONLINE_UID"] == ["65534"], entry
        assert entry["MEMONLINE_ERROR"] == [STANDARD + "InteractiveAuthorizationRequired"], entry
        assert entry["PRIORITY"] == ["4"] and explained(w, entry), entry
    finally:
        w.journal = None


@has_journal
@needs_users
def refused_before_an_answer(w: World) -> None:
    """Also a call that no method sees, because its user has left too much unread."""
    deaf = []
    try:
        w.journal = Journal(w.directory)
        w.start(many_runs(w, MAX_RUNS - 10), policy="all: keep\n")
        client = Client(w)
        client.settled()
        entry = None
        # The replies to `ListBlocks` take a while on a slow machine; until they are there, Introspect is answered.
        for method, calls in [("ListBlocks", "3")] + 20 * [("Introspect", "300")]:
            deaf.append(subprocess.Popen([*become("nobody"), sys.executable, "-c", DEAF, w.address, "1", calls, method],
                                         stdout=subprocess.PIPE))
            assert deaf[-1].stdout is not None and deaf[-1].stdout.readline() == b"sent\n"
            client.manager.Verify(timeout=100)
            time.sleep(1.1)  # a user's refusals are reported once a second
            entry = w.journal.entry('op="Introspect"', wait=2) if method == "Introspect" else None
            if entry is not None:
                break
        assert entry is not None, "no call was refused before a method saw it"
        assert entry["MEMONLINE_UID"] == ["65534"], entry
        assert int(entry["MEMONLINE_PID"][0]) in [process.pid for process in deaf], entry
        assert entry["MEMONLINE_ERROR"] == [STANDARD + "LimitsExceeded"] and explained(w, entry), entry
    finally:
        w.journal = None
        for process in deaf:
            process.kill()
            process.wait()


TESTS: List[Callable[[World], None]] = [changes, refusals, refused_before_an_answer]

if __name__ == "__main__":
    sys.exit(run(TESTS))
