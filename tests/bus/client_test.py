# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: client_test.py MEMONLINED SOURCE CLIENT: the client in C++ on a bus of its own, as root and as
a user who may only read."""
import os
import pathlib
import subprocess
import sys

from world import dbus, JOB, Client, World, become, eventually, skip_part, world


def ran(w: World, *command: str) -> None:
    done = subprocess.run(command, env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": w.address},
                          capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def as_user(w: World, program: str) -> None:
    """While a job of root's waits to be confirmed."""
    client = Client(w)
    digest = client.plan(policy="hotplugged: movable\n")["digest"]
    job = client.manager.Apply(digest, dbus.Dictionary({"confirm-seconds": dbus.UInt32(100)},
                                                       signature="sv"))
    eventually(lambda: client.get("State", job, JOB) == "confirming", "it waits for a word")
    ran(w, *become("nobody"), program, job)
    client.manager.Confirm()
    assert client.done(job) == "done"


def main() -> int:
    memonlined, source, program = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    with world(memonlined, source) as w:
        w.start("6.12-a1", "--latency", "50", policy=None)
        ran(w, program)
        print("ok all as root")
        assert w.stop() == 0
        w.start("6.12-a1", "--latency", "20", policy=None)
        if w.polkit:
            as_user(w, program)
            print("ok all as a user")
        else:
            skip_part("client_test", "a user who is denied: needs polkitd, and the right to mount as root or by sudo")
        assert w.stop() == 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
