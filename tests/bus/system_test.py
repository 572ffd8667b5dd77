# SPDX-License-Identifier: LGPL-2.1-or-later
"""memonlined as the system sees it: an administrator's polkit rule, systemd's notifications, what it
counts, and that it sleeps."""
import json
import os
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from typing import Callable, List, Optional

from world import (dbus, JOB, MANAGER, NAME, PATH, Client, World, as_nobody, as_user, eventually,
                   needs_polkit, needs_users, run, unless)

HOST = "6.12-a1"  # 16 hot-plugged blocks of 128 MiB, offline
OPTIONS = dbus.Dictionary({}, signature="sv")
RULE = """polkit.addRule(function(action, subject) {
  if (subject.user == "daemon" &&
      (action.id == "org.memonline1.apply" || action.id == "org.memonline1.reload"))
    return polkit.Result.YES;
});
"""


@needs_polkit
@unless(lambda w: not w.own_rules, "mount namespaces")
def trusts(w: World) -> None:
    """Whom the administrator's rule trusts with two actions may do these two, and no third."""
    w.stop_polkit()
    w.start_polkit(RULE)
    w.start(HOST, policy=None)
    client = Client(w)
    client.settled()
    planned = as_user("daemon", w, "--json=short", "call", NAME, PATH, MANAGER, "Plan", "a{sv}", "1",
                      "policy", "s", "hotplugged: movable\n")
    digest = json.loads(planned.stdout)["data"][0]["digest"]["data"]
    apply = ("--json=short", "call", NAME, PATH, MANAGER, "Apply", "sa{sv}", digest, "0")
    assert "denied" in as_nobody(w, *apply).stderr
    began = as_user("daemon", w, *apply)
    assert began.returncode == 0, began
    job = json.loads(began.stdout)["data"][0]
    assert client.done(job) == "done"
    assert client.get("StartedByUID", job, JOB) == 1
    reloaded = as_user("daemon", w, "call", NAME, PATH, MANAGER, "Reload")
    assert reloaded.returncode == 0, reloaded
    for method in ("Undo", "WriteBootParameters"):
        answer = as_user("daemon", w, "call", NAME, PATH, MANAGER, method)
        assert answer.returncode != 0, (method, answer)

ASKS = """polkit.addRule(function(action, subject) {
  if (action.id == "org.memonline1.apply" && subject.user == "daemon" &&
      action.lookup("operation") == "change 2 GiB of memory on node 0 in 1 step" &&
      action.lookup("steps") == "1" && action.lookup("bytes") == "2147483648" &&
      action.lookup("nodes") == "0" && action.lookup("size") == "2 GiB")
    return polkit.Result.YES;
});
"""


@needs_polkit
@unless(lambda w: not w.own_rules, "mount namespaces")
def asks(w: World) -> None:
    """polkit is told what a plan would do; the user who was asked for a job is not asked again for it."""
    w.stop_polkit()
    w.start_polkit(ASKS)
    w.start(HOST, policy=None)
    client = Client(w)
    client.settled()
    message = (w.source / "dbus/data/org.memonline1.policy").read_text()
    assert "Authentication is required to $(operation)<" in message

    def begun() -> str:
        digest = client.plan(policy="hotplugged: movable\n")["digest"]
        answer = as_user("daemon", w, "--json=short", "call", NAME, PATH, MANAGER, "Apply", "sa{sv}", digest, "1",
                         "confirm-seconds", "u", "60")
        assert answer.returncode == 0, answer
        job = str(json.loads(answer.stdout)["data"][0])
        eventually(lambda: client.get("State", job, JOB) == "confirming", "it waits")
        return job

    job = begun()
    left = int(client.get("TimeLeft", job, JOB))
    assert 30e6 < left <= 60e6, left
    for method, *values in (["AdjustTimeout", "u", "600"], ["Cancel"]):
        assert as_nobody(w, "call", NAME, job, JOB, method, *values).returncode != 0, "another user's job"
    assert as_user("daemon", w, "call", NAME, job, JOB, "AdjustTimeout", "u", "0").returncode != 0
    adjusted = as_user("daemon", w, "call", NAME, job, JOB, "AdjustTimeout", "u", "600")
    assert adjusted.returncode == 0, adjusted
    assert 570e6 < int(client.get("TimeLeft", job, JOB)) <= 600e6
    cancelled = as_user("daemon", w, "call", NAME, job, JOB, "Cancel")
    assert cancelled.returncode == 0, cancelled
    assert client.done(job) == "undone" and client.get("TimeLeft", job, JOB) == 0
    job = begun()
    confirmed = as_user("daemon", w, "call", NAME, PATH, MANAGER, "Confirm")
    assert confirmed.returncode == 0, confirmed
    assert client.done(job) == "done"
    assert as_user("daemon", w, "call", NAME, PATH, MANAGER, "Undo").returncode != 0, "that is another action"


def told_policies(w: World, user: str, *groups: str) -> List[dict]:
    """GetPolicies as that user, with these groups beside its own."""
    words = ["setpriv", "--reuid", user, "--regid", "nogroup", *(["--groups", ",".join(groups)] if groups else
             ["--clear-groups"]), "busctl", f"--address={w.address}", "--json=short", "call", NAME, PATH, MANAGER,
             "GetPolicies"]
    answer = subprocess.run(words if user != "root" else words[words.index("busctl"):], capture_output=True,
                            text=True, check=False)
    assert answer.returncode == 0, answer
    return [{key: value["data"] for key, value in entry.items()} for entry in json.loads(answer.stdout)["data"][0]]


@needs_users
@unless(lambda w: os.geteuid() != 0, "root, to own files of others")
def withholds(w: World) -> None:
    """A caller reads the text of a policy where the file system lets it read the file, and nobody else less."""
    w.start(HOST)
    Client(w).settled()
    file = w.directory / "machine/etc/memonline/policy.d/50-test.mempolicy"
    text = file.read_text()
    group = "games"

    def reads(user: str, *groups: str) -> bool:
        (policy,) = told_policies(w, user, *groups)
        assert policy["path"] == str(file) and policy["digest"].startswith("sha256:"), policy
        assert ("policy" in policy) != ("withheld" in policy), policy
        if "policy" in policy:
            assert policy["policy"] == text, policy
        else:
            assert str(file) in policy["withheld"] and text not in json.dumps(policy), policy
        return "policy" in policy

    assert reads("nobody") and reads("root")
    file.chmod(0o600)
    assert not reads("nobody") and reads("root")
    shutil.chown(file, "nobody", group)
    assert reads("nobody") and not reads("daemon", group)
    file.chmod(0o040)
    assert not reads("nobody", group), "an owner has the owner's bits"
    assert not reads("daemon")
    # Which groups a caller has is told by dbus-daemon 1.13 and later.
    credentials = w.connect().get_object("org.freedesktop.DBus", "/org/freedesktop/DBus").GetConnectionCredentials(
        NAME, dbus_interface="org.freedesktop.DBus")
    assert reads("daemon", group) == ("UnixGroupIDs" in credentials)
    file.chmod(0o644)
    file.parent.chmod(0o700)
    assert not reads("nobody") and reads("root"), "a directory on the way keeps it from others"


PACKAGE = ("schema: memonline.policy/1\nversion: 1\nname: test\nsummary: most of it movable\ndescription: a test\n"
           "who: tests\npolicy: |\n  ")


@unless(lambda w: os.geteuid() != 0, "root, to own files of others")
def quotes_no_private_file(w: World) -> None:
    """What is for every caller quotes no file that not every user may read, whichever way it is kept from them."""
    file = w.directory / "machine/etc/memonline/policy.d/50-test.mempolicy"
    right, wrong = "hotplugged: last 77% movable, rest normal\n", "hotplugged: last 77% movabel\n"

    def told(policy: str, mode: int, package: bool = False) -> str:
        w.start(HOST, policy=None)
        place = file.with_suffix(".yaml") if package else file
        place.write_text(PACKAGE + policy if package else policy)
        place.chmod(mode)
        client = Client(w)
        client.manager.Reload()
        if policy is right:
            eventually(lambda: client.get("PolicyFiles"), "the policy is in force")
        else:
            eventually(lambda: client.get("Problems"), "the mistake is told")
        manager = client.at("/org/memonline1", "org.freedesktop.DBus.ObjectManager")
        # The policy in force is none where it is wrong.
        plan = client.plan(**({} if policy is right else {"policy": "boot: keep\n"}))
        answers = [plan["document"], client.manager.Explain("memory40"), client.manager.Verify(), client.get("Problems"),
                   manager.GetManagedObjects()]
        w.stop()
        place.unlink()
        text = "".join(map(str, answers))
        assert place.name in text, text
        return text

    for policy in (right, wrong):
        for package in (False, True):
            assert "77%" in told(policy, 0o644, package)
            for mode in (0o600, 0o640):
                text = told(policy, mode, package)
                assert "77%" not in text and "movabel" not in text, text


@needs_users
def keeps(w: World) -> None:
    """A user who asks for plan after plan pushes out nobody else's."""
    w.start(HOST, policy=None)
    client = Client(w)
    client.settled()
    mine = client.plan(policy="hotplugged: movable\n")["digest"]
    for normal in range(1, 41):
        answer = as_nobody(w, "call", NAME, PATH, MANAGER, "Plan", "a{sv}", "1", "policy", "s",
                           f"hotplugged: first {normal / 8}% normal, rest movable\n")
        assert answer.returncode == 0, answer
    assert client.done(client.manager.Apply(mine, OPTIONS)) == "done"


def notifies(w: World) -> None:
    """systemd is told: ready, alive, reloading and ready again, stopping; its state beside it."""
    path = str(w.directory / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        systemd.settimeout(10)
        told: List[str] = []

        def hear(word: str) -> str:
            """The next line that begins so."""
            while True:
                lines = systemd.recv(4096).decode().splitlines()
                told.extend(lines)
                for line in lines:
                    if line.startswith(word):
                        return line

        w.environment = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"}
        try:
            w.start(HOST)
        finally:
            w.environment = {}
        hear("READY=1")
        hear("WATCHDOG=1")
        Client(w).settled()
        assert w.daemon is not None
        w.daemon.send_signal(signal.SIGHUP)
        began = int(hear("MONOTONIC_USEC=").partition("=")[2])
        assert "RELOADING=1" in told and began <= time.monotonic_ns() // 1000
        hear("READY=1")
        assert any(line.startswith("STATUS=in-sync") for line in told), told
        w.daemon.send_signal(signal.SIGTERM)
        hear("STOPPING=1")


def memonline(w: World, *words: str) -> Optional[str]:
    """What the command prints beside the service; nothing where this machine shows no blocks."""
    command = pathlib.Path(w.memonlined).with_name("memonline")
    ran = subprocess.run([command, *words], capture_output=True, text=True, check=False,
                         env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": w.address})
    if "ML0601" in ran.stderr:
        return None
    assert ran.returncode == 0, ran
    return ran.stdout


def measures(w: World) -> None:
    """What it did is counted, and while nothing happens no thread of it wakes up."""
    w.start(HOST)
    client = Client(w)
    client.settled()
    counters = {str(name): int(value) for name, value in client.get("Counters").items()}
    assert counters["blocks-onlined"] == 16, counters
    assert all(value == 0 for name, value in counters.items() if name != "blocks-onlined"), counters
    assert {"failures", "retries", "rescans"} < set(counters), counters
    # A switch could do it; it does it faster itself.
    assert client.get("HotplugBy") == "service" and "from the top down" in client.get("HotplugWhy")
    metrics = memonline(w, "status", "--format", "prometheus", "-e", "all: keep")
    if metrics is not None:
        assert "\nmemonline_service_up 1\n" in metrics, metrics
        assert "\nmemonline_blocks_onlined_total 16\n" in metrics, metrics
    assert w.daemon is not None
    tasks = pathlib.Path(f"/proc/{w.daemon.pid}/task")

    def switches() -> int:
        return sum(int(line.split()[1]) for task in tasks.iterdir()
                   for line in (task / "status").read_text().splitlines()
                   if line.startswith("voluntary_ctxt_switches"))

    def sleeps() -> bool:
        before = switches()
        time.sleep(2)
        return switches() == before

    eventually(sleeps, "it sleeps for two seconds")


TESTS: List[Callable[[World], None]] = [measures, withholds, quotes_no_private_file, keeps, notifies, trusts, asks]

if __name__ == "__main__":
    sys.exit(run(TESTS))
