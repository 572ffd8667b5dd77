# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same rule in a guest, and one of another vendor for Hyper-V and Xen alone."""
import rule_by_virtualization


def make(root):
    rule_by_virtualization.make(root, arch="x86_64", guest="vmware", cmdline="quiet", auto="offline")
    for name in ("40-hotadd.rules", "41-hotadd.rules"):
        with open("%s/usr/lib/udev/rules.d/%s" % (root, name), "w", encoding="utf-8") as file:
            file.write('ATTR{[dmi/id]sys_vendor}=="Microsoft Corporation", GOTO="apply"\n'
                       'ATTR{[dmi/id]sys_vendor}=="Xen", GOTO="apply"\nGOTO="end"\nLABEL="apply"\n'
                       'SUBSYSTEM=="memory", ACTION=="add", DEVPATH=="/devices/system/memory/memory[0-9]*", TEST=="state", '
                       'ATTR{state}!="online", ATTR{state}="online"\nLABEL="end"\n')
