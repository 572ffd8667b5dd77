# SPDX-License-Identifier: LGPL-2.1-or-later
"""Linux 6.1 with memmap_on_memory: one DIMM of 256 GiB, of many blocks, so that it cannot hold its own memory map."""
from tree import GiB, Tree


def make(root):
    host = Tree(root, kernel="6.1.0-50-amd64", block=2 * GiB, memmap_on_memory="Y")
    host.node(0, "0-3")
    host.add(0, 0, zones="none")
    host.add(1, 3)
    host.add(64, 191, "offline", "Normal Movable", dimm=0)
    host.ram(0x1000, 8 * GiB - 1)
    host.ram(128 * GiB, 384 * GiB - 1)
    host.firmware(0x1000, 8 * GiB - 1)
    host.finish(vmstat="nr_free_pages 1\nnr_foll_pin_acquired 0\nswap_ra 0\n")
