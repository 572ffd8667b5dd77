#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`plan`, `status` and `apply --dry-run` agree on every host and policy: verdicts.py PROGRAM SOURCE

For each captured host and each of a dozen policies: the same verdict, the same remaining entries and the same
competing onlining agents in all three documents; `plan --exit-code` and `status` end alike; and "everything is as the
policy says" is printed exactly where no document has anything left to say.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

PROGRAM, SOURCE = sys.argv[1:3]
HOSTS = os.path.join(SOURCE, "tests/hosts")
POLICIES = (
    "hotplugged: movable",
    "hotplugged: normal",
    "hotplugged: auto",
    "hotplugged: offline",
    "all: keep",
    "node1: last 80% movable, rest normal",
    "boot: movable",
    "boot: last 50% movable, rest normal",
    "all: last 1GiB movable, rest normal; set rezone = allowed",
    "limit movable to 1x normal",
    "each node: 50% movable; limit movable to 3x normal per node",
    "hotplugged: 2 blocks movable, rest keep; set hotplug = service",
    "hotplugged: movable; set memmap-on-memory = on",
    "driver nobody: movable",
    "boot: offline",
)
AS_DESIRED = "nothing to do: everything is as the policy says"
EXIT = {"drift": (3, 4), "reboot-pending": (4,), "as-desired": (0,), "nothing-judged": (0,)}


def run(*words):
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=False, timeout=120,
                          env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
    return done.returncode, done.stdout


def document(text):
    parsed = json.loads(text) if text.startswith("{") else {}
    return {name: parsed.get(name) for name in ("verdict", "remaining", "agents")}


def trouble(host, policy):
    """What is wrong, as sentences."""
    where = ("--root", host, "-e", policy)
    plan_exit, plan = run("plan", "--exit-code", "--json", *where)
    status_exit, status = run("status", "--json", *where)
    plan_doc, status_doc = document(plan), document(status)
    if plan_doc["verdict"] is None:  # it cannot be planned, and status says the same
        if plan_exit != 1 or status_exit != 1 or status_doc["verdict"] != "no-plan":
            yield "plan ends with %d, status with %d (%s)" % (plan_exit, status_exit, status_doc["verdict"])
        return
    if plan_exit != status_exit:
        yield "plan --exit-code ends with %d, status with %d" % (plan_exit, status_exit)
    if plan_exit not in EXIT[plan_doc["verdict"]]:
        yield "%s, and plan ends with %d" % (plan_doc["verdict"], plan_exit)
    if plan_doc != status_doc:
        yield "plan says %s, status %s" % (plan_doc, status_doc)
    _, text = run("plan", *where)
    _, status_text = run("status", *where)
    _, shell = run("plan", "--format", "shell", *where)
    clean = plan_doc["verdict"] == "as-desired" and not plan_doc["remaining"]
    for name, said in (("plan", AS_DESIRED in text), ("shell", AS_DESIRED in shell),
                       ("status", "Everything is as the policy says" in status_text)):
        if said != clean:
            yield "%s %s that everything is as desired: %s" % (name, "says" if said else "does not say", plan_doc)
    if not json.loads(plan)["steps"] and not clean and "nothing can be done now" not in text and \
            plan_doc["verdict"] != "nothing-judged":
        yield "the plan has no steps, and does not say that nothing can be done: " + text
    for agent in plan_doc["agents"]:
        place = "%s:%d:%d" % (agent["path"], agent["line"], agent["column"])
        for name, output in (("plan", text), ("status", status_text), ("shell", shell)):
            if output.count(place) != 1:
                yield "%s names %s %d times" % (name, place, output.count(place))
    if not os.path.isdir(host):
        return  # applied is only to trees
    apply_exit, applied = run("apply", "--dry-run", "--json", *where)
    if document(applied) != plan_doc:
        yield "apply --dry-run says %s, plan %s" % (document(applied), plan_doc)
    if apply_exit != 0:
        yield "apply --dry-run ends with %d" % apply_exit
    if (AS_DESIRED in run("apply", "--dry-run", *where)[1]) != clean:
        yield "apply --dry-run and plan differ on whether all is as desired"


def unpacked(name, into):
    """A tree that apply takes."""
    path = os.path.join(into, name.split(".tar")[0])
    os.mkdir(path)
    subprocess.run(["tar", "-C", path, "-xf", os.path.join(HOSTS, name)], check=True)
    subprocess.run(["chmod", "-R", "u+rwX", path], check=True)
    return path


def main():
    if not shutil.which("xz"):
        print("skipped: xz is not installed")
        sys.exit(77)
    names = sorted(name for name in os.listdir(HOSTS) if name.endswith(".tar.xz"))
    failed = total = 0
    verdicts = set()
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(os.cpu_count()) as pool:
        hosts = list(pool.map(lambda name: unpacked(name, directory), names[::3]))
        rules = "etc/udev/rules.d/99-own.rules"
        for host in hosts[::2]:
            os.makedirs(os.path.dirname(os.path.join(host, rules)), exist_ok=True)
            with open(os.path.join(host, rules), "w", encoding="utf-8") as file:
                file.write('SUBSYSTEM=="memory", ACTION=="add", ATTR{state}="online"\n')
        pairs = [(host, policy) for host in hosts for policy in POLICIES]
        pairs += [(os.path.join(HOSTS, name), policy) for name in names[1::3] for policy in POLICIES[::2]]
        pairs += [(os.path.join(HOSTS, name), policy) for name in names[2::3] for policy in POLICIES if "set " in policy]
        for (host, policy), wrong in zip(pairs, pool.map(lambda pair: list(trouble(*pair)), pairs)):
            total += 1
            failed += bool(wrong)
            for sentence in wrong:
                print("FAILED %s, %s: %s" % (os.path.basename(host), policy, sentence))
        for _, text in pool.map(lambda pair: run("status", "--json", "--root", pair[0], "-e", pair[1]), pairs):
            verdicts.add(json.loads(text)["verdict"])
    if not {"drift", "reboot-pending", "as-desired", "nothing-judged"} <= verdicts:
        failed += 1
        print("FAILED: the policies do not reach every verdict, only %s" % ", ".join(sorted(verdicts)))
    print("%d hosts and policies, %d failed" % (total, failed))
    sys.exit(1 if failed or total == 0 else 0)


main()
