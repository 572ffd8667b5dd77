# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: fuzz_test.py MEMONLINED SOURCE [SEED]: 10,000 calls with random arguments, of the right
type and of wrong ones, to every member that introspection shows, then 50 clients at once. The
service stays healthy, and its memory flat."""
import pathlib
import random
import sys
import threading
import time
import xml.etree.ElementTree as xml
from typing import Any, List, Tuple

from world import (GLib, dbus, MANAGER, NAME, PATH, Client, World, eventually, refused, world, STANDARD)

CALLS = 10000
CLIENTS = 50
GROWTH = 2048  # KiB that count as flat: what an allocator keeps of the largest answer
WORDS = ["policy", "offline", "unplug", "add", "state", "node", "zone", "device", "drift", "1GiB",
         "confirm-seconds", "memory40", "dimm0", "hotplugged: movable\n", "sha256:0", MANAGER,
         "0xffffffffffffffff", "ML0503", "", "\u2603", "x" * 5000]
Call = Tuple[str, str, str]  # interface, method, signature


def value(dice: random.Random, signature: str, depth: int = 0) -> Any:
    """A random value of one complete type."""
    kind = signature[0]
    if kind in "so":
        if kind == "o":
            return dbus.ObjectPath(dice.choice(["/", PATH, PATH + "/job/1", PATH + "/job/x"]))
        return dbus.String(dice.choice(WORDS))
    if kind == "b":
        return dbus.Boolean(dice.random() < 0.5)
    if kind == "d":
        return dbus.Double(dice.choice([0.0, -1.5, float("inf"), float("nan")]))
    if kind == "v":
        inner = dice.choice(["s", "b", "u", "i", "t", "x", "d", "o", "as", "a{sv}", "(su)"]
                            if depth < 3 else ["s", "u"])
        return value(dice, inner, depth + 1)
    if signature.startswith("a{"):
        count = dice.choice([0, 1, 1, 2, 5, 200 if depth == 0 else 3])
        return dbus.Dictionary({dice.choice(WORDS): value(dice, "v", depth + 1)
                                for _ in range(count)}, signature="sv")
    if signature.startswith("a"):
        return dbus.Array([value(dice, signature[1:], depth + 1)
                           for _ in range(dice.randrange(4))], signature=signature[1:])
    if signature.startswith("("):
        return dbus.Struct([value(dice, one, depth + 1) for one in signature[1:-1]])
    bits = {"y": 8, "q": 16, "u": 32, "t": 64, "n": 16, "i": 32, "x": 64}[kind]
    number = dice.choice([0, 1, dice.getrandbits(bits - 1), (1 << (bits - 1)) - 1])
    make = {"y": dbus.Byte, "q": dbus.UInt16, "u": dbus.UInt32, "t": dbus.UInt64,
            "n": dbus.Int16, "i": dbus.Int32, "x": dbus.Int64}[kind]
    return make(number)


def members(client: Client, path: str) -> List[Call]:
    """Every method that the object shows."""
    shown = xml.fromstring(client.at(path, "org.freedesktop.DBus.Introspectable").Introspect())
    return [(str(interface.get("name")), str(method.get("name")),
             " ".join(str(arg.get("type")) for arg in method.iter("arg")
                      if arg.get("direction", "in") == "in"))
            for interface in shown.iter("interface") for method in interface.iter("method")]


def send(client: Client, dice: random.Random, path: str, call: Call) -> bool:
    """One call; whether it was refused. No answer at all is a failure."""
    interface, method, types = call
    signatures = types.split()
    if dice.random() < 0.3:
        signatures = dice.choices(["s", "u", "b", "a{sv}", "as", "(su)", "o", "t", "v"],
                                  k=dice.randrange(4))
    arguments = [value(dice, one) for one in signatures]
    try:
        client.bus.call_blocking(NAME, path, interface, method, "".join(signatures), arguments,
                                 timeout=20)
    except dbus.DBusException as error:
        assert error.get_dbus_name() not in (STANDARD + "NoReply", STANDARD + "ServiceUnknown"), (
            path, call, arguments, error)
        return True
    return False


def malformed(w: World, seed: int) -> None:
    """Random calls do no harm."""
    w.start("6.12-a1")
    client = Client(w)
    client.settled()
    client.manager.Undo()
    dice = random.Random(seed)
    paths = [PATH, PATH + "/node/0", PATH + "/job/1"]
    calls = {path: members(client, path) for path in paths}
    assert sum(len(each) for each in calls.values()) > 20

    def burst(count: int) -> int:
        """So many calls that were answered; how many of them by an error."""
        sent = errors = 0
        while sent < count:
            path = dice.choice(paths)
            try:
                errors += send(client, dice, path, dice.choice(calls[path]))
                sent += 1
            except (TypeError, ValueError, OverflowError):
                pass  # the client's library refused to send it
        return errors

    burst(CALLS // 5)  # until everything was used once
    before = w.rss()
    errors = burst(CALLS)
    after = w.rss()
    print(f"{CALLS} calls, {errors} refused (seed {seed}); resident {before} -> {after} KiB")
    assert w.daemon is not None and w.daemon.poll() is None, "it is gone"
    for kind, number in (("refused", errors), ("carried out", CALLS - errors)):
        assert number > CALLS // 20, f"only {number} of {CALLS} calls were {kind}"
    assert after - before <= GROWTH, "its memory grew"
    eventually(lambda: client.get("ActiveJob") == "/", "all jobs end", 60)
    assert client.manager.Verify()["state"] in ("in-sync", "drift")


def crowd(w: World) -> None:
    """Many clients at once are all served, and one that floods is held back."""
    w.start("6.12-a1")
    client = Client(w)
    client.settled()
    wrong: List[str] = []
    answered = [0] * CLIENTS

    def work(number: int) -> None:
        try:
            own = Client(w)
            for _ in range(20):
                own.plan()
                own.manager.ListBlocks(dbus.Dictionary({}, signature="sv"))
                own.get("State")
                answered[number] += 3
            own.bus.close()
        except Exception as error:  # pylint: disable=broad-except
            wrong.append(f"client {number}: {error}")

    def round_() -> float:
        threads = [threading.Thread(target=work, args=(n,)) for n in range(CLIENTS)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.monotonic() - began

    round_()
    before = w.rss()
    seconds = round_()
    after = w.rss()
    print(f"{CLIENTS} clients, {sum(answered) // 2} answers in {seconds:.1f} s; "
          f"resident {before} -> {after} KiB")
    assert not wrong, wrong[:3]
    assert after - before <= GROWTH, "its memory grew"

    refusals: List[str] = []
    left = [200]

    def count(*_: Any) -> None:
        left[0] -= 1

    def refuse(error: Exception) -> None:
        left[0] -= 1
        refusals.append(error.get_dbus_name())  # type: ignore[attr-defined]

    for _ in range(left[0]):
        client.manager.Plan(dbus.Dictionary({}, signature="sv"), reply_handler=count,
                            error_handler=refuse)
    end = time.monotonic() + 60
    while left[0] > 0 and time.monotonic() < end:
        GLib.MainContext.default().iteration(True)
    assert left[0] == 0 and set(refusals) == {STANDARD + "LimitsExceeded"}, (left, refusals[:3])
    refused(STANDARD + "InvalidArgs", lambda: client.manager.Explain("what?"))


def main() -> int:
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().getrandbits(32)
    dbus.mainloop.glib.threads_init()  # before the first connection
    with world(sys.argv[1], pathlib.Path(sys.argv[2])) as w:
        for name, test in (("malformed", lambda: malformed(w, seed)), ("crowd", lambda: crowd(w))):
            test()
            assert w.stop() == 0, "SIGTERM ends it"
            print(f"ok {name}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
