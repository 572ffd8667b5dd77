# SPDX-License-Identifier: LGPL-2.1-or-later
"""POWER: the unit of daxctl is replaced by one that always makes memory, and daxctl's configuration is masked."""
from small import small


def make(root):
    host = small(root, arch="ppc64le", page=65536, block=256 << 20, guest="kvm")
    host.write("etc/udev/rules.d/90-site.rules",
               'SUBSYSTEM=="dax", ACTION=="add", TAG+="systemd", ENV{SYSTEMD_WANTS}="daxdev-reconfigure@$kernel.service"\n'
               'SUBSYSTEM=="memory", ACTION=="add", ENV{SYSTEMD_WANTS}="not-tagged@%k.service"\n')
    host.write("etc/systemd/system/daxdev-reconfigure@.service",
               "[Service]\nExecStart=/usr/bin/daxctl reconfigure-device -m system-ram %i\n")
    host.link("etc/udev/rules.d/90-daxctl-device.rules", "/dev/null")
    host.write("etc/daxctl.conf.d/site.conf", "[reconfigure-device a]\nmode = system-ram\n")
