# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command beside the service, and hosts with as many runs of blocks as a test wants."""
import os
import pathlib
import subprocess
from typing import Tuple

from world import World, become

HOST = "6.12-a1"  # 16 hot-added blocks of 128 MiB, offline
Said = Tuple[int, bytes, bytes]


def memonline(w: World, *words: str, user: str = "root") -> Said:
    """What the command says beside the service."""
    command = str(pathlib.Path(w.memonlined).with_name("memonline"))
    ran = subprocess.run([*become(user), command, *words],
                         capture_output=True, check=False,
                         env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": w.address})
    return ran.returncode, ran.stdout, ran.stderr


def host_with(w: World, blocks: str) -> str:
    """The host, with these lines in place of its two DIMMs."""
    captured = memonline(w, "capture", "--root", str(w.source / f"tests/hosts/{HOST}.tar.xz"))[1]
    lines = captured.decode().splitlines(keepends=True)
    kept = [line for line in lines if "[32, 39]" not in line and "[40, 47]" not in line]
    assert len(kept) == len(lines) - 2, lines
    file = w.directory / "host.yaml"
    file.write_text("".join(kept) + blocks)
    return str(file)


def run_of(first: int, last: int) -> str:
    return f"  - {{blocks: [{first}, {last}], state: offline, zones: [Normal, Movable], node: 0, device: 1}}\n"


def many_runs(w: World, runs: int) -> str:
    """A host with so many runs of one block each."""
    return host_with(w, "".join(run_of(32 + 2 * i, 32 + 2 * i) for i in range(runs)))
