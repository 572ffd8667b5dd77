# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: idle_test.py MEMONLINED SOURCE: the service while there is nothing to do. It takes little memory and
sleeps; where the kernel alone brings memory online as the policy says it ends, and loses no call over it."""
import contextlib
import importlib
import os
import pathlib
import socket
import subprocess
import sys
import tarfile
import time
from typing import Callable, Iterator, List, Optional, Tuple

from memory_test import sanitized, status, wakeups
from world import MANAGER, NAME, PATH, Client, World, busctl, dbus, eventually, run, unless

lowlevel = importlib.import_module("dbus.lowlevel")  # after world, which skips where there is no dbus
HOST = "6.12-a1"
KERNELS = "hotplugged: normal\n"
OURS = "hotplugged: first 25% normal, rest movable\n"
IDLE_SECONDS = 60.0
RESIDENT = 8 << 10  # KiB
START_AGAIN = 75  # memonlined(8), EXIT STATUS
# What a call that comes too late is told, which has the bus start the service where there is systemd.
GONE = ("org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner")


def resting(w: World) -> pathlib.Path:
    return w.directory / "machine/run/memonline/resting"


def ended(w: World, seconds: float = 10) -> Optional[int]:
    """Its exit status; none if it is still there after so long."""
    assert w.daemon is not None
    try:
        found = w.daemon.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    w.daemon = None
    return found


@unless(sanitized, "a service without sanitizers")
def sleeps_for_a_minute(w: World) -> None:
    """Not woken once, by a client on the bus neither, and small."""
    # Not from the archive: the library that reads it would stay, which no machine needs.
    tree = w.directory / "host"
    with tarfile.open(w.source / f"tests/hosts/{HOST}.tar.xz") as archive:
        archive.extractall(tree)
    w.start(str(tree), "--exit-idle-time", "30")
    client = Client(w)
    client.settled()
    client.manager.Verify()
    time.sleep(3)
    before = wakeups(w)
    time.sleep(IDLE_SECONDS)
    woken, resident = wakeups(w) - before, status(w)["VmRSS"]
    print(f"{woken} wake-ups in {IDLE_SECONDS:.0f} s; resident {resident} KiB")
    assert woken == 0
    assert resident <= RESIDENT, resident


def ends(w: World) -> None:
    """Once no caller is left on the bus; the settings, and what is known, are kept for the next one."""
    w.start(HOST, "--exit-idle-time", "1", policy=KERNELS)
    client = Client(w)
    client.settled()
    assert ended(w, 3) is None, "it has left a client alone"
    assert "auto_online_blocks" in client.get("Switches")
    client.bus.close()
    assert ended(w) == 0
    assert not w.connect().name_has_owner(NAME)
    assert "settings put-back" in resting(w).read_text()
    assert (w.directory / "machine/run/memonline/switches").exists()
    assert not (w.directory / "machine/run/memonline/service").exists()


def callers_that_leave(w: World) -> None:
    """It notices those that left before they were asked about, or have never read the answer."""
    w.start(HOST, "--exit-idle-time", "2", policy=KERNELS)
    Client(w).settled()
    for _ in range(10):
        busctl(w, "call", NAME, PATH, MANAGER, "GetPolicies")
        one = w.connect()
        one.send_message(call("GetHost"))
        one.flush()
        one.close()
    assert ended(w) == 0


def stays(w: World) -> None:
    """Where it has to decide, and without the option."""
    w.start(HOST, "--exit-idle-time", "1", policy=OURS)
    Client(w).settled()
    assert ended(w, 4) is None
    assert w.stop() == 0
    w.start(HOST, policy=KERNELS)
    Client(w).settled()
    assert ended(w, 3) is None


def call(method: str):
    """A call of the manager, as a message."""
    return lowlevel.MethodCallMessage(NAME, PATH, MANAGER, method)


def introspection():
    """A call that libsystemd answers."""
    return lowlevel.MethodCallMessage(NAME, PATH, "org.freedesktop.DBus.Introspectable", "Introspect")


@contextlib.contextmanager
def held_at_barrier(w: World) -> Iterator[Tuple[dbus.bus.BusConnection, Callable[[], None]]]:
    """A service that has begun to end and still has its name: a client's connection, and what lets it go on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        (w.directory / "notify").unlink(missing_ok=True)
        systemd.bind(str(w.directory / "notify"))
        systemd.settimeout(30)
        w.environment = {"NOTIFY_SOCKET": str(w.directory / "notify")}
        w.start(HOST, "--exit-idle-time", "1", policy=KERNELS)
        w.environment = {}
        other = w.connect()
        Client(w).bus.close()
        while b"STOPPING=1" not in systemd.recv(4096):
            pass
        text, barrier, _, _ = socket.recv_fds(systemd, 4096, 1)
        assert b"BARRIER=1" in text and len(barrier) == 1, text
        yield other, lambda: os.close(barrier[0])


def sent(other: dbus.bus.BusConnection, messages: list, replies: list) -> list:
    """What waits for the replies of these calls, which the bus has."""
    calls = [other.send_message_with_reply(message, replies.append, 20.0) for message in messages]
    other.call_blocking("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetId", "", ())
    return calls


def answers_what_has_come(w: World) -> None:
    """Calls that are in its socket when it gives up its name are answered, also where libraries read one at a time."""
    with held_at_barrier(w) as (other, go_on):
        # Answered by the service's loop, by its worker, and by libsystemd.
        messages = [message for _ in range(7) for message in (call("GetPolicies"), call("Verify"), introspection())]
        replies: list = []
        calls = sent(other, messages, replies)
        go_on()
        for one in calls:
            one.block()
        errors = [reply.get_error_name() for reply in replies if isinstance(reply, lowlevel.ErrorMessage)]
        assert len(replies) == len(calls) and not errors, (len(replies), errors)
        assert ended(w) == 0


def starts_again_after_a_late_call(w: World) -> None:
    """Where a late call leaves something to watch, it ends with the status after which systemd starts it again."""
    with held_at_barrier(w) as (other, go_on):
        replies: list = []
        w.write_policy("hotplugged: movble\n")
        calls = sent(other, [call("Reload")], replies)
        go_on()
        calls[0].block()
        assert len(replies) == 1 and not isinstance(replies[0], lowlevel.ErrorMessage), replies
        assert ended(w) == START_AGAIN
    # The next one shows what is wrong, and stays.
    w.start(HOST, "--exit-idle-time", "1", policy="hotplugged: movble\n")
    client = Client(w)
    eventually(lambda: "ML" in client.get("Problems"), "the problem to be shown")
    assert ended(w, 3) is None


def loses_no_call(w: World) -> None:
    """What is sent while it ends is answered, or sent back by the bus: never left without an answer."""
    answered = late = 0
    takes = 0.0  # from the last caller's leaving to the end, as it was without another call
    for attempt in range(-1, 16):
        w.start(HOST, "--exit-idle-time", "1", policy=KERNELS)
        first, other = Client(w), w.connect()
        first.settled()
        time.sleep(1.5)  # what starting took is returned by then
        first.bus.close()
        begun = time.monotonic()
        if attempt < 0:
            assert ended(w) == 0
            takes = time.monotonic() - begun
            continue
        # Around the moment at which it ends, a millisecond later each time.
        time.sleep(max(0.0, begun + takes + (attempt - 22) / 1000 - time.monotonic()))
        try:
            other.call_blocking(NAME, PATH, MANAGER, "GetPolicies", "", (), timeout=20)
            answered += 1
        except dbus.DBusException as error:
            assert error.get_dbus_name() in GONE, error
            late += 1
        other.close()
        assert ended(w) == 0
    print(f"{answered} calls answered, {late} sent back by the bus")


TESTS: List[Callable[[World], None]] = [ends, callers_that_leave, stays, answers_what_has_come, starts_again_after_a_late_call,
                                         loses_no_call, sleeps_for_a_minute]

if __name__ == "__main__":
    sys.exit(run(TESTS))
