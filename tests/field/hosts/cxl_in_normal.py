# SPDX-License-Identifier: LGPL-2.1-or-later
"""A CXL device of 64 GiB on a node of its own, which the kernel onlined in Normal; eight of its blocks are offline."""
from tree import MiB, Tree

SIZE = 128 * MiB


def make(root):
    host = Tree(root, kernel="6.5.0-rc7", auto="online")
    host.pc(271)
    host.node(1)
    host.add(272, 775, node=1)
    host.add(776, 783, "offline", "Normal Movable", node=1)
    first, last = 272 * SIZE, 784 * SIZE - 1
    host.ram(first, last, "System RAM (kmem)", (first, last, "dax0.0"))
    host.firmware(first, last, "Soft Reserved")
    host.finish()
