# SPDX-License-Identifier: LGPL-2.1-or-later
"""A capture that holds the blocks of a ppc64le host and not their size."""
import os

from tree import MiB, Tree


def make(root):
    host = Tree(root, arch="ppc64le", kernel="5.10.0", block=256 * MiB)
    host.node(0, "0-3")
    host.add(0, 7)
    host.finish()
    os.remove(root + "/sys/devices/system/memory/block_size_bytes")
