# SPDX-License-Identifier: LGPL-2.1-or-later
"""An arm64 server of two nodes with a DIMM on each, Linux 5.10: no online_policy."""
from tree import GiB, Tree


def make(root):
    host = Tree(root, arch="aarch64", kernel="5.10.0-28-arm64", block=GiB, policy=None, memmap_on_memory=None)
    host.node(0, "0-7")
    host.node(1, "8-15")
    for node in (0, 1):
        first = 8 * node
        host.add(first, first + 3, zones="DMA" if node == 0 else "Normal", node=node)
        host.ram(first * GiB, (first + 4) * GiB - 1)
        host.firmware(first * GiB, (first + 4) * GiB - 1)
    for node in (0, 1):
        first = 32 + 8 * node
        host.add(first, first + 7, "offline", "Normal Movable", node=node, dimm=node)
        host.ram(first * GiB, (first + 8) * GiB - 1)
    host.finish(vmstat="nr_free_pages 1\nnr_foll_pin_acquired 0\n")
