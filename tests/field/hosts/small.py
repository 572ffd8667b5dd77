# SPDX-License-Identifier: LGPL-2.1-or-later
"""A small machine of any architecture: 2 GiB of boot memory, and a hot-added DIMM of 1 GiB that is offline."""
from tree import GiB, Tree


def small(root, dimm=True, **facts):
    host = Tree(root, **facts)
    first = 2 * GiB // host.block
    zone = "DMA32" if facts.get("arch", "x86_64") == "x86_64" else "Normal"
    host.node(0, "0")
    host.add(0, first - 1, zones=zone)
    host.add(0, 0, zones="none")
    host.ram(0x1000, 2 * GiB - 1)
    host.firmware(0, 2 * GiB - 1)
    if dimm:
        host.add(2 * first, 2 * first + GiB // host.block - 1, "offline", "Normal Movable", dimm=0)
        host.ram(4 * GiB, 5 * GiB - 1)
    return host.finish()
