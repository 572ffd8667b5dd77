# SPDX-License-Identifier: LGPL-2.1-or-later
"""A KVM guest, read without root, whose firmware's map is missing: a virtio-mem device has added memory."""
from tree import GiB, MiB, Tree


def make(root):
    host = Tree(root, guest="kvm", auto="offline")
    host.node(0, "0-3")
    host.add(0, 0, zones="none")
    host.add(1, 15, zones="DMA32")
    host.add(32, 47, zones="Normal")
    host.add(64, 79, zones="Movable")
    host.add(80, 95, "offline", zones="Normal Movable")
    host.finish()
    host.write("proc/iomem", "00000000-00000000 : System RAM\n00000000-00000000 : virtio0\n"
               "  00000000-00000000 : System RAM (virtio_mem)\n")
