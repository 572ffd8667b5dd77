# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: interfaces_test.py MEMONLINED SOURCE: every method, property and signal that the interfaces'
XML names, one by one, by busctl and by a client in Python, allowed and denied. A member that the XML
gains and these tables lack is a failure."""
import json
import pathlib
import subprocess
import sys
import zlib
import xml.etree.ElementTree as xml
from typing import Any, Callable, Dict, List, Set, Tuple

from world import (dbus, JOB, MANAGER, NAME, NODE, PATH, STANDARD, Client, World, as_user, become, busctl,
                   eventually, needs_polkit, refused, run)

HOST = "6.12-a1"  # 16 hot-plugged blocks of 128 MiB, offline
MOVABLE = "hotplugged: movable\n"
OPTIONS = dbus.Dictionary({}, signature="sv")
INTERFACES = (MANAGER, NODE, JOB)
Member = Tuple[str, str, tuple]


def members(root: xml.Element, interface: str) -> Set[Member]:
    """The members of an interface, as values that can be compared."""
    found: Set[Member] = set()
    element = next(e for e in root.iter("interface") if e.get("name") == interface)
    for member in element:
        if member.tag not in ("method", "signal", "property"):
            continue
        args = tuple((arg.get("name"), arg.get("type"),
                      arg.get("direction", "in") if member.tag == "method" else "")
                     for arg in member.iter("arg"))
        notes: Dict[str, str] = {str(a.get("name")): str(a.get("value"))
                                 for a in member.iter("annotation")}
        emits = notes.get("org.freedesktop.DBus.Property.EmitsChangedSignal", "true")
        more = (member.get("type"), member.get("access"), emits) if member.tag == "property" else ()
        found.add((member.tag, str(member.get("name")), args + more))
    return found


def written(w: World, interface: str) -> xml.Element:
    """The interface as its XML has it, comments among its children."""
    parser = xml.XMLParser(target=xml.TreeBuilder(insert_comments=True))
    root = xml.parse(w.source / f"dbus/{interface}.xml", parser).getroot()
    return next(element for element in root.iter("interface") if element.get("name") == interface)


def named(w: World, kind: str) -> Set[Tuple[str, str]]:
    """All members of that kind, as (interface, name)."""
    return {(interface, str(member.get("name"))) for interface in INTERFACES
            for member in written(w, interface).iter(kind)}


def introspects(w: World) -> None:
    """The service shows exactly what its XML says."""
    w.start(HOST)
    client = Client(w)
    client.settled()
    job = client.manager.Apply(client.plan()["digest"], OPTIONS)
    for interface, path in ((MANAGER, PATH), (NODE, PATH + "/node/0"), (JOB, str(job))):
        shown = xml.fromstring(
            client.at(path, "org.freedesktop.DBus.Introspectable").Introspect())
        source = xml.parse(w.source / f"dbus/{interface}.xml").getroot()
        assert members(shown, interface) == members(source, interface), interface
    assert "org.memonline1.Manager" in busctl(w, "introspect", NAME, PATH)
    assert "const" in busctl(w, "introspect", NAME, PATH, MANAGER)


def documents(w: World) -> None:
    """Each member of each interface is explained by a comment right before it."""
    for interface in INTERFACES:
        before: Any = None
        for child in written(w, interface):
            if child.tag in ("method", "signal", "property"):
                told = before is not None and before.tag is xml.Comment and (before.text or "").strip()
                assert told, f"{interface}.{child.get('name')} is not explained"
            before = child


# One call, given as JSON; the text of an error goes to standard error.
CALL = """
import json, sys
import dbus
address, path, interface, method, signature, values = sys.argv[1:]
typed = []
for value in json.loads(values):
    if isinstance(value, dict):
        value = dbus.Dictionary({key: dbus.UInt32(v) if isinstance(v, int) else v
                                 for key, v in value.items()}, signature="sv")
    typed.append(value)
try:
    dbus.bus.BusConnection(address).call_blocking("org.memonline1", path, interface, method,
                                                  signature, typed)
except dbus.DBusException as error:
    sys.exit(error.get_dbus_message())
"""
Way = Callable[..., subprocess.CompletedProcess]


def by_python(w: World, user: str, path: str, interface: str, method: str, signature: str = "",
              *values: Any) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*become(user), sys.executable, "-c", CALL, w.address, path,
         interface, method, signature, json.dumps(values)],
        capture_output=True, text=True, check=False)


def by_busctl(w: World, user: str, path: str, interface: str, method: str, signature: str = "",
              *values: Any) -> subprocess.CompletedProcess:
    words: List[str] = [signature] if signature else []
    for value in values:
        if isinstance(value, dict):
            words.append(str(len(value)))
            for key, one in value.items():
                words += [key, "u" if isinstance(one, int) else "s", str(one)]
        elif isinstance(value, list):
            words += [str(len(value)), *map(str, value)]
        else:
            words.append(str(value))
    return as_user(user, w, "--allow-interactive-authorization=no", "call", NAME, path, interface,
                   method, "--", *words)


WAYS: List[Way] = [by_busctl, by_python]
READS: Dict[str, list] = {
    "Check": ["s", MOVABLE], "Plan": ["a{sv}", {"policy": MOVABLE}],
    "PlanToFile": ["a{sv}", {"policy": MOVABLE}], "Verify": [], "GetHost": [],
    "Explain": ["s", "memory40"], "ListBlocks": ["a{sv}", {"state": "online"}], "GetPolicies": []}


class Caller:
    """Calls in one of the two ways, and notes what was called."""

    def __init__(self, w: World, way: Way, user: str) -> None:
        self.world, self.way, self.user = w, way, user
        self.called: Set[Tuple[str, str]] = set()

    def call(self, path: str, interface: str, method: str, *values: Any) -> str:
        """The error's text; empty: it went well."""
        self.called.add((interface, method))
        answer = self.way(self.world, self.user, path, interface, method, *values)
        assert (answer.returncode == 0) == (not answer.stderr), answer
        return str(answer.stderr)

    def well(self, path: str, interface: str, method: str, *values: Any) -> None:
        error = self.call(path, interface, method, *values)
        assert not error, (method, error)

    def reads(self, client: Client) -> None:
        for method, values in READS.items():
            self.well(PATH, MANAGER, method, *values)
        document = str(client.plan(policy=MOVABLE)["document"])
        self.well(PATH, MANAGER, "SubmitPlan", "s", document)
        stream = zlib.compress(document.encode())
        self.well(PATH, MANAGER, "SubmitCompressedPlan", "ay", list(stream))


def begun(caller: Caller, client: Client, state: str, **options: int) -> str:
    """A job that this caller began, once it is in that state."""
    digest = client.plan(policy=MOVABLE)["digest"]
    caller.well(PATH, MANAGER, "Apply", "sa{sv}", digest,
                {key.replace("_", "-"): value for key, value in options.items()})
    job = str(client.get("ActiveJob"))
    eventually(lambda: client.get("State", job, JOB) == state, f"it is {state}")
    return job


def undone(client: Client) -> None:
    assert client.done(client.manager.Undo()) == "done"


def allowed(w: World) -> None:
    """Root may all there is."""
    w.start(HOST, "--latency", "20", policy=None)
    client = Client(w)
    client.settled()
    for way in WAYS:
        caller = Caller(w, way, "root")
        caller.reads(client)
        job = begun(caller, client, "confirming", confirm_seconds=60)
        caller.well(PATH, MANAGER, "Confirm")
        assert client.done(job) == "done"
        caller.well(job, JOB, "ReportToFile")
        caller.well(PATH, MANAGER, "Undo")
        eventually(lambda: client.get("ActiveJob") == "/", "it is undone")
        job = begun(caller, client, "confirming", confirm_seconds=60, deadline_seconds=5)
        caller.well(PATH, MANAGER, "Cancel", "o", job)
        assert client.done(job) == "undone"
        job = begun(caller, client, "confirming", confirm_seconds=60)
        caller.well(job, JOB, "AdjustTimeout", "u", 300)
        caller.well(job, JOB, "Cancel")
        assert client.done(job) == "undone"
        caller.well(PATH, MANAGER, "Reload")
        # There is no PID 1 on this bus.
        assert "memonline boot apply" in caller.call(PATH, MANAGER, "WriteBootParameters")
        assert caller.called == named(w, "method"), caller.called ^ named(w, "method")


@needs_polkit
def denied(w: World) -> None:
    """Who is not root reads all, and changes nothing that polkit would have to ask a person about."""
    w.start(HOST, "--latency", "20", policy=None)
    client = Client(w)
    client.settled()
    for way in WAYS:
        caller = Caller(w, way, "nobody")
        caller.reads(client)
        job = begun(Caller(w, way, "root"), client, "confirming", confirm_seconds=60)
        changes: List[list] = [
            [PATH, MANAGER, "Apply", "sa{sv}", client.plan(policy=MOVABLE)["digest"], {}],
            *([PATH, MANAGER, method] for method in
              ("Confirm", "Undo", "Reload", "WriteBootParameters")),
            [PATH, MANAGER, "Cancel", "o", job], [job, JOB, "AdjustTimeout", "u", 300], [job, JOB, "Cancel"]]
        for path, interface, method, *values in changes:
            error = caller.call(path, interface, method, *values)
            assert "requires interactive authorization" in error, (method, error)
        assert client.get("State", job, JOB) == "confirming", "nothing has come of it"
        client.manager.Confirm()
        assert client.done(job) == "done"
        caller.well(job, JOB, "ReportToFile")
        undone(client)
        assert caller.called == named(w, "method"), caller.called ^ named(w, "method")


def properties(w: World) -> None:
    """Everybody reads each property, of the type that the XML says, and nobody sets one."""
    w.start(HOST)
    client = Client(w)
    client.settled()
    job = client.manager.Apply(client.plan()["digest"], OPTIONS)
    places = {MANAGER: PATH, NODE: PATH + "/node/0", JOB: str(job)}
    for interface, path in places.items():
        known = {str(one.get("name")): str(one.get("type"))
                 for one in written(w, interface).iter("property")}
        assert set(client.all(path, interface)) == set(known), interface
        for name, kind in known.items():
            for user in w.users:
                answer = as_user(user, w, "get-property", NAME, path, interface, name)
                assert answer.stdout.split()[:1] == [kind], (name, answer)
            value = client.get(name, path, interface)
            refused(STANDARD + "PropertyReadOnly", lambda: client.at(
                path, dbus.PROPERTIES_IFACE).Set(interface, name, value))


def monitored(w: World) -> None:
    """busctl sees every signal there is, and those of the standard's interfaces."""
    file = w.directory / "monitored"
    w.start(HOST, "--latency", "5", policy=None)
    client = Client(w)
    client.settled()
    with open(file, "wb") as out:
        monitor = subprocess.Popen(["busctl", f"--address={w.address}", "--json=short", "monitor",
                                    NAME], stdout=out, stderr=subprocess.DEVNULL)
    w.processes.append(monitor)

    def seen() -> Set[Tuple[str, str]]:
        whole = file.read_text().rpartition("\n")[0]
        heard = [json.loads(line) for line in whole.splitlines()]
        return {(one["interface"], one["member"]) for one in heard if one["type"] == "signal"}

    def begins() -> bool:
        client.get("State")
        return file.stat().st_size > 0

    eventually(begins, "it listens")
    assert client.done(client.manager.Apply(client.plan(policy=MOVABLE)["digest"], OPTIONS)) == "done"
    for _ in range(17):  # 16 that are done are kept
        client.done(client.manager.Undo())
    standard = {(dbus.PROPERTIES_IFACE, "PropertiesChanged"),
                ("org.freedesktop.DBus.ObjectManager", "InterfacesAdded"),
                ("org.freedesktop.DBus.ObjectManager", "InterfacesRemoved")}
    eventually(lambda: standard | named(w, "signal") <= seen(), "all of them are seen")
    monitor.terminate()


TESTS: List[Callable[[World], None]] = [introspects, documents, allowed, denied, properties, monitored]

if __name__ == "__main__":
    sys.exit(run(TESTS))
