# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Grace host with pages of 4 KiB: the GPU is there, its driver has not added any memory yet, the setting is off."""
from tree import GiB, MiB, Tree


def make(root):
    host = Tree(root, arch="aarch64", kernel="6.11.0-1002-nvidia", dmi={"product_name": "Grace board"})
    host.node(0, "0-71")
    host.node(1)
    host.add(16, 79)
    host.ram(2 * GiB, 10 * GiB - 1)
    host.finish()
    host.write("sys/bus/pci/devices/0009:01:00.0/vendor", "0x10de\n")
    host.write("sys/bus/pci/devices/0009:01:00.0/class", "0x030200\n")
