# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs and units that udev starts, some of which can be read: only those that mention the state of memory count."""
from small import small


def make(root):
    host = small(root, arch="aarch64", block=128 << 20)
    rules = (
        'SUBSYSTEM!="memory", GOTO="end"',
        'ACTION=="add", RUN{program}+="/opt/site/grow.sh %k"',
        'ACTION=="add", RUN+="/opt/site/count.sh %k"',
        'ACTION=="add", PROGRAM="/opt/site/binary"',
        'ACTION=="add", RUN+="/bin/sh -c \'logger memory %k\'"',
        'ACTION=="online|offline", RUN+="/opt/site/unknown"',
        'ACTION=="add|remove", RUN+="/usr/lib/udev/kdump-udev-throttler"',
        'ACTION=="add", TAG+="systemd", ENV{SYSTEMD_WANTS}+="grow.service count@%k.service masked.service"',
        'ACTION=="add", RUN+="/usr/bin/systemctl --no-block start grow"',
        'LABEL="end"',
        'SUBSYSTEM=="nd", ACTION=="add", RUN+="/usr/bin/daxctl reconfigure-device --mode=system-ram all"',
        'SUBSYSTEM=="nd", ACTION=="add", RUN+="/usr/bin/daxctl reconfigure-device --mode=system-ram -N all"',
        'SUBSYSTEM=="nd", ACTION=="add", RUN+="/usr/bin/ndctl list"',
        'RUN+="/opt/site/for-every-device"',
    )
    host.write("etc/udev/rules.d/70-site.rules", "\n".join(rules) + "\n")
    host.write("opt/site/grow.sh", "#!/bin/sh\n# brings it up\necho online > /sys/devices/system/memory/$1/state\n")
    host.write("opt/site/count.sh", "#!/bin/sh\n# not for chmem\nlogger \"$1\"\n")
    host.write("opt/site/binary", "\0ELF")
    units = "usr/lib/systemd/system/"
    host.write(units + "grow.service", "[Service]\nExecStart=-/usr/bin/chmem --enable 1G\n")
    host.write(units + "count@.service", "[Service]\nExecStart=/opt/site/count.sh %i\n")
    host.write(units + "masked.service", "[Service]\nExecStart=/usr/bin/chmem --enable 1G\n")
    host.link("etc/systemd/system/masked.service", "/dev/null")
    # daxctl's own rule and unit do what its configuration says.
    host.write("usr/lib/udev/rules.d/90-daxctl-device.rules",
               'ACTION=="add", SUBSYSTEM=="dax", TAG+="systemd", PROGRAM="/usr/bin/systemd-escape -p '
               '--template=daxdev-reconfigure@.service $env{DEVNAME}", ENV{SYSTEMD_WANTS}="%c"\n')
    host.write(units + "daxdev-reconfigure@.service",
               "[Service]\nType=oneshot\nExecStart=/usr/bin/daxctl reconfigure-device --check-config %I\n")
    host.write("etc/daxctl.conf.d/site.conf", "[reconfigure-device pmem]\nnvdimm.uuid = 48d8e42c-a2f0\n"
               "mode = \"system-ram\"  ; memory\nmovable = false\n\n[reconfigure-device rest]\nmode = devdax\n")
