# SPDX-License-Identifier: LGPL-2.1-or-later
"""40 GiB, of which 6 GiB are available; the DIMM of 32 GiB is in Movable, and full."""
from tree import GiB
import dimm_fuller_than_the_rest

PAGES = GiB // 4096


def make(root):
    dimm_fuller_than_the_rest.make(root, "Movable", 6 * GiB, {(0, "DMA32"): PAGES, (0, "Normal"): 5 * PAGES,
                                                              (0, "Movable"): 0})
