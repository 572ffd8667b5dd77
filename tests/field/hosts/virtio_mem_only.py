# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest whose memory grows through virtio-mem alone."""
from tree import GiB, MiB, Tree

BLOCK = 128 * MiB


def make(root, kernel="6.6.64"):
    host = Tree(root, kernel=kernel, guest="kvm", auto="online", policy="auto-movable", ratio="401",
                cmdline="memhp_default_state=online memory_hotplug.online_policy=auto-movable "
                        "memory_hotplug.auto_movable_ratio=401")
    host.node(0, "0")
    host.add(0, 7, zones="DMA32")
    host.add(0, 0, zones="none")
    host.add(32, 55, zones="Movable")
    host.add(56, 63)
    host.ram(0x1000, 1 * GiB - 1)
    host.firmware(0, 1 * GiB - 1)
    host.ram(32 * BLOCK, 64 * BLOCK - 1, "System RAM (virtio_mem)", (32 * BLOCK, 160 * BLOCK - 1, "virtio2"))
    host.finish()
