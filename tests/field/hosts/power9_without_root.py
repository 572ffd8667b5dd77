# SPDX-License-Identifier: LGPL-2.1-or-later
"""POWER9 with memory of GPUs on nodes without CPUs, seen without root; the device tree lists the boot memory."""
from tree import GiB, MiB, Tree


def make(root):
    host = Tree(root, arch="ppc64le", kernel="4.18.0-372.el8.ppc64le", page=65536, block=256 * MiB, policy=None,
                memmap_on_memory=None)
    host.node(0, "0-63")
    host.node(255)
    host.add(0, 31)
    first = 0x400000000000
    host.add(first // (256 * MiB), first // (256 * MiB) + 7, zones="Movable", node=255)
    host.ram(0, 8 * GiB - 1)
    host.ram(first, first + 2 * GiB - 1)
    host.finish()
    host.hide_addresses()
    host.device_tree("memory@0/reg", 0, 0, 2, 0)
    host.device_tree("memory@400000000000/reg", 0x4000, 0, 0, 0x80000000)
    host.device_tree("memory@400000000000/linux,usable-memory", 0x4000, 0, 0, 0)
