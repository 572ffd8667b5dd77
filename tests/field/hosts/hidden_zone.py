# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two nodes of an old kernel without valid_zones. /proc/zoneinfo does not show where Movable of node 1 starts."""
from tree import GiB, Tree

BLOCK = 32768


def make(root):
    host = Tree(root, kernel="3.12.74-60.64-default", policy=None, memmap_on_memory=None)
    host.pc(39)
    for block, (state, _, nodes, dimm) in list(host.blocks.items()):
        host.blocks[block] = (state, None, nodes, dimm)
    host.add(64, 71, zones=None, node=1)
    host.node(1, "32-63")
    host.ram(8 * GiB, 9 * GiB - 1)
    host.firmware(8 * GiB, 9 * GiB - 1)
    host.firmware(0xfe0000000000, 0xfe00ffffffff, "Reserved")
    host.zones = {(0, "DMA32"): (0, 16 * BLOCK, 16 * BLOCK), (0, "Normal"): (32 * BLOCK, 8 * BLOCK, 8 * BLOCK),
                  (1, "Normal"): (64 * BLOCK, 4 * BLOCK, 4 * BLOCK)}
    host.finish(vmstat="nr_free_pages 1\n")
    path = root + "/proc/zoneinfo"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    host.write("proc/zoneinfo", text + "Node 1, zone  Movable\n  pages free     1\n        spanned  131072\n"
               "        present  131072\n        managed  131072\n")
    host.write("proc/meminfo", "MemTotal: 5000000 kB\nMemFree: 4000000 kB\nMemAvailable: 4000000 kB\n")
