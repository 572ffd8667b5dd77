# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest of Hyper-V with dynamic memory: its balloon driver adds a block at a time."""
from tree import MiB, GiB, Tree


def make(root):
    host = Tree(root, kernel="6.12.0-1-amd64", auto="online", guest="microsoft")
    host.node(0, "0-3")
    host.add(0, 15, zones="DMA32")
    host.add(0, 0, zones="none")
    host.add(16, 23)
    host.ram(0x1000, 2 * GiB - 1)
    host.ram(2 * GiB, 3 * GiB - 1)
    host.firmware(0, 2 * GiB - 1)
    host.firmware(2 * GiB, 3 * GiB - 1)
    host.finish(available=256 * MiB)
