# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: load_test.py MEMONLINED SOURCE: a thousand clients of 128 users call every method that anybody may call, with
the largest input that is taken, for a minute. Prints a report: the memory of the service before, at most and a minute
later, how long root's Verify waited, and what became of the requests. Takes three minutes: `./dev test load`."""
import collections
import json
import os
import pathlib
import subprocess
import sys
import time
from typing import List

from world import SANDBOX, Client, World, eventually, run, unless

HOST = "6.12-a1"
USERS, CLIENTS, SECONDS = 128, 8, 60
FIRST_USER = 20000  # of uids that nobody has
LONGEST_WAIT = 2.0  # seconds, of root's Verify
# So many users with so many connections each, which have one request at a time. Plans go as text and compressed. All are in
# one session, which the kernel gives as much of the processors as the bus and the service have (autogroup), as systemd
# does by user.slice and system.slice.
CLIENTS_OF_USERS = """
import collections, json, os, sys, time, zlib
first_user, users, clients, seconds = (int(word) for word in sys.argv[2:6])
children = {}
for uid in range(first_user, first_user + users):
    child = os.fork()
    if child == 0:
        break
    children[child] = uid
else:
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
os.setgid(65534)
os.setgroups([])
os.setuid(uid)
import dbus, dbus.mainloop.glib  # not before: children must not share GLib's descriptors
from gi.repository import GLib
dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
many = "".join(f"block{n}: movable\\n" for n in range(20000))[:1 << 15].rpartition("\\n")[0] + "\\n"
many += "#" * ((1 << 16) - len(many))
wide = "hotplugged: " + ", ".join("1 blocks movable" for _ in range(400)) + ", rest normal\\n"
document = '{"schema": "memonline.plan/1", "x": [' + "0," * ((1 << 15) - 30) + "0]}"
stream = dbus.ByteArray(zlib.compress(('{"schema": "memonline.plan/1", "x": [' + "0," * 1_400_000
                                       + " " * (13 << 20) + "0]}").encode()))
options = dbus.Dictionary({}, signature="sv")
CALLS = [("Check", many), ("Plan", dbus.Dictionary({"policy": wide}, signature="sv")), ("ListBlocks", options),
         ("GetPolicies",), ("GetHost",), ("Explain", "memory40"), ("Verify",), ("Plan", options), ("PlanToFile", options),
         ("SubmitPlan", document), ("SubmitCompressedPlan", stream), ("Reload",),
         ("Apply", "sha256:0", options), ("WriteBootParameters",), ("Undo",), ("Confirm",)]
answers = collections.Counter()
end = time.monotonic() + seconds
loop = GLib.MainLoop()
waiting = 0

def begin(number, turn, bus):
    global waiting
    if time.monotonic() > end:
        if waiting == 0:
            loop.quit()
        return
    call = CALLS[(number + turn) % len(CALLS)]
    waiting += 1

    def answered(name):
        global waiting
        waiting -= 1
        answers[call[0] + " " + name] += 1
        begin(number, turn + 1, bus)

    manager = dbus.Interface(bus.get_object("org.memonline1", "/org/memonline1", introspect=False),
                             "org.memonline1.Manager")
    manager.get_dbus_method(call[0])(*call[1:], timeout=120, reply_handler=lambda *_: answered("done"),
                                     error_handler=lambda error: answered(error.get_dbus_name().rsplit(".", 1)[-1]))

for number in range(clients):
    begin(number, 0, dbus.bus.BusConnection(sys.argv[1]))
loop.run()
os.write(1, json.dumps(answers).encode() + b"\\n")  # as a whole: others write beside it
"""


def make_users(w: World) -> None:
    """Has them in /etc/passwd, which the bus looks at; in this sandbox alone."""
    lines = "".join(f"load{uid}:x:{uid}:65534::/nonexistent:/usr/sbin/nologin\n"
                    for uid in range(FIRST_USER, FIRST_USER + USERS))
    (w.directory / "passwd").write_text(pathlib.Path("/etc/passwd").read_text() + lines)
    subprocess.run(["mount", "--bind", w.directory / "passwd", "/etc/passwd"], check=True)


@unless(lambda w: not SANDBOX or os.geteuid() != 0 or len(w.users) < 2, "root in a sandbox, who can be any user")
def a_thousand_clients(w: World) -> None:
    """Root is not kept waiting, nothing ends, and the memory is returned."""
    make_users(w)
    w.start(HOST)
    client = Client(w)
    client.settled()
    client.manager.Verify()
    client.plan()
    time.sleep(2)
    before = w.rss()
    command = [sys.executable, "-c", CLIENTS_OF_USERS, w.address, *map(str, (FIRST_USER, USERS, CLIENTS, SECONDS))]
    results = w.directory / "answers"
    with open(results, "a", encoding="utf-8") as file:  # a pipe would be full
        users = subprocess.Popen(command, stdout=file, start_new_session=True)
    w.processes.append(users)
    waits: List[float] = []
    while users.poll() is None:
        began = time.monotonic()
        client.manager.Verify(timeout=120)
        waits.append(time.monotonic() - began)
        time.sleep(0.2)
    answers: collections.Counter = collections.Counter()
    assert users.returncode == 0, users.returncode
    lines = results.read_text().splitlines()
    assert len(lines) == USERS, len(lines)
    for line in lines:
        answers.update(json.loads(line))
    at_most = w.rss("VmHWM")
    client = Client(w)
    client.settled()
    time.sleep(60)
    after = w.rss()
    by_answer: collections.Counter = collections.Counter()
    for name, count in sorted(answers.items()):
        by_answer[name.split()[1]] += count
        print(f"  {count:7}  {name}")
    print(f"{USERS} users, {USERS * CLIENTS} clients, {SECONDS} s: {sum(answers.values())} requests; "
          + ", ".join(f"{count} {name}" for name, count in by_answer.most_common()))
    print(f"resident: {before} KiB before, {at_most} KiB at most, {after} KiB a minute later")
    print(f"Verify by root, {len(waits)} times: {max(waits):.2f} s at most, {sorted(waits)[len(waits) // 2]:.3f} s the median",
          flush=True)
    assert by_answer["done"] > 0 and by_answer["LimitsExceeded"] > 0, by_answer
    assert max(waits) < LONGEST_WAIT, max(waits)
    assert after <= before * 1.2, (before, after)
    assert w.daemon is not None and w.daemon.poll() is None
    eventually(lambda: client.get("State") == "in-sync", "it is in order")


if __name__ == "__main__":
    sys.exit(run([a_thousand_clients]))
