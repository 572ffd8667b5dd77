# SPDX-License-Identifier: LGPL-2.1-or-later
"""s390x: the rules of x86 vendors are there, and none of them is for this machine."""
import rule_by_virtualization


def make(root):
    rule_by_virtualization.make(root, arch="s390x", block=256 << 20, auto="offline", cmdline="quiet")
    with open(root + "/usr/lib/udev/rules.d/80-uname.rules", "w", encoding="utf-8") as file:
        file.write('SUBSYSTEM=="memory", ACTION=="add", PROGRAM=="/usr/bin/uname -m", RESULT!="s390x", '
                   'ATTR{state}=="offline", ATTR{state}="online"\n'
                   'ATTR{[dmi/id]sys_vendor}=="Xen", SUBSYSTEM=="memory", ACTION=="add", ATTR{state}="online"\n')
