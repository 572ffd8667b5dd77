# SPDX-License-Identifier: LGPL-2.1-or-later
"""The card of cxl_unbound, where the driver kmem is not loaded."""
import cxl_unbound


def make(root):
    cxl_unbound.make(root, kmem="")
