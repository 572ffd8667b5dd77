# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest with a distribution's udev rule that brings memory online by itself."""
from tree import GiB, Tree


def make(root):
    host = Tree(root, kernel="5.14.0-362.el9.x86_64", guest="vmware")
    host.node(0, "0")
    host.add(0, 15, zones="DMA32")
    host.add(0, 0, zones="none")
    host.add(16, 23, "offline", "Normal Movable", dimm=4)
    host.ram(0x1000, 2 * GiB - 1)
    host.ram(2 * GiB, 3 * GiB - 1)
    host.firmware(0, 2 * GiB - 1)
    host.finish()
    host.write("usr/lib/udev/rules.d/40-vendor.rules",
               'SUBSYSTEM=="memory", ACTION=="add", ATTR{state}=="offline", ATTR{state}="online"\n')
