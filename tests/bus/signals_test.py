# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: signals_test.py MEMONLINED SOURCE: what changes is announced, each property of each
interface, with the value that it has then; what cannot change never is."""
import sys
import xml.etree.ElementTree as xml
from typing import Any, Callable, Dict, List, Set, Tuple

from world import (dbus, JOB, MANAGER, NAME, NODE, PATH, Client, Kernel, World, run, spin)

HOST = "6.12-a1"  # memory32..47 hot-plugged, offline
MOVABLE = "hotplugged: movable\n"
OPTIONS = dbus.Dictionary({}, signature="sv")
EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"


class Heard:
    """The signals of the service, as they come."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.signals: List[Tuple[str, str, tuple]] = []
        client.bus.add_signal_receiver(
            lambda *values, member, path: self.signals.append((str(member), str(path), values)),
            bus_name=NAME, member_keyword="member", path_keyword="path")

    def until(self, holds: Callable[[], object], what: Callable[[], str]) -> None:
        for _ in range(300):
            spin(0.05)
            if holds():
                return
        raise AssertionError(f"not within 15 s: {what()}")

    def changes(self, interface: str, path: str = "") -> Dict[str, List[Any]]:
        """By property, the values that were announced."""
        found: Dict[str, List[Any]] = {}
        for member, where, values in self.signals:
            if member != "PropertiesChanged" or values[0] != interface or path not in ("", where):
                continue
            assert not values[2], "nothing is only invalidated"
            for name, value in values[1].items():
                found.setdefault(str(name), []).append(value)
        return found

    def begin(self) -> None:
        """Only what comes from now on counts."""
        spin(0.3)
        self.signals.clear()

    def announced(self, path: str, interface: str, *names: str) -> None:
        """These change, and what was announced last is what they are."""
        self.until(lambda: set(names) <= set(self.changes(interface, path)),
                   lambda: f"{names} are announced, not only "
                           f"{set(self.changes(interface, path))}")

        def agree() -> bool:
            now = self.client.all(path, interface)
            return all(self.changes(interface, path)[name][-1] == now[name] for name in names)

        self.until(agree, lambda: f"what is announced of {names} is what they are")


def changing(w: World, interface: str) -> Tuple[Set[str], Set[str]]:
    """Which properties the XML says to be announced, and which never change."""
    by_promise: Dict[str, Set[str]] = {"true": set(), "const": set()}
    for one in xml.parse(w.source / f"dbus/{interface}.xml").getroot().iter("property"):
        promise = next(a.get("value") for a in one.iter("annotation") if a.get("name") == EMITS)
        by_promise[str(promise)].add(str(one.get("name")))
    return by_promise["true"], by_promise["const"]


def complete(w: World, heard: Set[str], interface: str) -> None:
    announced, constant = changing(w, interface)
    assert announced and announced <= heard, f"never announced: {announced - heard}"
    assert not heard & constant, heard & constant


def of_the_manager(w: World) -> None:
    """Policies, switches, trouble: whatever can change is announced when it does."""
    w.kernel = Kernel()
    seen: Set[str] = set()

    def changed(*names: str) -> None:
        heard.announced(PATH, MANAGER, *names)
        seen.update(heard.changes(MANAGER, PATH))
        heard.begin()

    try:
        w.start(HOST, "--latency", "5", "--refuse", "memory41=EIO", policy=None)
        client = Client(w)
        client.settled()
        heard = Heard(client)

        def reload(policy: str) -> None:
            w.write_policy(policy)
            client.manager.Reload()

        reload("set hotplug = kernel\nhotplugged: movable\n")
        changed("PolicyFiles", "HotplugBy", "HotplugWhy", "Switches", "State")
        reload("hotplugged: nowhere\n")
        changed("Problems")
        reload(MOVABLE)
        changed("Problems", "PolicyFiles", "HotplugBy", "HotplugWhy", "Switches")
        w.kernel.says("add", 32)
        changed("Failing", "State", "Counters")
        reload("hotplugged: keep\n")
        changed("Failing", "State")
        w.kernel.says("offline", 41)
        changed("LeftAlone", "State")
        reload("boot: last 50% movable, rest normal\n")
        changed("PendingKernelParameters")
        client.done(client.manager.Undo())
        changed("ActiveJob")
        complete(w, seen, MANAGER)
    finally:
        w.kernel = None


def of_nodes(w: World) -> None:
    """A node's bytes, and the policy's wish."""
    w.start(HOST, policy=None)
    client = Client(w)
    client.settled()
    heard, node = Heard(client), PATH + "/node/0"
    job = client.manager.Apply(client.plan(policy=MOVABLE)["digest"], OPTIONS)
    client.done(job)
    heard.announced(node, NODE, "Online", "Offline", "Zones")
    w.write_policy("hotplugged: 50% movable, rest normal\n")
    client.manager.Reload()
    heard.announced(node, NODE, "Wished")
    complete(w, set(heard.changes(NODE)), NODE)


def of_jobs(w: World) -> None:
    """How a job goes on, ends, fails, is undone; that it came, and that it went."""
    w.start(HOST, "--latency", "20", "--refuse", "memory6=EBUSY", policy=None)
    client = Client(w)
    client.settled()
    heard = Heard(client)
    job = client.manager.Apply(client.plan(policy=MOVABLE)["digest"], dbus.Dictionary(
        {"confirm-seconds": dbus.UInt32(1)}, signature="sv"))
    assert client.done(job) == "undone"
    heard.announced(job, JOB, "State", "Result", "Progress", "Blocks", "BlocksDone", "StepsDone",
                    "StepsTotal", "CurrentStep", "Report", "Undone")
    states = [str(state) for state in heard.changes(JOB, job)["State"]]
    assert states[-1] == "done" and "running" in states and "confirming" in states, states
    progress = heard.changes(JOB, job)["Progress"]
    assert progress == sorted(progress) and any(0 < one < 1 for one in progress), progress
    fails = client.manager.Undo()  # it was undone already
    client.done(fails)
    heard.announced(fails, JOB, "Error")
    waits = client.manager.Apply(client.plan(unplug="memory6")["digest"], dbus.Dictionary(
        {"retry-seconds": dbus.UInt32(60)}, signature="sv"))
    heard.announced(waits, JOB, "State", "Attempts", "Error")
    client.manager.Cancel(waits)
    complete(w, set(heard.changes(JOB)), JOB)
    for _ in range(14):
        client.done(client.manager.Undo())

    def told(member: str) -> List[str]:
        return [str(values[0]) for name, _, values in heard.signals if name == member]

    heard.until(lambda: told("InterfacesRemoved"), lambda: "the eldest of 17 jobs goes")
    assert told("InterfacesRemoved") == [job], told("InterfacesRemoved")
    removed = next(values for name, _, values in heard.signals if name == "InterfacesRemoved")
    assert JOB in removed[1], removed
    assert len(told("InterfacesAdded")) == len(set(told("InterfacesAdded"))) == 17
    managed = client.at(PATH, "org.freedesktop.DBus.ObjectManager").GetManagedObjects()
    assert job not in managed and fails in managed
    finished = [str(path) for name, path, _ in heard.signals if name == "Finished"]
    assert len(finished) == len(set(finished)) == 17, finished


def when_it_ends(w: World) -> None:
    """That its name is free says all: whoever answered to more would have the bus start it again."""
    w.start(HOST, policy=None)
    client = Client(w)
    client.settled()
    client.done(client.manager.Apply(client.plan(policy=MOVABLE)["digest"], OPTIONS))
    heard = Heard(client)
    heard.begin()
    assert w.stop() == 0
    spin(0.5)
    assert not heard.signals, heard.signals


TESTS: List[Callable[[World], None]] = [of_the_manager, of_nodes, of_jobs, when_it_ends]

if __name__ == "__main__":
    sys.exit(run(TESTS))
