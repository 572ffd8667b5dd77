# SPDX-License-Identifier: LGPL-2.1-or-later
"""A POWER host without a device tree, read without root: somebody has taken boot memory offline."""
from tree import GiB, MiB, Tree


def make(root):
    host = Tree(root, arch="ppc64le", page=65536, block=256 * MiB)
    host.node(0, "0-7")
    host.add(0, 15)
    host.add(4, 7, "offline", zones="Normal Movable")
    host.ram(0, 4 * GiB - 1)
    host.finish()
    host.hide_addresses()
