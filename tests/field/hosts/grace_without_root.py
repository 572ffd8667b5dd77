# SPDX-License-Identifier: LGPL-2.1-or-later
"""An arm64 host with a GPU whose driver has added 96 GiB, seen without root: /proc/iomem shows no addresses."""
from tree import GiB, MiB, Tree


def make(root):
    host = Tree(root, arch="aarch64", kernel="6.8.0-1010-nvidia-64k", page=65536, block=512 * MiB, auto="online",
                dmi={"sys_vendor": "Acme", "product_name": "Grace board"})
    host.node(0, "0-71")
    for node in range(1, 9):
        host.node(node)
    host.add(4, 67)
    first = 0x420000000000
    host.add(first // (512 * MiB), first // (512 * MiB) + 191, "offline", "Normal Movable", 1)
    host.ram(4 * 512 * MiB, 68 * 512 * MiB - 1)
    host.ram(first, first + 96 * GiB - 1, "System RAM (NVIDIA)", (0x400000000000, 0x47ffffffffff, "0009:01:00.0"))
    host.finish()
    host.hide_addresses()
