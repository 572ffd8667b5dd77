# SPDX-License-Identifier: LGPL-2.1-or-later
"""A capture of a topology: nodes link to 64 blocks, /sys/devices/system/memory was not captured."""
import os


def make(root):
    for block in range(64):
        path = "%s/sys/devices/system/node/node%d/memory%d" % (root, block // 32, block)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink("../../memory/memory%d" % block, path)
