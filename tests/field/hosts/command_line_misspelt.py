# SPDX-License-Identifier: LGPL-2.1-or-later
"""memhp_default_state= with a word that no kernel knows."""
from small import small


def make(root):
    small(root, auto="online", cmdline="quiet memhp_default_state=online_movabel")
