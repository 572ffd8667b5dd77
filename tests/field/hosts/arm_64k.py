# SPDX-License-Identifier: LGPL-2.1-or-later
"""arm64 with pages of 64 KiB: the memory map of a block never fits into the block."""
from tree import GiB, MiB, Tree


def make(root):
    host = Tree(root, arch="aarch64", kernel="5.14.0-427.el9.aarch64+64k", page=65536, block=512 * MiB,
                dmi={"sys_vendor": "QEMU", "product_name": "KVM Virtual Machine"})
    host.node(0, "0-3")
    host.add(2, 9)
    host.ram(1 * GiB, 5 * GiB - 1)
    host.finish()
