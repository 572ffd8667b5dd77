# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: command_test.py MEMONLINED SOURCE: `memonline` where the service runs sees the machine with
the service's eyes, and prints what it would print without."""
import contextlib
import os
import pathlib
import pty
import re
import subprocess
import sys
from typing import Callable, List

from large_hosts import HOST, memonline
from world import dbus, JOB, NAME, PATH, Client, World, become, eventually, needs_users, run, spin

POLICY = "hotplugged: 75% movable, rest normal; boot: last 25% movable, rest normal"
COMMANDS = [
    *(["plan", "--exit-code", "--format", form] for form in ("text", "json", "yaml", "shell", "svg")),
    ["plan", "--unplug", "memory2-3", "--color", "always"],
    ["plan", "--add", "2GiB,dimm=1GiB", "--format", "json"],
    *(["status", "--format", form] for form in ("text", "json")),
    *(["explain", "memory40", "--format", form] for form in ("text", "json")),
    ["explain", "memory4000"]]
PICTURES = [["map", "--format", form] for form in ("text", "svg", "html")]


def as_seen(w: World, client: Client) -> str:
    """The machine as the service describes it, in a file for --root."""
    fd = client.manager.GetHost()["document"].take()
    file = w.directory / "seen.yaml"
    file.write_bytes(os.pread(fd, 1 << 20, 0))
    os.close(fd)
    return str(file)


def same(w: World) -> None:
    """Each form of each answer, byte for byte, is the one of the machine that the service keeps."""
    w.start(HOST, policy=None)
    client = Client(w)
    client.settled()
    file = as_seen(w, client)
    for words in [*([*command, "-e", POLICY] for command in COMMANDS), *PICTURES]:
        by_service, direct = memonline(w, *words), memonline(w, *words, "--root", file)
        named = tuple(text.replace(file.encode(), b"/") for text in direct[1:])
        assert by_service == (direct[0], *named), (words, by_service, direct)
        # That it was asked shows: this machine has other memory.
        assert b"memory4000" in by_service[2] or by_service != memonline(w, *words, "--direct"), words
    document = memonline(w, "plan", "-e", POLICY, "--format", "json")[1].decode()
    assert client.plan(policy=POLICY)["document"] == document.replace("<-e>", "<bus>")


def mistakes(w: World) -> None:
    """A wrong policy reads the same, and so does none."""
    w.start(HOST)
    Client(w).settled()
    for words in (["plan", "-e", "hotplugged: nowhere"], ["status", "-e", "hotplugged: nowhere"],
                  ["plan"], ["plan", "--policy", "/nowhere.mempolicy", "--format", "json"]):
        status, printed, errors = memonline(w, *words)
        direct = memonline(w, *words, "--direct")
        assert status == 2 == direct[0], (words, status, direct)
        # status shows memory all the same: the service its own, and this machine may have none to show.
        assert errors.strip() in direct[2] if words[0] == "status" else (printed, errors) == direct[1:], (words, errors, direct)


@needs_users
def everybody(w: World) -> None:
    """Users plan with what root would see, but are not told where the kernel lies."""
    w.start(HOST, policy=None)
    client = Client(w)
    client.settled()
    wish = ["-e", "hotplugged: 75% movable, rest normal"]
    for words in (["plan", *wish], ["status", "--format", "json", *wish], ["map"]):
        assert memonline(w, *words, user="nobody") == memonline(w, *words), words
    told = pathlib.Path(as_seen(w, client)).read_text()
    assert "early-memory:" in told
    read = ("import dbus, os; m = dbus.SystemBus().get_object('org.memonline1', '/org/memonline1');"
            "fd = m.GetHost(dbus_interface='org.memonline1.Manager')['document'].take();"
            "print(os.pread(fd, 1 << 20, 0).decode())")
    untold = subprocess.run([*become("nobody"), sys.executable, "-c", read],
                            capture_output=True, text=True, check=True,
                            env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": w.address}).stdout
    assert "boot-memory:" in untold and "early-memory" not in untold, untold


def progress(w: World) -> None:
    """What the service writes is shown on a terminal as what the command itself writes."""
    w.start(HOST, "--latency", "100", policy=None)
    client = Client(w)
    client.settled()
    done = client.done(client.manager.Apply(client.plan(policy="hotplugged: movable")["digest"],
                                            dbus.Dictionary({}, signature="sv")))
    assert done == "done", done
    command = str(pathlib.Path(w.memonlined).with_name("memonline"))
    ours, theirs = pty.openpty()
    with subprocess.Popen([command, "undo"], stdout=subprocess.PIPE, stderr=theirs,
                          env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": w.address}) as undoing:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # EIO: the other end is gone
            while piece := os.read(ours, 4096):
                shown += piece
        os.close(ours)
        said = undoing.communicate(timeout=30)[0]
    assert b"16 of 16 blocks" in said and undoing.returncode == 0, (undoing.returncode, said, shown)
    lines = re.findall(rb"\rstep \d of \d: (\d+) of 16 blocks, \d+ blocks/s, \d+ s left; [^\r]+\x1b\[K", shown)
    blocks = [int(line) for line in lines]
    assert blocks and blocks == sorted(blocks) and blocks[0] < blocks[-1], shown
    assert shown.endswith(b"\r\x1b[K"), "the line is gone in the end"


def told_that_it_ended(w: World) -> None:
    """Who waits for a job reads that the service has ended."""
    w.start(HOST, "--latency", "100", policy="hotplugged: keep")
    client = Client(w)
    client.settled()
    nothing = dbus.Dictionary({}, signature="sv")
    assert client.done(client.manager.Apply(client.plan(policy="hotplugged: movable")["digest"], nothing)) == "done"
    objects = client.at(PATH, "org.freedesktop.DBus.ObjectManager")
    command = str(pathlib.Path(w.memonlined).with_name("memonline"))
    with subprocess.Popen([command, "undo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": w.address}) as undoing:
        eventually(lambda: any(each[JOB]["State"] == "running" for each in objects.GetManagedObjects().values() if JOB in each),
                   "it runs")
        assert w.daemon is not None
        w.daemon.kill()
        w.daemon.wait()
        w.daemon = None
        errors = undoing.communicate(timeout=60)[1]
    assert undoing.returncode == 1 and b"memonlined stopped before the run was complete\n" in errors, (status, said, errors)
    assert b"help: `memonline status` shows" in errors, (status, said, errors)


def does_without(w: World) -> None:
    """A service that cannot tell, as one of an older version, is done without."""
    bus = w.connect()
    bus.request_name(NAME, dbus.bus.NAME_FLAG_DO_NOT_QUEUE)
    command = str(pathlib.Path(w.memonlined).with_name("memonline"))
    with subprocess.Popen([command, "map"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": w.address}) as asking:
        for _ in range(200):
            spin(0.05)
            if asking.poll() is not None:
                break
        said = (asking.returncode, *asking.communicate(timeout=1))
    assert said == memonline(w, "map", "--direct"), said
    bus.release_name(NAME)


TESTS: List[Callable[[World], None]] = [same, mistakes, everybody, progress, told_that_it_ended, does_without]

if __name__ == "__main__":
    sys.exit(run(TESTS))
