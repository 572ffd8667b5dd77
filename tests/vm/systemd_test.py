# SPDX-License-Identifier: LGPL-2.1-or-later
"""memonline in a real Debian with systemd as PID 1: settled before sysinit.target, kept so afterwards."""
import json

from guest import Dimm, Guest, Layout, Node, VirtioMem
from harness import Vm, on

SYSTEMS = True

# 24 blocks of boot memory and one DIMM.
LAYOUT = Layout(nodes=(Node("2G", cpus=2),), dimms=(Dimm("d0", "1G"),), below_4g="1G")
EACH_DIMM = {"etc/memonline/policy.d/50-test.mempolicy": "each dimm: first 25% normal, rest movable\n"}


def wait_until_up(guest: Guest) -> None:
    """Until systemd has started all that it starts."""
    guest.wait_for(lambda: guest.run("systemctl is-system-running").stdout.strip() in ("running", "degraded"),
                   "the system to be up", 240)


def entered(guest: Guest, unit: str) -> int:
    """When a unit became active, microseconds since boot."""
    return int(guest.run(f"systemctl show -P ActiveEnterTimestampMonotonic {unit}", check=True).stdout)


def zones(guest: Guest, blocks: list[int]) -> str:
    """A letter a block: Normal, Movable, or a dot for what is not online."""
    found = guest.blocks()
    return "".join("." if found[block][0] != "online" else found[block][1][0] for block in blocks)


@on("6.1", "6.12")
def test_settled_before_sysinit(vm: Vm) -> None:
    with vm.system(LAYOUT, EACH_DIMM) as guest:
        wait_until_up(guest)
        assert zones(guest, list(range(40, 48))) == "NNMMMMMM", guest.run("journalctl -u memonline-apply").stdout
        assert entered(guest, "memonline-apply.service") <= entered(guest, "sysinit.target")
        assert guest.run("systemctl is-active memonline-apply.service").stdout == "active\n"


@on("6.12")
def test_no_capability_and_yet_all_devices(vm: Vm) -> None:
    """/proc/iomem tells which blocks are virtio-mem's, to those with CAP_SYS_ADMIN only."""
    layout = Layout(nodes=(Node("2G", cpus=2),), below_4g="1G", virtio_mem=(VirtioMem("v0", "1G", "512M"),))
    policy = "virtio-mem: movable\nhotplugged: offline\n"
    with vm.system(layout, {"etc/memonline/policy.d/50-test.mempolicy": policy}) as guest:
        wait_until_up(guest)
        for passed_iomem in (True, False):
            given = "-p StandardInput=file:/proc/iomem" if passed_iomem else ""
            guest.run(f"systemd-run --quiet --wait -p CapabilityBoundingSet= {given} "
                      "-p StandardOutput=truncate:/run/shown /usr/local/bin/memonline status --direct --format json", check=True)
            shown = guest.read("/run/shown")
            assert ("virtio0" in {run["device"] for run in json.loads(shown)["blocks"]}) == passed_iomem, shown


# Runs in the sandbox of a unit: what it may write, and what it may not.
PROBE = """#!/bin/sh
may() { if (cat "$1" >/run/memonline/probe && cat /run/memonline/probe >"$1") 2>/dev/null; then echo "may $1"; else echo "may not $1"; fi; }
may /sys/power/pm_async
may /proc/sys/vm/swappiness
may /sys/module/kernel/parameters/panic
may /etc/hostname
may /sys/devices/system/memory/auto_online_blocks
[ ! -e /sys/module/memory_hotplug/parameters/online_policy ] || may /sys/module/memory_hotplug/parameters/online_policy
(echo 1 >/proc/sys/vm/compact_memory) 2>/dev/null && echo 'may reclaim'
mknod /run/memonline/disk b 8 0 2>/dev/null && echo 'may make devices'
unshare -n true 2>/dev/null && echo 'may make namespaces'
exit 0
"""


@on("6.1", "6.12")
def test_the_sandbox_is_shut(vm: Vm) -> None:
    with vm.system(LAYOUT, {"usr/local/lib/probe": PROBE}) as guest:
        for unit in ("memonlined", "memonline-apply"):
            guest.run(f"sed -e 's|^ExecStart=.*|ExecStart=/bin/sh /usr/local/lib/probe|; s|^Type=.*|Type=oneshot|; "
                      f"/^BusName/d; /^ExecReload/d; /^RemainAfterExit/d; /^Alias/d' /lib/systemd/system/{unit}.service "
                      f">/run/systemd/system/probe-{unit}.service; systemctl daemon-reload", check=True)
            guest.run(f"systemctl start probe-{unit}.service", check=True, timeout=120)
            said = guest.run(f"journalctl -o cat _SYSTEMD_UNIT=probe-{unit}.service", check=True).stdout.splitlines()
            assert sorted(line for line in said if line.startswith("may")) == [
                "may /sys/devices/system/memory/auto_online_blocks",
                "may /sys/module/memory_hotplug/parameters/online_policy",
                "may not /etc/hostname", "may not /proc/sys/vm/swappiness", "may not /sys/module/kernel/parameters/panic",
                "may not /sys/power/pm_async", *(["may reclaim"] if unit == "memonlined" else [])], said
