# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Grace host whose kernel cannot take memory offline, with NVIDIA's driver loaded."""
from tree import GiB, Tree


def make(root):
    host = Tree(root, arch="aarch64", kernel="6.6.0-custom", auto="online_movable")
    host.node(0, "0-71")
    host.add(16, 31, zones=None)
    host.ram(2 * GiB, 4 * GiB - 1)
    host.finish()
    host.write("sys/module/nvidia/version", "570.86.15\n")
    for block in range(16, 32):
        host.write("sys/devices/system/memory/memory%d/removable" % block, "0\n")
