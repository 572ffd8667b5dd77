# SPDX-License-Identifier: LGPL-2.1-or-later
"""Several words, spelt with dashes, several blanks, and arguments of init: the last that the kernel knows counts."""
from small import small


def make(root):
    small(root, arch="aarch64", auto="online_kernel", cmdline="memhp_default_state=offline   "
          'dyndbg="file a.c +p; file b.c" memhp-default-state=online_kernel   memhp_default_state= '
          "-- memhp_default_state=online")
