# SPDX-License-Identifier: LGPL-2.1-or-later
"""An arm64 server: ACPI has a device for boot memory too, and these kernels show no map of the firmware."""
from tree import GiB, Tree


def make(root):
    host = Tree(root, arch="aarch64", kernel="6.1.0-20-arm64", block=GiB)
    host.node(0, "0-63")
    host.node(1, "64-127")
    host.add(2, 33, dimm=0)
    host.add(1024, 1055, node=1, dimm=1)
    host.ram(2 * GiB, 34 * GiB - 1)
    host.ram(1024 * GiB, 1056 * GiB - 1)
    host.finish()
