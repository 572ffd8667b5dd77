# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same kind of server with two devices for each node, and a DIMM that was added later, right behind node 0's."""
from tree import GiB, Tree


def make(root):
    host = Tree(root, kernel="6.4.0-150600.21-default", block=2 * GiB)
    host.node(0, "0-15")
    host.node(1, "16-31")
    host.add(0, 0, zones="none", dimm=0)
    host.add(2, 32, dimm=1)
    host.add(33, 40, "offline", "Normal Movable", dimm=7)
    first = 0x40000000000
    block = first // (2 * GiB)
    host.add(block, block + 15, node=1, dimm=2)
    host.add(block + 16, block + 31, node=1, dimm=3)
    for low, high in ((0x1000, 2 * GiB - 1), (4 * GiB, 66 * GiB - 1), (first, first + 64 * GiB - 1),
                      (66 * GiB, 82 * GiB - 1)):
        host.ram(low, high)
        host.firmware(low, high)
    host.finish()
