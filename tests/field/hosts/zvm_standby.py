# SPDX-License-Identifier: LGPL-2.1-or-later
"""s390x in z/VM: of its standby memory one block is configured and still offline, others are on both sides of it."""
from tree import GiB, MiB, Tree


def make(root):
    host = Tree(root, arch="s390x", kernel="6.19.3", block=256 * MiB)
    host.node(0, "0-1")
    host.add(0, 7, zones="DMA")
    host.add(10, 10, "offline", "Normal Movable")
    for block in range(16):
        host.write("sys/firmware/memory/memory%d/config" % block, "1\n" if block < 8 or block == 10 else "0\n")
    host.write("proc/sysinfo", "Manufacturer:         IBM\nVM00 Control Program: z/VM    7.3.0\n")
    host.ram(0, 2 * GiB - 1)
    host.ram(2560 * MiB, 2816 * MiB - 1)
    host.finish()
