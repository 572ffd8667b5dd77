# SPDX-License-Identifier: LGPL-2.1-or-later
"""A rule that asks programs for the machine, as older distributions do, and one that asks for the kernel's setting."""
from small import small


def make(root):
    host = small(root, arch="x86_64", guest="kvm", auto="online_movable")
    host.write("usr/lib/udev/rules.d/80-uname.rules",
               'SUBSYSTEM=="memory", ACTION=="add", PROGRAM="/bin/uname -p", RESULT!="s390*", \\\n'
               '  PROGRAM="/bin/sh -c \'/usr/bin/systemd-detect-virt || :\'", RESULT=="none", ATTR{state}="online_movable"\n'
               'SUBSYSTEM=="memory", ACTION=="add", ATTRS{auto_online_blocks}=="offline", ATTR{state}="online_kernel"\n'
               'SUBSYSTEM=="memory", ACTION=="add", KERNEL=="memory0", ATTR{../auto_online_blocks}="online"\n')
    host.write("usr/lib/udev/rules.d/81-masked.rules", 'SUBSYSTEM=="memory", ATTR{state}="online"\n')
    host.link("etc/udev/rules.d/81-masked.rules", "/dev/null")
