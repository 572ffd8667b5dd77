# SPDX-License-Identifier: LGPL-2.1-or-later
"""An arm64 kernel without hot-remove: no valid_zones at any age. Movable lies within Normal's span."""
from tree import GiB, Tree

BLOCK = 32768


def make(root):
    host = Tree(root, arch="aarch64", kernel="5.10.0-embedded", policy=None, memmap_on_memory=None, guest="kvm")
    host.node(0, "0-3")
    host.add(8, 31, zones=None)
    host.zones = {(0, "DMA"): (8 * BLOCK, 8 * BLOCK, 8 * BLOCK), (0, "Normal"): (16 * BLOCK, 16 * BLOCK, 8 * BLOCK),
                  (0, "Movable"): (20 * BLOCK, 8 * BLOCK, 8 * BLOCK)}
    host.ram(GiB, 4 * GiB - 1)
    host.finish()
