# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server whose memory can be removed: ACPI has a device for all of it, boot memory too, with gaps between nodes."""
from tree import GiB, Tree


def make(root):
    host = Tree(root, kernel="5.14.0-427.el9.x86_64", block=2 * GiB, cmdline="ro crashkernel=512M")
    for node in range(4):
        host.node(node, "%d-%d" % (node * 16, node * 16 + 15))
    host.add(0, 0, zones="none", dimm=0)
    host.add(2, 32, dimm=0)
    host.ram(0x1000, 0x7fffffff)
    host.ram(4 * GiB, 66 * GiB - 1)
    for first, last, kind in ((0x0, 0x9ffff, "System RAM"), (0xa0000, 0xfffff, "Reserved"),
                              (0x100000, 0x7fffffff, "System RAM"), (0x80000000, 0x8fffffff, "Reserved"),
                              (0xfe000000, 0xffffffff, "Reserved"), (4 * GiB, 66 * GiB - 1, "System RAM")):
        host.firmware(first, last, kind)
    for node in (1, 2, 3):
        first = node * 0x40000000000
        block = first // (2 * GiB)
        host.add(block, block + 31, node=node, dimm=node)
        host.ram(first, first + 64 * GiB - 1)
        host.firmware(first, first + 64 * GiB - 1)
    host.finish()
