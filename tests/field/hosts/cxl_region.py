# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host with two CXL cards and memory set apart by the firmware: a region of both cards is system RAM, one of a single
card is opened as a device, and no driver has the firmware's."""
from tree import GiB, MiB, Tree

SIZE = 128 * MiB


def make(root):
    host = Tree(root, kernel="7.3.0-rc7")
    host.pc(7)
    host.node(1)
    host.add(122, 125, "offline", "Normal Movable", node=1)
    first, last = 122 * SIZE, 126 * SIZE - 1
    host.ram(first, last, "System RAM (kmem)", (first, last, "dax0.0"))
    host.dax("dax0.0", 512 * MiB, 1, "kmem", "region0", (("decoder2.0", "mem0"), ("decoder3.0", "mem1")),
             "online_movable")
    host.dax("dax1.0", 1 * GiB, 2, "device_dax", "region1", (("decoder3.1", "mem1"),), "unplugged")
    host.dax("dax10.0", 16 * GiB, 3)
    host.tiers({4: "0", 22: "1"}, "true")
    host.finish()
