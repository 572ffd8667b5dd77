# SPDX-License-Identifier: LGPL-2.1-or-later
"""Linux 5.4, which knows two words: `online_movable` has no effect there, and what the kernel was built with counts."""
from small import small


def make(root):
    host = small(root, kernel="5.4.0-1-generic", auto="online", policy=None, memmap_on_memory=None,
                 cmdline="ro memhp_default_state=online_movable")
    host.write("proc/vmstat", "nr_free_pages 1\nswap_ra 0\n")
    host.write("boot/config-5.4.0-1-generic", "CONFIG_A=y\nCONFIG_MEMORY_HOTPLUG_DEFAULT_ONLINE=y\n")
