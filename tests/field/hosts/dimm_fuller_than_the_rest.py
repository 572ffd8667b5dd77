# SPDX-License-Identifier: LGPL-2.1-or-later
"""40 GiB, of which 1 GiB is available; 32 GiB of it are a DIMM in Normal."""
from tree import GiB, MiB, Tree

SIZE = 128 * MiB


def make(root, zones="Normal", available=1 * GiB, free=None):
    host = Tree(root)
    host.pc(79)
    host.add(128, 383, zones=zones, dimm=1)
    host.ram(128 * SIZE, 384 * SIZE - 1)
    host.finish(available=available, free=free)
