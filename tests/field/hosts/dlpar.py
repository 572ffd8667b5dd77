# SPDX-License-Identifier: LGPL-2.1-or-later
"""A partition of PowerVM (pseries): DLPAR onlines what it adds, whatever auto_online_blocks says."""
from tree import GiB, MiB, Tree


def make(root, cmdline="root=/dev/sda1 ro"):
    host = Tree(root, arch="ppc64le", kernel="6.4.0-150600.23-default", page=65536, block=256 * MiB, cmdline=cmdline)
    host.node(0, "0-15")
    host.node(1)
    host.add(0, 63)
    host.ram(0, 16 * GiB - 1)
    host.finish()
    host.write("sys/kernel/dlpar", "memory,cpu\n")
