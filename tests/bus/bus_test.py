# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: bus_test.py MEMONLINED SOURCE: every method, property and signal of the service on a bus
of its own with the real polkitd, allowed and denied, by busctl and by a client in Python."""
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import zlib
from typing import Callable, List, Set, Tuple

from world import (dbus, ERROR, JOB, MANAGER, NAME, NODE, PATH, STANDARD, Client, World,
                   as_nobody, eventually, needs_polkit, refused, run, spin)

HOST = "6.12-a1"  # 16 hot-plugged blocks of 128 MiB, offline
MOVABLE = "hotplugged: movable\n"
LOWERED = "set hotplug = kernel\n" + MOVABLE
OPTIONS = dbus.Dictionary({}, signature="sv")


def options(**values) -> dbus.Dictionary:
    """A dictionary of options; _ stands for -."""
    return dbus.Dictionary({key.replace("_", "-"): value for key, value in values.items()},
                           signature="sv")


def reads(w: World) -> None:
    """What everybody may ask."""
    w.start(HOST, policy=LOWERED)
    client = Client(w)
    client.settled()
    assert client.get("Kernel").startswith("6.12.") and client.get("Era") == "D"
    assert client.get("BlockSize") == 128 << 20
    assert [str(path) for path, _ in client.get("PolicyFiles")] == ["50-test.mempolicy"]
    (policy,) = client.manager.GetPolicies()
    assert policy["path"].endswith("/etc/memonline/policy.d/50-test.mempolicy"), policy
    assert (policy["digest"], policy["policy"]) == (client.get("PolicyFiles")[0][1], LOWERED)
    assert client.get("HotplugBy") == "kernel" and "online_movable" in client.get("HotplugWhy")
    assert dict(client.get("Switches")) == {"auto_online_blocks": "online_movable"}
    assert client.get("Counters")["blocks-onlined"] == 16
    for name in ("Problems", "Failing", "LeftAlone", "PendingKernelParameters"):
        assert not client.get(name), name
    assert client.get("ActiveJob") == "/"
    version = subprocess.run([w.memonlined, "--version"], capture_output=True, text=True,
                             check=True).stdout.split()[1]
    assert client.get("Version") == version
    assert json.loads(client.manager.Check(MOVABLE))["diagnostics"] == []
    wrong = json.loads(client.manager.Check("hotplugged: nowhere\n"))["diagnostics"]
    assert wrong[0]["severity"] == "error", wrong
    assert "memory40" in client.manager.Explain("memory40")
    assert "ML0201" in client.manager.Explain("ML0201")
    refused(STANDARD + "InvalidArgs", lambda: client.manager.Explain("what?"))
    assert "memory99999" in refused(ERROR + "UnknownBlock",
                                    lambda: client.manager.Explain("memory99999"))
    verified = client.manager.Verify()
    assert verified["state"] == "in-sync" and verified["blocks"] == 0 and not verified["runs"]
    assert set(verified) == {"state", "blocks", "runs", "steps", "reboot-required", "failing",
                             "left-alone", "problems"}


def lists(w: World) -> None:
    """Runs of blocks are what `memonline status` says, and filters filter."""
    w.start(HOST)
    client = Client(w)
    client.settled()
    runs = client.manager.ListBlocks(OPTIONS)
    movable = client.manager.ListBlocks(options(zone="Movable", state="online"))
    assert sum(int(b) - int(a) + 1 for a, b in (run["blocks"] for run in movable)) == 16, movable
    assert 0 < len(movable) < len(runs)
    assert not client.manager.ListBlocks(options(node=dbus.UInt32(77)))
    assert not client.manager.ListBlocks(options(drift=True))
    assert {str(run["device"]) for run in client.manager.ListBlocks(options(device="boot"))} == {
        "boot"}
    memonline = pathlib.Path(w.memonlined).with_name("memonline")
    status = subprocess.run(
        [memonline, "status", "--root", str(w.source / f"tests/hosts/{HOST}.tar.xz"), "--format",
         "json"], capture_output=True, text=True, check=False).stdout
    boot = [b["blocks"] for b in json.loads(status)["blocks"] if b["device"] == "boot"]
    ours = client.manager.ListBlocks(options(device="boot"))
    assert [[int(n) for n in run["blocks"]] for run in ours] == boot


def refuses(w: World) -> None:
    """Typos, wrong types, too much."""
    w.start(HOST)
    client = Client(w)
    client.settled()
    invalid = STANDARD + "InvalidArgs"
    for wrong in (options(polcy="x"), options(offline="yes"), options(unplug="a lot"),
                  options(add="nothing"), options(unplug="1GiB", add="1GiB")):
        refused(invalid, lambda wrong=wrong: client.manager.Plan(wrong))
    assert "fast" in refused(invalid, lambda: client.manager.Apply("x", options(fast=True)))
    for seconds in (0, 86401):
        message = refused(invalid, lambda seconds=seconds: client.manager.Apply(
            "x", options(confirm_seconds=dbus.UInt32(seconds))))
        assert str(seconds) in message and "86400" in message
    refused(invalid, lambda: client.manager.ListBlocks(options(colour="red")))
    refused(ERROR + "UnknownPlan", lambda: client.manager.Apply("sha256:0", OPTIONS))
    refused(ERROR + "NothingToDo", client.manager.Confirm)
    refused(ERROR + "UnknownJob", lambda: client.manager.Cancel(dbus.ObjectPath("/x")))
    refused(ERROR + "NothingToDo",
            lambda: client.manager.Cancel(dbus.ObjectPath(PATH + "/job/77")))
    assert "ML" in refused(ERROR + "PolicyInvalid", lambda: client.plan(policy="dimm: nowhere\n"))
    refused(ERROR + "PlanImpossible", lambda: client.plan(unplug="100TiB"))
    large = "#" * ((1 << 16) + 1)
    assert "65536" in refused(STANDARD + "LimitsExceeded", lambda: client.manager.Check(large))
    refused(STANDARD + "LimitsExceeded", lambda: client.plan(policy=large))
    # There is no PID 1 on this bus.
    assert "memonline boot apply" in refused(STANDARD + "Failed", client.manager.WriteBootParameters)
    refused(STANDARD + "PropertyReadOnly", lambda: client.at(
        PATH, dbus.PROPERTIES_IFACE).Set(MANAGER, "State", "drift"))


def applies(w: World) -> None:
    """A plan is carried out, undone, goes stale; the job outlives its work; signals tell of it."""
    w.start(HOST, "--latency", "20", policy=None)
    client = Client(w)
    client.settled()
    signals: List[Tuple[str, str, tuple]] = []
    client.bus.add_signal_receiver(
        lambda *values, member, path: signals.append((str(member), str(path), values)),
        bus_name=NAME, member_keyword="member", path_keyword="path")
    refused(ERROR + "PolicyInvalid", client.plan)
    normal, movable = (client.plan(policy=f"hotplugged: {zone}\n") for zone in
                       ("normal", "movable"))
    assert movable["steps"] >= 1 and not movable["reboot-required"]
    document = json.loads(movable["document"])
    assert document["schema"] == "memonline.plan/1"
    job = client.manager.Apply(movable["digest"], OPTIONS)
    assert client.get("ActiveJob") == job
    assert client.done(job) == "done"
    spin(0.4)
    properties = client.all(job, JOB)
    assert properties["Kind"] == "apply" and properties["StartedByUID"] == os.geteuid()
    assert properties["Progress"] == 1.0 and properties["Blocks"] == properties["BlocksDone"] == 16
    assert properties["StepsDone"] == properties["StepsTotal"] == movable["steps"]
    assert properties["CurrentStep"] == "" and properties["Error"] == ""
    refused(ERROR + "NothingToDo", client.at(job, JOB).Cancel)
    seen = {(member, path) for member, path, _ in signals}
    assert ("Finished", job) in seen and ("InterfacesAdded", PATH) in seen, seen
    assert ("PropertiesChanged", job) in seen and ("PropertiesChanged", PATH) in seen, seen
    finished = next(values for member, _, values in signals if member == "Finished")
    assert finished[0] == "done" and finished[1]["blocks-done"] == 16, finished
    changed: Set[str] = set()
    for member, path, values in signals:
        if member == "PropertiesChanged" and path == PATH:
            changed |= {str(name) for name in values[1]}
    assert {"State", "ActiveJob"} <= changed, changed
    assert any(0 < values[1].get("Progress", 0) < 1 for member, path, values in signals
               if member == "PropertiesChanged" and path == job), "progress was shown"

    assert "changed" in refused(ERROR + "PlanStale",
                                lambda: client.manager.Apply(normal["digest"], OPTIONS))
    undo = client.manager.Undo()
    assert client.done(undo) == "done" and client.get("Kind", undo, JOB) == "undo"
    assert len(client.manager.ListBlocks(options(zone="Movable"))) == 0
    eventually(lambda: client.get("ActiveJob") == "/", "no job is active")
    managed = client.at(PATH, "org.freedesktop.DBus.ObjectManager").GetManagedObjects()
    assert job in managed and undo in managed and PATH + "/node/0" in managed, managed.keys()


def files(w: World) -> None:
    """A plan passes as a sealed file, byte for byte the same."""
    w.start(HOST, policy=None)
    client = Client(w)
    client.settled()
    text = client.plan(policy=MOVABLE)
    file = client.manager.PlanToFile(options(policy=MOVABLE))
    assert set(text) == set(file) and text["digest"] == file["digest"]
    fd = file["document"].take()
    try:
        assert os.read(fd, 1 << 20).decode() == text["document"]
        try:
            os.pwrite(fd, b"x", 0)
        except PermissionError:
            pass
        else:
            raise AssertionError("the plan can be written to")
    finally:
        os.close(fd)


def confirms(w: World) -> None:
    """What nobody confirms is undone; a job is cancelled by two ways."""
    w.start(HOST, "--latency", "20", policy=None)
    client = Client(w)
    client.settled()

    def begin(**more) -> str:
        return client.manager.Apply(client.plan(policy=MOVABLE)["digest"], options(**more))

    assert client.done(begin(confirm_seconds=dbus.UInt32(1))) == "undone"
    job = begin(confirm_seconds=dbus.UInt32(60), deadline_seconds=dbus.UInt64(5))
    eventually(lambda: client.get("State", job, JOB) == "confirming", "it waits for a word")
    assert client.manager.Confirm() == job
    assert client.done(job) == "done"
    assert client.done(client.manager.Undo()) == "done"
    for cancel in (lambda path: client.at(path, JOB).Cancel(), client.manager.Cancel):
        job = begin()
        eventually(lambda job=job: client.get("State", job, JOB) == "running", "it runs")
        cancel(job)
        assert client.done(job) == "cancelled"
        assert 0 < client.get("BlocksDone", job, JOB) < 16
        assert client.done(client.manager.Undo()) == "done"


def tries_again(w: World) -> None:
    """An unplug whose blocks are in use waits for its next attempt; nothing else does, and it can be given up."""
    w.start(HOST, "--refuse", "memory6=EBUSY", "--refuse", "memory5=EPERM", policy=None)
    client = Client(w)
    client.settled()

    def begin(block: int, **more) -> str:
        return client.manager.Apply(client.plan(unplug=f"memory{block}")["digest"], options(**more))

    assert client.done(begin(6)) == "failed"
    assert client.done(begin(5, retry_seconds=dbus.UInt32(60))) == "failed"
    job = begin(6, retry_seconds=dbus.UInt32(17))
    eventually(lambda: client.get("State", job, JOB) == "waiting", "it waits for its next attempt")
    assert client.get("Attempts", job, JOB) == 1
    error = client.get("Error", job, JOB)
    assert error.startswith("attempt 1 failed: memory6: EBUSY") and "next attempt in 15 s" in error, error
    assert client.get("ErrorName", job, JOB) == "" and "EBUSY" in client.get("Report", job, JOB)["text"]
    # Meanwhile other jobs run.
    assert client.done(client.manager.Apply(client.plan(policy=MOVABLE)["digest"], options())) == "done"
    eventually(lambda: client.get("State", job, JOB) == "done", "the second attempt", 30)
    # The machine has changed since the plan was made: there is no third one.
    assert client.done(job) == "failed" and client.get("ErrorName", job, JOB) == ERROR + "PlanStale"
    job = begin(6, retry_seconds=dbus.UInt32(600))
    eventually(lambda: client.get("State", job, JOB) == "waiting", "it waits")
    client.manager.Cancel(job)
    assert client.done(job) == "cancelled" and client.get("Error", job, JOB) == ""
    digest = client.plan(policy="hotplugged: normal; set rezone = allowed\n")["digest"]
    refused(ERROR + "PlanInvalid", lambda: client.manager.Apply(digest, options(retry_seconds=dbus.UInt32(60))))
    refused(STANDARD + "InvalidArgs", lambda: begin(
        6, retry_seconds=dbus.UInt32(60), confirm_seconds=dbus.UInt32(60)))


def submits_compressed(w: World) -> None:
    """A long plan goes compressed; what it comes to is bounded, and anything else than a stream is refused."""
    w.start(HOST, policy=None)
    client = Client(w)
    client.settled()
    submit = client.manager.SubmitCompressedPlan
    plan = client.plan(policy=MOVABLE)
    document = str(plan["document"])
    assert submit(dbus.ByteArray(zlib.compress(document.encode()))) == plan["digest"]
    long = document.encode() + b" " * (3 << 20)
    digest = submit(dbus.ByteArray(zlib.compress(long)))
    assert digest == "sha256:" + hashlib.sha256(long).hexdigest()
    assert client.done(client.manager.Apply(digest, OPTIONS)) == "done"
    for wrong in (b"", document.encode(), zlib.compress(long)[:-1], zlib.compress(long) + b"x"):
        assert "zlib" in refused(ERROR + "PlanInvalid", lambda wrong=wrong: submit(dbus.ByteArray(wrong))), wrong
    assert "too long" in refused(ERROR + "PlanInvalid", lambda: submit(dbus.ByteArray(zlib.compress(b" " * (60 << 20)))))
    refused(STANDARD + "LimitsExceeded", lambda: submit(dbus.ByteArray(b"x" * ((1 << 16) + 1))))
    assert "ML073" in refused(ERROR + "PlanInvalid", lambda: submit(dbus.ByteArray(zlib.compress(b"{}"))))


def memonline(w: World, *words: str) -> Tuple[int, dict]:
    """The command as it is run beside the service: its exit status and its JSON."""
    command = pathlib.Path(w.memonlined).with_name("memonline")
    ran = subprocess.run([command, *words], capture_output=True, text=True, check=False,
                         env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": w.address})
    return ran.returncode, json.loads(ran.stdout) if "--json" in words else {"text": ran.stdout}


def submits(w: World) -> None:
    """A plan made elsewhere is carried out; the report is there; the command goes by the service."""
    w.start(HOST, policy=None)
    client = Client(w)
    client.settled()
    plan = client.plan(policy=MOVABLE)
    digest = client.manager.SubmitPlan(str(plan["document"]))
    assert digest == plan["digest"]
    assert "ML073" in refused(ERROR + "PlanInvalid", lambda: client.manager.SubmitPlan("{}"))
    refused(STANDARD + "LimitsExceeded", lambda: client.manager.SubmitPlan(" " * (1 << 16) + " "))
    job = client.manager.Apply(digest, options(confirm_seconds=dbus.UInt32(60)))
    eventually(lambda: client.get("State", job, JOB) == "confirming", "it waits for a word")
    assert client.get("BlocksDone", job, JOB) == 16
    assert memonline(w, "confirm") == (0, {"text": "confirmed: the changes are kept\n"})
    assert client.done(job) == "done"
    report = client.get("Report", job, JOB)
    assert report["result"] == "complete" and report["text"].startswith("applied"), report
    assert json.loads(report["document"])["blocks_done"] == 16, report
    assert not client.get("Undone", job, JOB)
    status, document = memonline(w, "undo", "--json")
    assert (status, document["result"]) == (0, "undone"), document
    assert document["undone"]["blocks_done"] == 16, document
    eventually(lambda: not client.manager.ListBlocks(options(zone="Movable")), "it is undone")
    status, document = memonline(w, "undo", "--json")
    assert (status, document["diagnostics"][0]["code"]) == (1, "ML0766"), document
    job = client.manager.Apply(client.plan(policy=MOVABLE)["digest"],
                               options(confirm_seconds=dbus.UInt32(1)))
    assert client.done(job) == "undone"
    assert client.get("Undone", job, JOB)["text"].startswith("undone")


def nodes(w: World) -> None:
    """Nodes show their memory and the policy's wish, and follow what happens."""
    w.start(HOST)
    client = Client(w)
    client.settled()
    node = client.all(PATH + "/node/0", NODE)
    assert set(node) == {"Number", "Online", "Offline", "Zones", "Wished"}
    runs = client.manager.ListBlocks(options(state="online", node=dbus.UInt32(0)))
    blocks = sum(int(b) - int(a) + 1 for a, b in (run["blocks"] for run in runs))
    assert node["Online"] == blocks * client.get("BlockSize")
    assert sum(node["Zones"].values()) == node["Online"] and node["Zones"]["Movable"] > 0
    assert {zone: size for zone, size in node["Wished"].items() if zone != "offline"} == \
        node["Zones"]
    unplug = client.plan(unplug="128MiB")
    assert client.done(client.manager.Apply(unplug["digest"], OPTIONS)) == "done"
    eventually(lambda: client.get("Offline", PATH + "/node/0", NODE) ==
               node["Offline"] + (128 << 20), "the node shows it")
    client.settled("drift")
    verified = client.manager.Verify()
    # It is to stay so: nobody brings back what is about to be pulled out.
    assert verified["state"] == "drift" and verified["steps"] == 0, verified
    assert len(verified["left-alone"]) == 1, verified
    assert verified["left-alone"][0].endswith(" was offlined on request"), verified


def reloads(w: World) -> None:
    """A wrong policy leaves the one before in force and says so; by method and by SIGHUP."""
    w.start(HOST, policy=LOWERED)
    client = Client(w)
    client.settled()
    before = client.get("PolicyFiles")
    w.write_policy("hotplugged: nowhere\n")
    assert json.loads(client.manager.Reload())["diagnostics"][0]["severity"] == "error"
    eventually(lambda: "nowhere" in client.get("Problems"), "the problem is shown")
    assert client.get("PolicyFiles") == before and client.get("State") == "in-sync"
    w.write_policy(LOWERED + "# mended\n")
    assert w.daemon is not None
    w.daemon.send_signal(signal.SIGHUP)
    eventually(lambda: client.get("PolicyFiles") != before, "SIGHUP brought the new one in force")
    assert client.get("Problems") == ""
    assert w.stop() == 0
    assert "auto_online_blocks restored to offline" in w.log.read_text()


def broken_from_the_start(w: World) -> None:
    """It starts all the same, so that nobody waits for it, and says what is wrong."""
    w.start(HOST, policy="hotplugged: nowhere\n")
    client = Client(w)
    client.settled("failed")
    assert "nowhere" in client.get("Problems") and not client.get("PolicyFiles")
    refused(ERROR + "PolicyInvalid", client.plan)
    assert client.plan(policy=MOVABLE)["steps"] > 0


@needs_polkit
def denies(w: World) -> None:
    """Who is not root reads all, and changes nothing unless polkit agrees."""
    w.start(HOST)
    client = Client(w)
    client.settled()
    assert "in-sync" in as_nobody(w, "get-property", NAME, PATH, MANAGER, "State").stdout
    digest = str(client.plan()["digest"])
    answer = as_nobody(w, "call", NAME, PATH, MANAGER, "Plan", "a{sv}", "0")
    assert digest in answer.stdout, answer
    calls = {"Apply": ["sa{sv}", digest, "0"], "Confirm": [], "Undo": [], "Reload": [],
             "WriteBootParameters": [],
             "Cancel": ["o", PATH + "/job/1"]}
    for interactive, error in (("no", "InteractiveAuthorizationRequired"),
                               ("yes", "AccessDenied")):
        for method, words in calls.items():
            answer = as_nobody(w, f"--allow-interactive-authorization={interactive}", "call",
                               "--json=short", NAME, PATH, MANAGER, method, *words)
            told = {"InteractiveAuthorizationRequired": "requires interactive authorization",
                    "AccessDenied": "denied"}[error]
            assert answer.returncode != 0 and told in answer.stderr, (method, answer)
    job = client.manager.Apply(digest, OPTIONS)
    answer = as_nobody(w, "call", NAME, str(job), JOB, "Cancel")
    assert answer.returncode != 0 and "denied" in answer.stderr, answer
    w.stop_polkit()
    answer = as_nobody(w, "call", NAME, PATH, MANAGER, "Reload")
    assert answer.returncode != 0 and "denied" in answer.stderr, answer
    client.manager.Reload()  # root needs no polkit


TESTS: List[Callable[[World], None]] = [
    reads, lists, refuses, applies, files, confirms, tries_again, submits, submits_compressed, nodes,
    reloads, broken_from_the_start, denies]


if __name__ == "__main__":
    sys.exit(run(TESTS))
