# SPDX-License-Identifier: LGPL-2.1-or-later
"""A ppc64le guest of Linux 4.9 with LMBs that came later: some are offline below online Normal memory."""
from tree import GiB, MiB, Tree


def make(root):
    host = Tree(root, arch="ppc64le", kernel="4.9.0-19-powerpc64le", page=65536, block=256 * MiB, policy=None,
                memmap_on_memory=None)
    host.node(0, "0-7")
    host.add(0, 15, zones="DMA")
    host.add(16, 17, "offline", "DMA")
    host.add(18, 18, zones="DMA")
    host.add(19, 19, zones="DMA Movable")
    host.ram(0, 4 * GiB - 1)
    host.finish(vmstat="nr_free_pages 1\n")
    host.device_tree("memory@0/reg", 0, 0, 1, 0)
