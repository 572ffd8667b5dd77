# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same on Linux 5.10, where mem= counts only at boot."""
import capped_5_4


def make(root):
    capped_5_4.make(root, kernel="5.10.0-28-amd64", vmstat="nr_free_pages 1\nnr_foll_pin_acquired 0\nswap_ra 0\n")
