# SPDX-License-Identifier: LGPL-2.1-or-later
"""arm64 with pages of 64 KiB and blocks of 512 MiB: a DIMM of 16 GiB in Normal, half of it in use, 5 GiB free elsewhere."""
from tree import GiB, MiB, Tree

SIZE, PAGES = 512 * MiB, GiB // 65536


def make(root):
    host = Tree(root, arch="aarch64", page=65536, block=SIZE, kernel="6.6.0-64k")
    host.node(0, "0-63")
    host.add(2, 17)
    host.ram(2 * SIZE, 18 * SIZE - 1)
    host.add(32, 63, dimm=0)
    host.ram(32 * SIZE, 64 * SIZE - 1)
    host.finish(available=12 * GiB, free={(0, "Normal"): 12 * PAGES})
