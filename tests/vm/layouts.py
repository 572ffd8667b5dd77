# SPDX-License-Identifier: LGPL-2.1-or-later
"""The layouts that plans are proved on: hardware, what happened to it before, and a policy."""
from dataclasses import dataclass

from guest import Dimm, Layout, Node, VirtioMem

OFFLINE = "memhp_default_state=offline"


@dataclass(frozen=True)
class Case:
    """A layout and a policy; what the kernel then shows must be what the plan predicted."""

    layout: Layout
    policy: str
    later: tuple[Dimm, ...] = ()  # plugged while the guest runs
    before: str = ""  # shell commands, `write` in /sys/devices/system/memory writes a block's state
    blocks: int = 0  # wait until there are so many: virtio-mem plugs in its own time
    kept: tuple[str, ...] = ()  # of these kernels the captures are worth keeping as golden hosts


ONE_NODE = Layout(dimms=(Dimm("d0", "1G"),))
TWO_NODES = Layout(nodes=(Node("1G"), Node("512M")), dimms=(Dimm("d0", "512M", 0), Dimm("d1", "1G", 1)))

CASES: dict[str, Case] = {
    "one_node_all_movable": Case(ONE_NODE, "hotplugged: rest movable", kept=("7.2",)),
    "percent_of_a_node": Case(ONE_NODE, "node0: last 60% movable, rest normal",
                              later=(Dimm("d1", "512M"),), kept=("5.10",)),
    "each_node_half": Case(TWO_NODES, "each node: last 50% movable, rest normal", later=(Dimm("d2", "256M", 0),),
                           kept=("6.1",)),
    "each_node_first_movable": Case(TWO_NODES, "each node hotplugged: first 25% movable, rest normal", kept=("5.10",)),
    "cpuless_node": Case(
        Layout(nodes=(Node("1G"), Node("512M", cpus=0)), dimms=(Dimm("d0", "512M", 0), Dimm("d1", "512M", 1))),
        "cpuless hotplugged: rest movable\nhotplugged: 2 blocks movable, rest normal", kept=("6.12",)),
    "memory_less_node": Case(
        Layout(nodes=(Node("1G"), Node(0)), dimms=(Dimm("d0", "1G", 1),)),
        "each node hotplugged: first 25% normal, rest movable", later=(Dimm("d1", "256M", 0),), kept=("7.2",)),
    "dimms_of_many_sizes": Case(
        Layout(nodes=(Node("1G"), Node("256M")),
               dimms=(Dimm("d0", "128M", 0), Dimm("d1", "1G", 1), Dimm("d2", "256M", 0))),
        "each dimm: first 1 blocks normal, rest movable", kept=("6.1",),
        later=(Dimm("d3", "512M", 1), Dimm("d4", "128M", 1), Dimm("d5", "384M", 0))),
    # Which boot block can go offline depends on what the kernel put where; one of these can.
    "dma32_block_comes_back": Case(
        Layout(nodes=(Node("2G"),), below_4g=None), "block 2-12: rest normal", kept=("6.12",),
        before="for block in 3 4 5 6 7 8 9 10 11 12; do write $block offline 2>/dev/null && exit 0; done; exit 1"),
    # Outside the span of DMA32, kernel memory below 4 GiB is Normal.
    "boot_blocks_beyond_kernelcore": Case(
        Layout(nodes=(Node("2G"),), below_4g=None, arguments=f"{OFFLINE} kernelcore=1G", dimms=(Dimm("d0", "256M"),)),
        "block 8-15: first 50% normal, rest movable\nhotplugged: rest movable",
        before="left=2; for block in 8 9 10 11 12 13 14 15; do write $block offline 2>/dev/null && left=$((left - 1)); "
               "[ $left != 0 ] || exit 0; done; exit 1", kept=("6.1",)),
    "virtio_mem": Case(
        Layout(virtio_mem=(VirtioMem("v0", "2G", "768M"),)),
        "virtio-mem: first 256MiB normal, rest movable", blocks=14, kept=("7.2",)),
    "partly_online": Case(
        ONE_NODE, "hotplugged: first 50% normal, rest movable", later=(Dimm("d1", "512M"),), kept=("6.1",),
        before="write 42 online_movable; write 45 online_kernel; write 50 online"),
    "movable_node": Case(
        Layout(nodes=(Node("1G"), Node("512M")), arguments=f"{OFFLINE} movable_node", below_4g="1G",
               dimms=(Dimm("d0", "512M", 1), Dimm("d1", "256M", 0))),
        "hotplugged dimm: auto\nall: keep", kept=("5.10",)),
    "rezone_to_movable": Case(
        ONE_NODE, "set rezone = allowed\nhotplugged: first 1 blocks normal, rest movable", kept=("6.12",),
        before="for block in 40 41 42 43; do write $block online_kernel; done"),
    "rezone_to_offline": Case(
        ONE_NODE, "set rezone = allowed\nhotplugged: 2 blocks normal, rest offline", kept=("6.1",),
        before="for block in 40 41 42 43 44; do write $block online_movable; done"),
    # As Debian boots: 6.12 and 7.2 have brought all of it online in Normal, of which some goes offline again.
    "brought_online_by_the_kernel": Case(
        Layout(dimms=(Dimm("d0", "1G"),), arguments=""), "hotplugged: first 4 blocks normal, rest movable",
        later=(Dimm("d1", "512M"),), kept=("6.12",),
        before="for block in 51 50 49 48 47 46 45 44; do write $block offline 2>/dev/null || :; done"),
    "limit": Case(TWO_NODES, "limit movable to 1x normal\nhotplugged: rest movable", kept=("6.1",)),
    "limit_per_node": Case(TWO_NODES, "limit movable to 512MiB per node\nhotplugged: rest movable",
                           before="write 44 online_movable", kept=("7.2",)),
    # What the limit refuses stays offline, on each node; with shares of the whole group it becomes normal.
    "limit_with_an_offline_share": Case(
        TWO_NODES, "limit movable to 2 blocks per node\nhotplugged: last 10 blocks movable, rest offline",
        before="write 44 online_movable"),
    "limit_with_a_keep_share": Case(
        TWO_NODES, "limit movable to 0.5x normal\neach dimm: first 1 blocks normal, last 75% movable, rest keep"),
    "auto_between_zones": Case(ONE_NODE, "hotplugged: auto", kept=("5.10",),
                               before="write 42 online_kernel; write 44 online_movable; write 47 online_movable"),
    "auto_movable": Case(
        Layout(nodes=(Node("1G"), Node("512M")), dimms=(Dimm("d0", "1G", 0), Dimm("d1", "2G", 1)),
               arguments=f"{OFFLINE} memory_hotplug.online_policy=auto-movable "
                         "memory_hotplug.auto_movable_ratio=150"),
        "hotplugged: auto", kept=("7.2",)),
    "memmap_on_memory": Case(
        Layout(dimms=(Dimm("d0", "1G"),), arguments=f"{OFFLINE} memory_hotplug.memmap_on_memory=1"),
        "hotplugged: 3 blocks normal, rest movable", later=(Dimm("d1", "128M"),), kept=("6.12",)),
}
