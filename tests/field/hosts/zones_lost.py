# SPDX-License-Identifier: LGPL-2.1-or-later
"""A copy of /sys that lost what `valid_zones` of a DIMM says; /proc/zoneinfo proves that all of it is Movable."""
from tree import GiB, Tree


def make(root):
    host = Tree(root)
    host.pc(47)
    host.node(1)
    host.add(80, 95, zones="Movable", node=1, dimm=1)
    host.ram(10 * GiB, 12 * GiB - 1)
    host.finish()
    for block in range(80, 96):
        host.write("sys/devices/system/memory/memory%d/valid_zones" % block, "")
