# SPDX-License-Identifier: LGPL-2.1-or-later
"""POWER, blocks of 256 MiB: two dax devices, one in a kernel zone and one in Movable, each on a node without CPUs."""
from tree import GiB, MiB, Tree

SIZE = 256 * MiB


def make(root):
    host = Tree(root, arch="ppc64le", page=65536, block=SIZE, kernel="6.12.0-1-powerpc64le")
    host.node(0, "0-31")
    host.add(0, 127)
    host.ram(0, 128 * SIZE - 1)
    for number, first, zone in ((0, 256, "Normal"), (1, 320, "Movable")):
        node = number + 1
        host.node(node)
        host.add(first, first + 31, zones=zone, node=node)
        start, end = first * SIZE, (first + 32) * SIZE - 1
        host.ram(start, end, "System RAM (kmem)", (start, end, "dax%d.0" % number))
    host.finish(available=30 * GiB)
