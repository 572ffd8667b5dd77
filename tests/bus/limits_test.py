# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: limits_test.py MEMONLINED SOURCE: the largest that can be asked for is answered or refused by
name, and the service goes on; replies that nobody reads hold up nobody else."""
import collections
import fcntl
import json
import os
import resource
import subprocess
import sys
import time
from typing import Callable, List

from large_hosts import HOST, host_with, many_runs, memonline, run_of
from world import (dbus, ERROR, JOB, MANAGER, NAME, PATH, STANDARD, Client, World, become, eventually,
                   needs_polkit, needs_users, refused, run)

LIMITS = STANDARD + "LimitsExceeded"
MAX_REPLY = 16 << 20
MAX_RUNS = 16384  # dbus/convert.hpp
RULE_TEXT = 200  # compiler/plan/plan.hpp
OPTIONS = dbus.Dictionary({}, signature="sv")
# Calls ListBlocks so often on each of so many connections, and reads no answer.
DEAF = """
import sys, time
import dbus
address, connections, calls = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
interface = "org.freedesktop.DBus.Introspectable" if sys.argv[4] == "Introspect" else "org.memonline1.Manager"
kept = [dbus.bus.BusConnection(address) for _ in range(connections)]
for bus in kept:
    for _ in range(calls):
        message = dbus.lowlevel.MethodCallMessage("org.memonline1", "/org/memonline1",
                                                  interface, sys.argv[4])
        if sys.argv[4] == "ListBlocks":
            message.append({}, signature="a{sv}")
        bus.send_message(message)
    bus.flush()
print("sent", flush=True)
time.sleep(600)
"""
# Polkit as one meets it that does not answer in time.
SILENT_POLKIT = """
import sys
import dbus, dbus.service, dbus.mainloop.glib
from gi.repository import GLib
dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection(sys.argv[1])
name = dbus.service.BusName("org.freedesktop.PolicyKit1", bus)
class NoReply(dbus.DBusException):
    _dbus_error_name = "org.freedesktop.DBus.Error.NoReply"
class Authority(dbus.service.Object):
    @dbus.service.method("org.freedesktop.PolicyKit1.Authority", in_signature="(sa{sv})sa{ss}us",
                         out_signature="(bba{ss})")
    def CheckAuthorization(self, subject, action, details, flags, cancellation):
        raise NoReply("too late")
authority = Authority(bus, "/org/freedesktop/PolicyKit1/Authority")
print("there", flush=True)
GLib.MainLoop().run()
"""


def every_second(first: int, ranges: int) -> str:
    return "block " + ",".join(str(first + 2 * i) for i in range(ranges))


def alive(w: World, client: Client) -> None:
    """The service still runs and answers."""
    assert w.daemon is not None and w.daemon.poll() is None, "it is gone"
    assert client.get("State")


def long_rules(w: World) -> None:
    """A rule of 40 KiB with 2,000 steps: its text is repeated up to a bound, its place in full."""
    w.start(host_with(w, run_of(32, 9000)), policy="all: keep\n")
    client = Client(w)
    client.settled()
    share = "50%" + 40000 * " " + "movable"
    plan = client.plan(policy=f"{every_second(32, 2000)}: {share}, rest normal\n")
    assert plan["steps"] >= 2000
    rules = [step["rule"] for step in json.loads(plan["document"])["steps"] if step["rule"]["column"] > 1]
    longest = max(rules, key=lambda rule: len(rule["text"].encode()))
    assert len(longest["text"].encode()) == RULE_TEXT and longest["text"].endswith("\u2026"), longest
    assert longest["line"] == 1 and longest["column"] > 5000, longest
    alive(w, client)


def large_plans(w: World) -> None:
    """A plan beyond 16 MiB comes as a file alone."""
    w.start(many_runs(w, 45000), policy="all: keep\n")
    client = Client(w)
    client.settled()
    policy = "block 32-100000: normal\n"
    message = refused(LIMITS, lambda: client.plan(policy=policy))
    assert "PlanToFile" in message and str(MAX_REPLY) in message, message
    options = dbus.Dictionary({"policy": policy}, signature="sv")
    fd = client.manager.PlanToFile(options, timeout=60)["document"].take()
    try:
        assert os.fstat(fd).st_size > MAX_REPLY
    finally:
        os.close(fd)
    alive(w, client)


def large_hosts(w: World) -> None:
    """Runs of blocks: as many as there may be, and one more."""
    for runs, fits in ((MAX_RUNS - 10, True), (MAX_RUNS + 1, False)):
        w.start(many_runs(w, runs), policy="all: keep\n")
        client = Client(w)
        client.settled()
        if fits:
            assert len(client.manager.ListBlocks(OPTIONS, timeout=60)) > runs
        else:
            assert "GetHost" in refused(LIMITS, lambda: client.manager.ListBlocks(OPTIONS))
            some = dbus.Dictionary({"state": "online"}, signature="sv")
            assert len(client.manager.ListBlocks(some)) == 3
        try:
            assert "memory32" in client.manager.Explain("node0", timeout=60)
        except dbus.DBusException as error:
            assert error.get_dbus_name() == LIMITS, error
        assert "4096" in refused(LIMITS, lambda: client.manager.Explain("x" * 5000))
        client.at(PATH, "org.freedesktop.DBus.ObjectManager").GetManagedObjects()
        client.all(PATH, MANAGER)
        alive(w, client)
        assert w.stop() == 0


def large_policies(w: World) -> None:
    """Policies of more than 16 MiB are in force, and not told in one reply."""
    w.start(HOST, policy="hotplugged: movable\n")
    client = Client(w)
    client.settled()
    assert len(client.manager.GetPolicies()) == 1
    for i in range(17):
        file = w.directory / f"machine/etc/memonline/policy.d/{60 + i}-long.mempolicy"
        file.write_text("#" * ((1 << 20) - 100) + "\n")
    client.manager.Reload(timeout=60)
    eventually(lambda: len(client.get("PolicyFiles")) == 18, "they are in force", 60)
    assert "cat-policy" in refused(LIMITS, client.manager.GetPolicies)
    client.all(PATH, MANAGER)
    alive(w, client)


def large_reports(w: World) -> None:
    """A report of hundreds of steps is a file; objects and properties have its beginning."""
    w.start(host_with(w, run_of(32, 9000)), policy="all: keep\n")
    client = Client(w)
    client.settled()
    plan = client.plan(policy=f"{every_second(32, 800)}: normal\n")
    job = client.manager.Apply(plan["digest"], OPTIONS)
    assert client.done(job) == "done"
    report = client.get("Report", job, JOB)
    assert set(report) == {"result", "text"} and report["result"] == "complete", report.keys()
    assert len(report["text"]) <= 128 << 10
    files = client.at(job, JOB).ReportToFile()
    texts = {}
    for kind in ("text", "document"):
        fd = files["report"][kind].take()
        texts[kind] = os.pread(fd, 1 << 30, 0).decode()
        os.close(fd)
    assert json.loads(texts["document"])["blocks_done"] == 800
    assert texts["text"].startswith(report["text"][:-1])
    managed = client.at(PATH, "org.freedesktop.DBus.ObjectManager").GetManagedObjects()
    assert job in managed
    alive(w, client)


@needs_users
def nobody_reads(w: World) -> None:
    """Replies of 200 MiB that two users never read: root is answered, and so is a third user."""
    w.start(many_runs(w, MAX_RUNS - 10), policy="all: keep\n")
    client = Client(w)
    client.settled()
    deaf = []
    for user in ("nobody", "daemon"):
        for method in ("ListBlocks", "GetPolicies"):
            process = subprocess.Popen([*become(user), sys.executable, "-c", DEAF, w.address, "1", "30", method],
                                       stdout=subprocess.PIPE)
            w.processes.append(process)
            deaf.append(process)
    for process in deaf:
        assert process.stdout is not None and process.stdout.readline() == b"sent\n"
    began = time.monotonic()
    for _ in range(5):
        assert client.manager.Verify(timeout=100)["state"] == "in-sync"
    print(f"root waited {time.monotonic() - began:.1f} s for five answers")
    answer = subprocess.run([*become("bin"), "busctl", f"--address={w.address}", "--timeout=100", "call", NAME,
                             PATH, MANAGER, "Verify"], capture_output=True, text=True, check=False)
    assert "in-sync" in answer.stdout, answer
    # Who reads is not refused, whatever came before.
    for _ in range(30):
        assert len(client.manager.ListBlocks(OPTIONS, timeout=100)) > 1000
    for process in deaf:
        process.kill()
        process.wait()
    alive(w, client)


# Submits so many of the longest plans at once, as text and compressed; prints what became of them.
SUBMIT = """
import json, sys, zlib
import dbus, dbus.mainloop.glib
from gi.repository import GLib
dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection(sys.argv[1])
manager = dbus.Interface(bus.get_object("org.memonline1", "/org/memonline1", introspect=False),
                         "org.memonline1.Manager")
begin = '{"schema": "memonline.plan/1", "x": ['
text = begin + "0," * 30_000 + "0]}"
stream = dbus.ByteArray(zlib.compress((begin + "0," * 1_400_000 + " " * (12 << 20) + "0]}").encode()))
answers, loop, wanted = [], GLib.MainLoop(), int(sys.argv[2])

def answered(name):
    answers.append(name)
    if len(answers) == 9 * wanted:
        loop.quit()

for number in range(9 * wanted):
    submit, document = (manager.SubmitPlan, text) if number % 9 else (manager.SubmitCompressedPlan, stream)
    submit(document, timeout=300, reply_handler=lambda _: answered("done"),
           error_handler=lambda error: answered(error.get_dbus_name().rsplit(".", 1)[-1]))
loop.run()
print(json.dumps(answers))
"""


@needs_users
def waiting_documents(w: World) -> None:
    """So many documents wait for their turn, and none is uncompressed before it."""
    w.start(HOST)
    client = Client(w)
    client.settled()
    users = ["nobody", "daemon", "bin", "sys", "games", "man"]
    submit = [sys.executable, "-c", SUBMIT, w.address, "5"]
    each = [subprocess.Popen([*become(user), *submit], stdout=subprocess.PIPE, text=True) for user in users]
    waits = []
    while any(process.poll() is None for process in each):
        began = time.monotonic()
        client.manager.Verify(timeout=100)
        waits.append(time.monotonic() - began)
        time.sleep(0.1)
    print(f"root waited {max(waits):.2f} s at most, {len(waits)} times")
    answers = [json.loads(process.communicate(timeout=300)[0]) for process in each]
    print(answers)
    together = [answer for mine in answers for answer in mine]
    assert set(together) == {"PlanInvalid", "LimitsExceeded"}, answers
    # 300 MiB for one that is worked on, and twice 36 MiB for those that wait.
    most = w.rss("VmHWM")
    print(f"resident at most: {most} KiB")
    assert most < 400 << 10, most
    refused(ERROR + "PlanInvalid", lambda: client.manager.SubmitPlan("{}"))
    alive(w, client)


# Sends so many calls with sixteen descriptors each, which none of them has a use for.
DESCRIPTORS = """
import collections, json, os, sys
from gi.repository import Gio, GLib
flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
bus = Gio.DBusConnection.new_for_address_sync(sys.argv[1], flags, None, None)
loop, answers, wanted = GLib.MainLoop(), collections.Counter(), int(sys.argv[2])
descriptors = Gio.UnixFDList.new()
for _ in range(int(sys.argv[4])):
    descriptors.append(os.open("/dev/null", os.O_RDONLY))

def answered(connection, result):
    try:
        answers[connection.send_message_with_reply_finish(result).get_error_name() or "done"] += 1
    except GLib.Error as error:  # the bus has closed the connection
        answers[str(error)] += 1
    if sum(answers.values()) == wanted:
        loop.quit()

policy = "".join(f"block{n}: movable\\n" for n in range(5000))
for _ in range(wanted):
    call = Gio.DBusMessage.new_method_call("org.memonline1", "/org/memonline1", "org.memonline1.Manager", sys.argv[3])
    if sys.argv[3] == "Check":
        call.set_body(GLib.Variant("(s)", (policy,)))
    call.set_unix_fd_list(descriptors)
    bus.send_message_with_reply(call, Gio.DBusSendMessageFlags.NONE, 60000, None, answered)
loop.run()
print(json.dumps(answers))
"""


@needs_users
def descriptors(w: World) -> None:
    """The bus passes none: a service that runs out of them is cut off from the bus."""
    w.start(HOST)
    assert w.daemon is not None
    resource.prlimit(w.daemon.pid, resource.RLIMIT_NOFILE, (1024, 1024))
    client = Client(w)
    client.settled()
    for method, number in (("Check", 16), ("Check", 1), ("Verify", 1)):
        attack = [sys.executable, "-c", DESCRIPTORS, w.address, "100", method, str(number)]
        attacks = [subprocess.Popen([*become(user), *attack], stdout=subprocess.PIPE, text=True)
                   for user in ("nobody", "nobody", "daemon", "bin")]
        answers: collections.Counter = collections.Counter()
        for one in attacks:
            answers.update(json.loads(one.communicate(timeout=100)[0]))
        assert answers == {STANDARD + "AccessDenied": 400}, (method, number, answers)
        alive(w, client)


def names_of_errors(w: World) -> None:
    """What programs must tell apart has a name of its own, on methods and on jobs."""
    w.start(HOST, policy=None)
    client = Client(w)
    client.settled()
    job = client.manager.Undo()
    assert client.done(job) == "failed"
    assert client.get("ErrorName", job, JOB) == ERROR + "NothingToDo", client.all(job, JOB)
    plan = client.plan(policy="hotplugged: movable\n")
    with open(w.directory / "machine/run/memonline/lock", "r+", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        job = client.manager.Apply(plan["digest"], OPTIONS)
        assert client.done(job) == "failed"
        assert client.get("ErrorName", job, JOB) == ERROR + "AnotherRun", client.all(job, JOB)
    job = client.manager.Apply(plan["digest"], OPTIONS)
    assert client.done(job) == "done"
    assert client.get("ErrorName", job, JOB) == "" and client.get("Error", job, JOB) == ""


@needs_polkit
def late_answers(w: World) -> None:
    """Polkit that is late is no denial."""
    w.start(HOST)
    client = Client(w)
    client.settled()
    w.stop_polkit()
    # The bus lets nobody else have that name.
    silent = subprocess.Popen([*become("polkitd"), sys.executable, "-c", SILENT_POLKIT, w.address],
                              stdout=subprocess.PIPE)
    w.processes.append(silent)
    assert silent.stdout is not None and silent.stdout.readline() == b"there\n"
    script = ("import sys, dbus; bus = dbus.bus.BusConnection(sys.argv[1]); "
              "manager = dbus.Interface(bus.get_object('org.memonline1', '/org/memonline1', introspect=False), "
              "'org.memonline1.Manager')\n"
              "try: manager.Undo()\n"
              "except dbus.DBusException as error: print(error.get_dbus_name())")
    answer = subprocess.run([*become("nobody"), sys.executable, "-c", script, w.address],
                            capture_output=True, text=True, check=False)
    assert answer.stdout == ERROR + "TimedOut\n", answer
    silent.kill()
    silent.wait()


TESTS: List[Callable[[World], None]] = [
    long_rules, large_plans, large_hosts, large_policies, large_reports, nobody_reads, waiting_documents, descriptors,
    names_of_errors, late_answers]


if __name__ == "__main__":
    sys.exit(run(TESTS))
