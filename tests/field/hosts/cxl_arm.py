# SPDX-License-Identifier: LGPL-2.1-or-later
"""An arm64 server that onlines hot-added memory in kernel zones, with a CXL card on node 1; a service holds the setting."""
from tree import GiB, MiB, Tree


def make(root):
    host = Tree(root, arch="aarch64", kernel="6.14.0-1-generic", auto="offline")
    host.node(0, "0-31")
    host.node(1)
    host.add(8, 263)
    host.add(1024, 1151, zones="Movable", node=1)
    host.ram(1 * GiB, 33 * GiB - 1)
    host.ram(128 * GiB, 144 * GiB - 1, "System RAM (kmem)", (128 * GiB, 144 * GiB - 1, "dax0.0"))
    host.finish()
    host.write("run/memonline/service", "")
    host.write("run/memonline/switches", "boot 6b2c\nauto_online_blocks online_kernel offline\n")
