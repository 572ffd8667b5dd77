# SPDX-License-Identifier: LGPL-2.1-or-later
"""A dump as lsmem's tests have it: blocks alone, with a link to the node in the directory of each."""
import os

from tree import GiB


def make(root):
    memory = root + "/sys/devices/system/memory"

    def write(path, text):
        with open(memory + path, "w", encoding="utf-8") as file:
            file.write(text + "\n")

    for block in range(16):
        os.makedirs("%s/memory%d" % (memory, block))
        state = "online" if block not in (6, 7, 15) else "offline"
        write("/memory%d/state" % block, state)
        write("/memory%d/valid_zones" % block, "Normal" if state == "online" else "Normal Movable")
        write("/memory%d/removable" % block, "1")
        os.symlink("../../node/node%d" % (block // 8), "%s/memory%d/node%d" % (memory, block, block // 8))
    write("/block_size_bytes", "%x" % GiB)
