# SPDX-License-Identifier: LGPL-2.1-or-later
"""A CXL card of two devices that no driver has: dax0.0 in two ranges, the second without whole blocks at its ends; dax1.0
for device_dax; dax2.0 smaller than a block; dax3.0 without addresses. With `kmem`, the driver is loaded."""
from tree import GiB, MiB, Tree


def make(root, kmem="kmem"):
    host = Tree(root)
    host.pc(15)
    host.node(1)
    begin = 16 * GiB - 256 * MiB
    host.dax("dax0.0", 1280 * MiB, 1, region="region0", memory=(("decoder2.0", "mem0"),),
             ranges=((begin, begin + 512 * MiB - 1), (20 * GiB + 64 * MiB, 20 * GiB + 832 * MiB - 1)))
    host.dax("dax1.0", 1 * GiB, 1, driver="device_dax", ranges=((24 * GiB, 25 * GiB - 1),))
    host.dax("dax2.0", 64 * MiB, 1, ranges=((26 * GiB, 26 * GiB + 64 * MiB - 1),))
    host.dax("dax3.0", 1 * GiB, 1)
    host.write("sys/bus/dax/drivers/device_dax/.keep", "")
    if kmem:
        host.write("sys/bus/dax/drivers/%s/.keep" % kmem, "")
    host.finish()
