# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server whose kernel onlines hot-added memory by itself, with a CXL card on node 1 that is offline."""
from tree import MiB, Tree


def make(root, auto="online"):
    host = Tree(root, auto=auto)
    host.pc(271)
    host.node(1)
    host.add(1024, 1279, "offline", "Normal Movable", 1)
    host.ram(1024 * 128 * MiB, 1280 * 128 * MiB - 1, "System RAM (kmem)",
             (1024 * 128 * MiB, 1280 * 128 * MiB - 1, "dax0.0"))
    host.finish()
