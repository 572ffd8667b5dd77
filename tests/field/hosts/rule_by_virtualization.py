# SPDX-License-Identifier: LGPL-2.1-or-later
"""A rule that chooses its word by facts of the machine: Movable on bare metal, the kernel's choice in guests."""
from small import small

RULES = (
    "# CPU hotadd request",
    'SUBSYSTEM=="cpu", ACTION=="add", TEST=="online", ATTR{online}=="0", ATTR{online}="1"',
    "",
    "# Memory hotadd request",
    'SUBSYSTEM!="memory", GOTO="memory_end"',
    'ACTION!="add", GOTO="memory_end"',
    'CONST{arch}=="s390*", GOTO="memory_end"',
    'CONST{arch}=="ppc64*", GOTO="memory_end"',
    'ENV{.state}="online"',
    'CONST{virt}=="none", ENV{.state}="online_movable"',
    'ATTR{state}=="offline", ATTR{state}="$env{.state}"',
    'LABEL="memory_end"',
)


def make(root, **facts):
    host = small(root, **{"arch": "aarch64", "auto": "online", "cmdline": "quiet  memhp_default_state=online_kernel", **facts})
    host.write("usr/lib/udev/rules.d/40-vendor.rules", "\n".join(RULES) + "\n")
