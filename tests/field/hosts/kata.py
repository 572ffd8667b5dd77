# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest of 256 MiB that is to grow a lot (Kata)."""
from tree import MiB, Tree


def make(root):
    host = Tree(root, kernel="5.19.0", auto="online", guest="kvm", memmap_on_memory="N")
    host.node(0, "0")
    host.add(0, 1, zones="DMA32")
    host.add(0, 0, zones="none")
    host.ram(0x1000, 256 * MiB - 1)
    host.firmware(0, 256 * MiB - 1)
    host.finish(available=120 * MiB, vmstat="nr_free_pages 1\nnr_foll_pin_acquired 0\nswap_ra 0\n")
