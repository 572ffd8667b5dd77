# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: hammer_test.py MEMONLINED SOURCE: clients call every method at once while policies are reloaded and the
kernel reports memory. The service answers all of them, and its memory is settled afterwards. The stages `tsan` and
`asan` run this test with sanitizers, which end the service with a status of their own."""
import sys
import threading
import time
from typing import Any, Callable, List

from world import (dbus, ERROR, MANAGER, STANDARD, Client, Kernel, World, eventually, run)

SECONDS = 8.0
POLICIES = ["hotplugged: movable\n", "boot: keep\n", "hotplugged: auto\nlimit movable to 2.5x normal\n",
            "hotplugged: normal\n", "hotplugged: movabel\n"]
NO_OPTIONS = dbus.Dictionary({}, signature="sv")
# What a request may come to while others change the same memory.
EXPECTED = (ERROR + "Busy", ERROR + "NothingToDo", ERROR + "PlanStale", ERROR + "UnknownPlan", ERROR + "UnknownJob",
            ERROR + "PlanInvalid", ERROR + "PlanImpossible", ERROR + "PolicyInvalid", STANDARD + "LimitsExceeded",
            STANDARD + "Failed", STANDARD + "UnknownObject", STANDARD + "UnknownMethod")


class Hammer:
    """Threads that call until the time is over."""

    def __init__(self, w: World) -> None:
        self.world, self.end = w, time.monotonic() + SECONDS
        self.wrong: List[str] = []
        self.calls = 0
        self.threads: List[threading.Thread] = []

    def start(self, work: Callable[[Client, int], Any]) -> None:
        thread = threading.Thread(target=self.repeat, args=(work,))
        self.threads.append(thread)
        thread.start()

    def repeat(self, work: Callable[[Client, int], Any]) -> None:
        client, turn = Client(self.world), 0
        while time.monotonic() < self.end and not self.wrong:
            turn += 1
            try:
                work(client, turn)
            except dbus.DBusException as error:
                if error.get_dbus_name() not in EXPECTED:
                    self.wrong.append(str(error))
            self.calls += 1
        client.bus.close()


def reload_(client: Client, _: int) -> None:
    client.manager.Reload()


def apply(client: Client, turn: int) -> None:
    plan = client.plan(policy=f"set rezone = allowed\nblock40-43: {'normal' if turn % 2 else 'movable'}\n")
    job = client.manager.Apply(plan["digest"], dbus.Dictionary({"confirm-seconds": dbus.UInt32(1)}, signature="sv"))
    client.get("State", job, "org.memonline1.Job")
    client.manager.Cancel(job) if turn % 2 else client.manager.Confirm()
    client.manager.Undo()


def read(client: Client, _: int) -> None:
    client.manager.Check("hotplugged: movabel\n")
    client.manager.ListBlocks(NO_OPTIONS)
    client.manager.GetPolicies()
    client.manager.GetHost()
    client.manager.Explain("memory40")
    client.manager.PlanToFile(NO_OPTIONS)
    client.manager.SubmitPlan("{}")


def verify(client: Client, _: int) -> None:
    client.manager.Verify()
    client.all("/org/memonline1", MANAGER)


def hammer(w: World) -> None:
    """Nothing is left unanswered, and the service lives."""
    w.kernel = Kernel()
    w.start("6.12-a1")
    client = Client(w)
    client.settled()
    threads = Hammer(w)
    for work in (reload_, apply, read, verify, verify):
        threads.start(work)
    turn = 0
    while time.monotonic() < threads.end and not threads.wrong:
        turn += 1
        w.write_policy(POLICIES[turn % len(POLICIES)])
        for block in range(40, 48):
            w.kernel.says(("add", "online", "offline")[turn % 3], block)
        time.sleep(0.05)
    for thread in threads.threads:
        thread.join()
    assert not threads.wrong, threads.wrong
    print(f"{threads.calls} rounds of calls")
    assert threads.calls > 20
    assert w.daemon is not None and w.daemon.poll() is None, "it is gone"
    w.write_policy("boot: keep\n")
    client.manager.Reload()
    eventually(lambda: client.get("ActiveJob") == "/", "all jobs end", 60)
    eventually(lambda: not client.get("Switches"), "the kernel's settings are released", 30)
    w.kernel = None


if __name__ == "__main__":
    dbus.mainloop.glib.threads_init()  # before the first connection
    sys.exit(run([hammer]))
