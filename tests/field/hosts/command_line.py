# SPDX-License-Identifier: LGPL-2.1-or-later
"""A kernel command line with a quoted word in front of the one that counts."""
from small import small


def make(root):
    small(root, auto="online", cmdline='root=LABEL="a b" quiet memhp_default_state=online')
