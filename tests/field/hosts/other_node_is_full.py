# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two nodes: the second has room, the first, where its pages would have to go, has next to none. A virtio-mem device
in Movable on the second node, next to a DIMM."""
from tree import GiB, MiB, Tree

SIZE, PAGES = 128 * MiB, GiB // 4096


def make(root):
    host = Tree(root, kernel="6.1.0-32-amd64", guest="kvm")
    host.pc(79)
    host.node(1)
    host.add(128, 191, zones="Movable", node=1)
    host.add(192, 255, zones="Movable", node=1, dimm=0)
    first, last = 128 * SIZE, 192 * SIZE - 1
    host.ram(first, last, "System RAM (virtio_mem)", (first, last, "virtio2"))
    host.ram(192 * SIZE, 256 * SIZE - 1)
    host.finish(available=9 * GiB, free={(0, "DMA32"): 0, (0, "Normal"): PAGES, (1, "Movable"): 8 * PAGES})
