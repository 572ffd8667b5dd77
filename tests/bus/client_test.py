# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: client_test.py MEMONLINED SOURCE CLIENT: the client in C++ on a bus of its own."""
import os
import pathlib
import subprocess
import sys

from world import world


def main() -> int:
    memonlined, source, client = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    with world(memonlined, source) as w:
        w.start("6.12-a1", "--latency", "20", policy=None)
        ran = subprocess.run([client], env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": w.address},
                             capture_output=True, text=True, check=False, timeout=120)
        assert ran.returncode == 0, ran.stderr
        assert w.stop() == 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
