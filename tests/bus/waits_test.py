# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: waits_test.py MEMONLINED SOURCE: requests that wait for polkit, which does not answer here,
hold up nobody else: neither one, nor as many as users can send."""
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from typing import Callable, Dict, Iterator, List

from world import (dbus, ERROR, MANAGER, NAME, PATH, STANDARD, Client, World, as_nobody, as_user, become,
                   eventually, needs_polkit, needs_users, refused, run)

HOST = "6.12-a1"
OF_CONNECTION, REQUESTS_OF_USER, OF_USER = 32, 128, 16  # the last of polkit; dbus/guard.hpp
USERS = ["nobody", "daemon", "bin", "sys", "sync", "games", "man"]
# Calls a method so often on so many connections; says what became of them, and keeps on waiting.
FLOOD = """
import collections, json, sys, time
import dbus, dbus.mainloop.glib
from gi.repository import GLib
dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
address, method = sys.argv[1], sys.argv[4]
connections, calls = int(sys.argv[2]), int(sys.argv[3])
options = dbus.Dictionary({}, signature="sv")
# A check that takes longer than the bus takes to say who asks for it: otherwise none would wait.
policy = "".join(f"block{n}: movable\\n" for n in range(1500))
values = [policy] if method == "Check" else ["sha256:0", options]
told, answers = "", collections.Counter()
kept = [dbus.bus.BusConnection(address) for _ in range(connections)]
for bus in kept:
    manager = dbus.Interface(bus.get_object("org.memonline1", "/org/memonline1", introspect=False),
                             "org.memonline1.Manager")
    for _ in range(calls):
        manager.get_dbus_method(method)(
            *values, timeout=300, reply_handler=lambda answer: answers.update(["done"]),
            error_handler=lambda error: answers.update([error.get_dbus_name()]))
while True:
    GLib.MainContext.default().iteration(False)
    time.sleep(0.001)
    if (now := json.dumps(answers)) != told:
        told = now
        print(now, flush=True)
"""


@contextlib.contextmanager
def deaf(w: World) -> Iterator[None]:
    """polkitd hears nothing meanwhile."""
    assert w.polkit is not None
    os.kill(w.polkit.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(w.polkit.pid, signal.SIGCONT)


class Flood:
    """Requests of one user that wait for polkit."""

    def __init__(self, w: World, user: str, connections: int, calls: int, method: str = "Apply") -> None:
        self.told = w.directory / f"flood-{user}"
        with open(self.told, "w", encoding="utf-8") as told:
            self.process = subprocess.Popen(
                [*become(user), sys.executable, "-c", FLOOD, w.address, str(connections), str(calls),
                 method], stdout=told)
        w.processes.append(self.process)

    def answers(self) -> Dict[str, int]:
        lines = self.told.read_text().splitlines()
        return json.loads(lines[-1]) if lines else {}

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def answered_at_once(call: Callable[[], object]) -> None:
    began = time.monotonic()
    call()
    assert time.monotonic() - began < 1, "it was held up"


@needs_polkit
def one_waits(w: World) -> None:
    """While polkit thinks about one, everybody else is answered; then it is, too."""
    w.start(HOST)
    client = Client(w)
    client.settled()
    with deaf(w):
        flood = Flood(w, "nobody", 1, 1)
        time.sleep(0.5)
        assert flood.answers() == {}
        answered_at_once(lambda: client.get("State"))
        answered_at_once(client.plan)
        answered_at_once(client.manager.Reload)
        answered_at_once(lambda: as_nobody(w, "call", NAME, PATH, MANAGER, "Verify"))
        assert flood.answers() == {}
    eventually(lambda: flood.answers() == {STANDARD + "InteractiveAuthorizationRequired": 1},
               "the answer comes")
    flood.end()


@needs_polkit
def many_wait(w: World) -> None:
    """A user has a share, however many connections; all users together leave root its reserve."""
    w.start(HOST)
    client = Client(w)
    client.settled()
    limits = STANDARD + "LimitsExceeded"
    with deaf(w):
        floods = [Flood(w, USERS[0], 20, OF_CONNECTION)]
        more = 20 * OF_CONNECTION - OF_USER
        eventually(lambda: floods[0].answers() == {limits: more}, "one has its share", 30)
        answer = as_nobody(w, "call", NAME, PATH, MANAGER, "Undo")
        assert "too many polkit queries from uid 65534 (16 pending, limit 16)" in answer.stderr, answer
        answer = as_nobody(w, "call", NAME, PATH, MANAGER, "Verify")
        assert answer.returncode == 0, answer
        for user in USERS[1:6]:
            floods.append(Flood(w, user, 1, OF_USER))
        time.sleep(2)
        assert all(flood.answers() == {} for flood in floods[1:]), [f.answers() for f in floods]
        floods.append(Flood(w, USERS[6], 1, 1))
        eventually(lambda: floods[6].answers() == {limits: 1}, "it is full", 30)
        answered_at_once(lambda: refused(ERROR + "NothingToDo", client.manager.Confirm))
        answered_at_once(client.plan)
        # PID 1 is asked, which this bus has none of.
        answered_at_once(lambda: refused(STANDARD + "Failed", client.manager.WriteBootParameters))
        answered_at_once(lambda: client.get("State"))
        for flood in floods:
            flood.end()
    # What is over is not counted any more, once polkit has answered.
    eventually(lambda: "polkit" not in as_nobody(w, "call", NAME, PATH, MANAGER, "Undo").stderr,
               "there is room again", 60)


@needs_users
def plans_wait(w: World) -> None:
    """Requests that need no polkit are a user's to share among his connections, too."""
    w.start(HOST)
    client = Client(w)
    client.settled()
    assert w.daemon is not None
    w.daemon.send_signal(signal.SIGSTOP)
    flood = Flood(w, "nobody", 10, OF_CONNECTION, "Check")
    time.sleep(2)  # all of them are with the bus
    w.daemon.send_signal(signal.SIGCONT)
    eventually(lambda: sum(flood.answers().values()) == 10 * OF_CONNECTION, "all are answered", 60)
    refusals = flood.answers().pop(STANDARD + "LimitsExceeded")
    assert 0 < refusals <= 10 * OF_CONNECTION - REQUESTS_OF_USER, flood.answers()
    flood.end()


# Sends so many checks of a large policy, says so, and stays until it is killed.
CHECKS = """
import sys, time
import dbus, dbus.mainloop.glib
dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection(sys.argv[1])
manager = dbus.Interface(bus.get_object("org.memonline1", "/org/memonline1", introspect=False),
                         "org.memonline1.Manager")
text = "".join(f"block{n}: movable\\n" for n in range(int(sys.argv[3])))
for _ in range(int(sys.argv[2])):
    manager.Check(text, timeout=300, reply_handler=lambda answer: None, error_handler=lambda error: None)
bus.flush()
print("sent", flush=True)
time.sleep(300)
"""
CHECKED_RULES = 3500


@needs_users
def takes_turns(w: World) -> None:
    """One user's requests delay another's by one of them, and are dropped when their connection is gone."""
    w.start(HOST)
    client = Client(w)
    client.settled()
    text = "".join(f"block{n}: movable\n" for n in range(CHECKED_RULES))

    def seconds(user: str, *call: str) -> float:
        began = time.monotonic()
        answer = as_user(user, w, "--timeout=300", "call", NAME, PATH, MANAGER, *call)
        assert answer.returncode == 0, answer
        return time.monotonic() - began

    alone = seconds("nobody", "Check", "s", text)
    with subprocess.Popen([*become("nobody"), sys.executable, "-c", CHECKS, w.address, str(OF_CONNECTION - 2),
                           str(CHECKED_RULES)], stdout=subprocess.PIPE) as flood:
        assert flood.stdout is not None and flood.stdout.readline() == b"sent\n"
        other = seconds("daemon", "Verify")
        flood.kill()
    same = seconds("nobody", "Verify")
    print(f"one request takes {alone:.2f} s; another user waited {other:.2f} s, the same user {same:.2f} s afterwards")
    assert other < 5 * alone + 0.5, "another user waited for more than one request"
    assert same < 5 * alone + 0.5, "what nobody waits for any more was done"


TESTS: List[Callable[[World], None]] = [one_waits, plans_wait, many_wait, takes_turns]


if __name__ == "__main__":
    sys.exit(run(TESTS))
