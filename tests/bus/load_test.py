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

from world import SANDBOX, STANDARD, Client, World, dbus, eventually, run, unless

HOST = "6.12-a1"
USERS, CLIENTS, SECONDS = 128, 8, 60.0
FIRST_USER = 20000  # of uids that nobody has
LONGEST_WAIT = 2.0  # seconds, of root's Verify
# One user: so many connections, each with one request at a time. Only the first one sends documents of 16 MB: what all
# could send at once is held by the bus and not by the service, and is more than a machine for tests has.
CLIENT = """
import collections, json, os, sys, time
os.setgid(65534)
os.setgroups([])
os.setuid(int(sys.argv[2]))
import dbus, dbus.mainloop.glib
from gi.repository import GLib
dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
seconds, clients = float(sys.argv[3]), int(sys.argv[4])
many = "".join(f"block{n}: movable\\n" for n in range(20000))[:1 << 18].rpartition("\\n")[0] + "\\n"
wide = "hotplugged: " + ", ".join("1 blocks movable" for _ in range(400)) + ", rest normal\\n"
document = '{"schema": "memonline.plan/1", "x": [' + "0," * 7_900_000 + "0]}"
options = dbus.Dictionary({}, signature="sv")
CALLS = [("Check", many), ("Plan", dbus.Dictionary({"policy": wide}, signature="sv")), ("ListBlocks", options),
         ("GetPolicies",), ("GetHost",), ("Explain", "memory40"), ("Verify",), ("Plan", options), ("PlanToFile", options),
         ("Reload",), ("Apply", "sha256:0", options), ("WriteBootParameters",), ("Undo",), ("Confirm",)]
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
    call = ("SubmitPlan", document) if number == 0 and turn % 4 == 0 else CALLS[(number + turn) % len(CALLS)]
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
print(json.dumps(answers))
"""


def make_users(w: World) -> None:
    """Has them in /etc/passwd, which the bus looks at; in this sandbox alone."""
    lines = "".join(f"load{uid}:x:{uid}:65534::/nonexistent:/usr/sbin/nologin\n"
                    for uid in range(FIRST_USER, FIRST_USER + USERS))
    (w.directory / "passwd").write_text(pathlib.Path("/etc/passwd").read_text() + lines)
    subprocess.run(["mount", "--bind", w.directory / "passwd", "/etc/passwd"], check=True)


def verified(client: Client) -> bool:
    """False where dbus-daemon sends the call back: it keeps 127 MiB for who has not read it yet, and takes nothing more
    from anybody then."""
    try:
        client.manager.Verify(timeout=120)
        return True
    except dbus.DBusException as error:
        if error.get_dbus_name() != STANDARD + "LimitsExceeded":
            raise
        return False


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
    command = [sys.executable, "-c", CLIENT, w.address]
    users: List[subprocess.Popen] = [
        subprocess.Popen([*command, str(FIRST_USER + number), str(SECONDS), str(CLIENTS)], stdout=subprocess.PIPE, text=True)
        for number in range(USERS)]
    w.processes += users
    waits: List[float] = []
    sent_back = 0
    while any(user.poll() is None for user in users):
        began = time.monotonic()
        while not verified(client):
            sent_back += 1
            time.sleep(0.05)
        waits.append(time.monotonic() - began)
        time.sleep(0.2)
    answers: collections.Counter = collections.Counter()
    for user in users:
        assert user.returncode == 0, user.returncode
        assert user.stdout is not None
        answers.update(json.loads(user.stdout.read()))
    at_most = w.rss("VmHWM")
    client = Client(w)
    client.settled()
    time.sleep(60)
    after = w.rss()
    by_answer: collections.Counter = collections.Counter()
    for name, count in sorted(answers.items()):
        by_answer[name.split()[1]] += count
        print(f"  {count:7}  {name}")
    print(f"{USERS} users, {USERS * CLIENTS} clients, {SECONDS:.0f} s: {sum(answers.values())} requests; "
          + ", ".join(f"{count} {name}" for name, count in by_answer.most_common()))
    print(f"resident: {before} KiB before, {at_most} KiB at most, {after} KiB a minute later")
    print(f"Verify by root, {len(waits)} times: {max(waits):.2f} s at most, {sorted(waits)[len(waits) // 2]:.3f} s the median; "
          f"{sent_back} more were sent back by dbus-daemon",
          flush=True)
    assert by_answer["done"] > 0 and by_answer["LimitsExceeded"] > 0, by_answer
    assert max(waits) < LONGEST_WAIT, max(waits)
    assert after <= before * 1.2, (before, after)
    assert w.daemon is not None and w.daemon.poll() is None
    eventually(lambda: client.get("State") == "in-sync", "it is in order")


if __name__ == "__main__":
    sys.exit(run([a_thousand_clients]))
