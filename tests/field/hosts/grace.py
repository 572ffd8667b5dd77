# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Grace Hopper host (pages of 64 KiB) whose GPU driver has added 16 GiB on node 1."""
from tree import GiB, MiB, Tree

GPU = 0x420000000000


def make(root):
    host = Tree(root, arch="aarch64", kernel="6.8.0-1010-nvidia-64k", page=65536, block=512 * MiB, auto="online",
                dmi={"product_name": "Grace board"})
    host.node(0, "0-71")
    for node in range(1, 9):
        host.node(node)
    host.add(4, 99)
    first = GPU // (512 * MiB)
    host.add(first, first + 31, "offline", "Normal Movable", node=1)
    host.ram(4 * 512 * MiB, 100 * 512 * MiB - 1)
    host.ram(GPU, GPU + 16 * GiB - 1, "System RAM (NVIDIA)", (0x400000000000, 0x47ffffffffff, "0009:01:00.0"))
    host.finish()
