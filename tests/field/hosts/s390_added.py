# SPDX-License-Identifier: LGPL-2.1-or-later
"""s390x of Linux 5.14: standby memory that came online is a resource of its own, right behind boot memory."""
from tree import GiB, Tree


def make(root):
    host = Tree(root, arch="s390x", kernel="5.14.0-427.el9.s390x")
    host.node(0, "0-3")
    host.add(0, 15, zones="DMA")
    host.add(16, 19, zones="Movable")
    host.add(20, 31, "offline", "Movable Normal")
    host.ram(0, 2 * GiB - 1)
    host.ram(2 * GiB, 4 * GiB - 1)
    host.finish()
