# SPDX-License-Identifier: LGPL-2.1-or-later
"""s390x, zones bound when memory is added: one offline block below online Normal memory cannot become Movable."""
from tree import MiB, Tree


def make(root):
    host = Tree(root, arch="s390x", kernel="4.4.0-generic", block=256 * MiB, policy=None, memmap_on_memory=None)
    host.node(0, "0-3")
    for first, last, state, zones in ((0, 6, "online", "DMA"), (7, 7, "online", "DMA Normal"),
                                      (8, 13, "online", "Normal"), (14, 14, "offline", "Normal"),
                                      (15, 16, "online", "Normal"), (17, 17, "online", "Normal Movable"),
                                      (18, 18, "online", "Movable Normal"), (19, 19, "online", "Movable"),
                                      (20, 23, "offline", "Movable")):
        host.add(first, last, state, zones)
    host.finish(vmstat="nr_free_pages 1\n")
