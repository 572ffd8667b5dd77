# SPDX-License-Identifier: LGPL-2.1-or-later
"""A PC whose accelerator's driver has added memory, seen without root: no addresses, no DIMM, no dax device."""
from tree import GiB, Tree


def make(root):
    host = Tree(root)
    host.pc(63)
    host.node(1)
    host.add(512, 527, "offline", "Normal Movable", 1)
    host.add(528, 535, "offline", "Normal Movable", 0, dimm=2)
    host.ram(64 * GiB, 66 * GiB - 1, "System RAM (amdgpu)", (64 * GiB, 68 * GiB - 1, "0000:03:00.0"))
    host.write("sys/bus/dax/devices/.keep", "")
    host.finish()
    host.hide_addresses()
