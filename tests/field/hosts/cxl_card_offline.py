# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same server where the kernel leaves hot-added memory offline."""
import cxl_card


def make(root):
    cxl_card.make(root, auto="offline")
