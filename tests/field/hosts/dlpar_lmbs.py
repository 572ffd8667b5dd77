# SPDX-License-Identifier: LGPL-2.1-or-later
"""A pseries guest: the device tree lists the boot memory, and LMBs of which two were added."""
from tree import GiB, MiB, Tree


def make(root):
    host = Tree(root, arch="ppc64le", kernel="6.12.0-1-powerpc64le", page=65536, block=256 * MiB)
    host.node(0, "0-7")
    host.add(0, 7)
    host.add(8, 9)
    host.ram(0, 2 * GiB - 1)
    host.ram(2 * GiB, 2560 * MiB - 1)
    host.finish()
    host.device_tree("memory@0/reg", 0, 0, 0, 0x80000000)
    dynamic = "ibm,dynamic-reconfiguration-memory/"
    host.device_tree(dynamic + "ibm,lmb-size", 0, 0x10000000)
    lmbs = [(block, 0xa0 if block < 8 else 0x8 if block < 10 else 0) for block in range(16)]
    host.device_tree(dynamic + "ibm,dynamic-memory", len(lmbs),
                     *[cell for block, flags in lmbs for cell in (0, block << 28, 0x80000000 + block, 0, 0, flags)])
