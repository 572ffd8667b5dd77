# SPDX-License-Identifier: LGPL-2.1-or-later
"""A PC of Linux 4.4: the lower of two DIMMs is offline, the upper one is online in Normal."""
from tree import GiB, Tree


def make(root):
    host = Tree(root, kernel="4.4.0-210-generic", policy=None, memmap_on_memory=None)
    host.pc(39)
    host.add(40, 47, "offline", "Normal", dimm=0)
    host.add(48, 54, dimm=1)
    host.add(55, 55, zones="Normal Movable", dimm=1)
    host.ram(5 * GiB, 7 * GiB - 1)
    host.finish(vmstat="nr_free_pages 1\n")
