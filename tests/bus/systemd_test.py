# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: systemd_test.py MEMONLINED SOURCE GOING_DOWN: what the service asks of systemd, which is played here:
jobs of memonline-bootparams.service, and whether the machine goes down. GOING_DOWN is the command's question."""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
from typing import Dict, Iterator, List

from world import dbus, JOB, MANAGER, PATH, STANDARD, Client, World, eventually, refused, run, unless

HOST = "6.12-a1"  # 16 hot-plugged blocks of 128 MiB, offline
BOOT_TEST = sys.argv.pop(3)
# Does what files in its directory say: `state`, and a job ends with the text of `result` once that is there.
SYSTEMD = """
import pathlib, sys
import dbus, dbus.mainloop.glib, dbus.service
from gi.repository import GLib
dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection(sys.argv[1])
place = pathlib.Path(sys.argv[2])
NAME = "org.freedesktop.systemd1"

class Systemd(dbus.service.Object):
    started = 0
    running = None

    @dbus.service.method(NAME + ".Manager", in_signature="ss", out_signature="o")
    def StartUnit(self, unit, mode):
        if self.running is None:
            self.started += 1
            self.running = dbus.ObjectPath(f"/org/freedesktop/systemd1/job/{self.started}")
            (place / "started").write_text(f"{self.started} {unit}")
            GLib.timeout_add(20, self.look, unit)
        return self.running

    def look(self, unit):
        result = place / f"result-{self.started}"
        if not result.exists():
            return True
        job, self.running = self.running, None
        self.JobRemoved(self.started, job, unit, result.read_text())
        return False

    @dbus.service.signal(NAME + ".Manager", signature="uoss")
    def JobRemoved(self, number, job, unit, result):
        pass

    @dbus.service.method("org.freedesktop.DBus.Properties", in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        assert (interface, name) == (NAME + ".Manager", "SystemState")
        return (place / "state").read_text()

systemd = Systemd(bus, "/org/freedesktop/systemd1")
owned = dbus.service.BusName(NAME, bus)
GLib.MainLoop().run()
"""
# One client: a reload behind the call goes the same way, so that its answer says that the call is there.
CALL = """
import sys
import dbus, dbus.mainloop.glib
from gi.repository import GLib
dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection(sys.argv[1])
manager = dbus.Interface(bus.get_object("org.memonline1", "/org/memonline1", introspect=False),
                         "org.memonline1.Manager")
loop = GLib.MainLoop()

def answered(text):
    sys.stdout.write(text)
    loop.quit()

manager.WriteBootParameters(reply_handler=lambda: answered("done"), timeout=60,
                            error_handler=lambda error: answered(error.get_dbus_message()))
manager.Reload()
print("sent", flush=True)
loop.run()
"""
in_a_test_system = unless(lambda w: os.geteuid() != 0 or os.path.exists("/run/systemd/private"),
                          "root, and a machine without a systemd of its own")


@contextlib.contextmanager
def systemd(w: World, state: str) -> Iterator[pathlib.Path]:
    """One that is in this state; the directory that it does as it says in."""
    place = pathlib.Path(tempfile.mkdtemp(dir=w.directory))
    (place / "state").write_text(state)
    process = subprocess.Popen([sys.executable, "-c", SYSTEMD, w.address, str(place)])
    try:
        bus = w.connect()
        eventually(lambda: bus.name_has_owner("org.freedesktop.systemd1"), "systemd is there")
        yield place
    finally:
        process.kill()
        process.wait()


class Calls:
    """WriteBootParameters by clients of their own, at the same time."""

    def __init__(self, w: World) -> None:
        self.world = w
        self.answers: Dict[str, str] = {}
        self.threads: List[threading.Thread] = []

    def begin(self, name: str) -> None:
        """The service has the call when this returns."""
        client = subprocess.Popen([sys.executable, "-c", CALL, self.world.address], stdout=subprocess.PIPE, text=True)
        assert client.stdout is not None and client.stdout.readline() == "sent\n"

        def hear() -> None:
            self.answers[name] = client.communicate()[0]

        self.threads.append(threading.Thread(target=hear))
        self.threads[-1].start()

    def end(self) -> None:
        for thread in self.threads:
            thread.join()


def number_started(place: pathlib.Path) -> int:
    """How many jobs there were."""
    started = place / "started"
    return int(started.read_text().split()[0]) if started.exists() else 0


@in_a_test_system
def all_are_answered(w: World) -> None:
    """Calls that come while boot parameters are written get the answer of a run that began after them."""
    with systemd(w, "running") as place:
        w.start(HOST)
        Client(w).settled()
        calls = Calls(w)
        calls.begin("first")
        eventually(lambda: number_started(place) == 1, "the unit is started")
        for name in ("second", "third"):
            calls.begin(name)
        (place / "result-1").write_text("failed")
        eventually(lambda: "first" in calls.answers, "the first is answered")
        assert "ended with `failed`" in calls.answers["first"], calls.answers
        eventually(lambda: number_started(place) == 2, "the others get a run of their own")
        assert set(calls.answers) == {"first"}, calls.answers
        (place / "result-2").write_text("done")
        calls.end()
        assert (calls.answers["second"], calls.answers["third"]) == ("done", "done"), calls.answers
        assert number_started(place) == 2
        (place / "result-3").write_text("timeout")
        assert "timeout" in refused(STANDARD + "Failed", Client(w).manager.WriteBootParameters)


def confirming(w: World) -> None:
    """A job waits to be confirmed."""
    w.start(HOST, policy="hotplugged: keep\n")
    client = Client(w)
    client.settled()
    digest = client.plan(policy="hotplugged: movable\n")["digest"]
    job = client.manager.Apply(digest, dbus.Dictionary({"confirm-seconds": dbus.UInt32(600)}, signature="sv"))
    eventually(lambda: client.get("State", job, JOB) == "confirming", "it waits for a word")


@in_a_test_system
def does_not_hold_up_a_shutdown(w: World) -> None:
    """What waits to be confirmed is undone when the service stops, and left as it is when the machine does."""
    journal = w.directory / "machine/run/memonline/unconfirmed"
    for state, left in (("running", False), ("stopping", True)):
        with systemd(w, state):
            confirming(w)
            assert json.loads(journal.read_text())["to_confirm"]
            assert w.stop() == 0
            assert journal.exists() == left, state
            answer = subprocess.run([BOOT_TEST], check=False).returncode
            assert answer == (0 if left else 1), (state, answer)
    assert subprocess.run([BOOT_TEST], check=False).returncode == 1, "without systemd it does not go down"


if __name__ == "__main__":
    sys.exit(run([all_are_answered, does_not_hold_up_a_shutdown]))
