# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest where udev starts something that onlines memory: a script of the site, a unit, chmem and daxctl."""
from small import small


def make(root):
    host = small(root, guest="kvm")
    host.write("etc/udev/rules.d/99-a.rules", 'SUBSYSTEM=="memory", ACTION=="add", RUN+="/usr/local/sbin/memory-onliner %k"\n')
    host.write("etc/udev/rules.d/99-b.rules",
               'SUBSYSTEM=="memory", ACTION=="add", TAG+="systemd", ENV{SYSTEMD_WANTS}+="online-memory@%k.service"\n')
    host.write("etc/udev/rules.d/99-c.rules", 'SUBSYSTEM=="node", ACTION=="add", RUN+="/usr/bin/chmem -e 16G"\n'
               'SUBSYSTEM=="dax", ACTION=="add", RUN+="/usr/bin/daxctl online-memory %k"\n')
