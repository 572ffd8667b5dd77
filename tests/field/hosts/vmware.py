# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest of VMware whose kernel leaves hot-added memory offline."""
from tree import GiB, Tree


def make(root, guest="vmware", arch="x86_64"):
    host = Tree(root, guest=guest, arch=arch)
    host.node(0, "0")
    host.add(0, 15, zones="DMA32")
    host.add(0, 0, zones="none")
    host.ram(0x1000, 2 * GiB - 1)
    host.firmware(0, 2 * GiB - 1)
    host.finish()
