# SPDX-License-Identifier: LGPL-2.1-or-later
"""Linux 5.4 with mem= on its command line: up to 5.6 it caps memory that is added, too."""
from tree import GiB, Tree


def make(root, kernel="5.4.0-200-generic", vmstat="nr_free_pages 1\nswap_ra 0\n"):
    host = Tree(root, kernel=kernel, cmdline="root=/dev/vda1 mem=6G", guest="kvm", policy=None, memmap_on_memory=None)
    host.node(0, "0")
    host.add(0, 15, zones="DMA32")
    host.add(0, 0, zones="none")
    host.add(32, 47)
    host.ram(0x1000, 2 * GiB - 1)
    host.ram(4 * GiB, 6 * GiB - 1)
    host.firmware(0x1000, 2 * GiB - 1)
    host.firmware(4 * GiB, 6 * GiB - 1)
    host.finish(vmstat=vmstat)
