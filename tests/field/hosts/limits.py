# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest of 2 GiB with a DIMM of 27 blocks, nothing of it online."""
from tree import GiB, MiB, Tree


def make(root):
    host = Tree(root, guest="kvm")
    host.node(0, "0-3")
    host.add(0, 15, zones="DMA32")
    host.add(0, 0, zones="none")
    host.add(32, 58, "offline", "Normal Movable", dimm=0)
    host.ram(0x1000, 2 * GiB - 1)
    host.ram(4 * GiB, 4 * GiB + 27 * 128 * MiB - 1)
    host.firmware(0, 2 * GiB - 1)
    host.finish()
