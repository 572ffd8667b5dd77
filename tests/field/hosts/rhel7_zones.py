# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest of RHEL 7: no valid_zones; /proc/zoneinfo shows that half of dimm0 is Movable, and that dimm1 would be."""
from tree import GiB, VMSTAT, Tree


def make(root):
    host = Tree(root, kernel="3.10.0-1160.el7.x86_64", policy=None, memmap_on_memory=None, guest="kvm",
                cmdline="ro crashkernel=auto movable_node")
    host.node(0, "0-3")
    host.add(0, 15, zones=None)
    host.add(32, 39, zones=None)
    host.add(40, 55, zones=None, dimm=0)
    host.add(56, 63, "offline", None, dimm=1)
    host.zones = {(0, "DMA"): (1, 4095, 3998), (0, "DMA32"): (4096, 520192, 520192),
                  (0, "Normal"): (1048576, 16 * 32768, 16 * 32768),
                  (0, "Movable"): (1048576 + 16 * 32768, 16 * 32768, 8 * 32768)}
    for first, last in ((0x1000, 2 * GiB - 1), (4 * GiB, 5 * GiB - 1), (5 * GiB, 7 * GiB - 1), (7 * GiB, 8 * GiB - 1)):
        host.ram(first, last)
    host.firmware(0x1000, 2 * GiB - 1)
    host.firmware(4 * GiB, 5 * GiB - 1)
    host.finish(vmstat=VMSTAT.splitlines()[0] + "\n")
    host.write("proc/meminfo", "MemTotal: 5000000 kB\nMemFree: 4000000 kB\nMemAvailable: 4000000 kB\n")
