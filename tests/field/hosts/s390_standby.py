# SPDX-License-Identifier: LGPL-2.1-or-later
"""An LPAR of s390x, Linux 7.0: 2 GiB of standby memory wait above the 2 GiB in use."""
from tree import GiB, MiB, Tree


def make(root, configured=16, blocks=32):
    host = Tree(root, arch="s390x", kernel="7.0.0")
    host.node(0, "0-3")
    host.add(0, configured - 1, zones="DMA")
    for block in range(blocks):
        path = "sys/firmware/memory/memory%d/" % block
        host.write(path + "config", "1\n" if block < configured else "0\n")
        host.write(path + "memmap_on_memory", "0\n")
    host.write("proc/sysinfo", "Manufacturer:         IBM\nType:                 3931\nLPAR Number:          5\n")
    host.ram(0, configured * 128 * MiB - 1)
    host.finish()
