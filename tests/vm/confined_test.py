# SPDX-License-Identifier: LGPL-2.1-or-later
"""The service and the unit of the boot under AppArmor and under SELinux, as Debian's kernels have them: confined, and
none the worse."""
import dataclasses
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from guest import Guest
from harness import Skip, Vm, on
from hotplug_test import POLICY, RHEL, expect, share, wait_for_service
from reports import MEMORY
from systemd_test import EACH_DIMM, LAYOUT, zones

SYSTEMS = True
BLOCKS = list(range(40, 48))


def denied(guest: Guest) -> str:
    """What AppArmor has denied since boot; not that a unit began before its profile was loaded."""
    return guest.run("dmesg | grep 'apparmor=\"DENIED\"' | grep -v 'info=\"label not found\"'").stdout


def confinement(guest: Guest, unit: str) -> str:
    """What the main process of a unit is confined by."""
    return guest.run(f"cat /proc/$(systemctl show -P MainPID {unit})/attr/current", check=True).stdout.strip()


def exercise(guest: Guest) -> None:
    """What either does: for memory that comes, for callers and at boot."""
    expect(guest, guest.add_dimm("d1", "1G"), share(8))
    # A job of a caller, a policy that is read anew, and a report to the caller.
    applied = guest.run("memonline apply -e 'hotplugged: keep'", timeout=120)
    assert applied.status == 0, applied
    guest.put(f"/{POLICY}", b"each dimm: first 2 blocks normal, rest movable\n")
    guest.run("systemctl reload memonlined.service", check=True)
    expect(guest, guest.add_dimm("d2", "1G"), "NNMMMMMM")
    shown = guest.run("memonline status").stdout
    assert "as the policy says" in shown, shown
    # Stopped, it puts back what it found; the unit of the boot does the work.
    guest.run("systemctl stop memonlined.service", check=True)
    guest.run(f"for block in {' '.join(map(str, BLOCKS))}; do echo offline >{MEMORY}/memory$block/state; done; "
              "rm -f /run/memonline/left-alone")
    assert zones(guest, BLOCKS) == "........"
    guest.run("systemctl restart memonline-apply.service", check=True, timeout=120)
    assert zones(guest, BLOCKS) == "NNMMMMMM", guest.run("journalctl -u memonline-apply").stdout


@on("6.12")
def test_apparmor(vm: Vm) -> None:
    with vm.system(LAYOUT, EACH_DIMM, packages=("apparmor",)) as guest:
        wait_for_service(guest)
        assert "Y" in guest.read("/sys/module/apparmor/parameters/enabled")
        assert confinement(guest, "memonlined.service") == "memonlined (enforce)"
        exercise(guest)
        assert not denied(guest), denied(guest)
        # And it is shut: what neither needs is denied to who runs under its profile.
        for profile in ("memonlined", "memonline-apply"):
            tried = guest.run(f"aa-exec -p {profile} -- touch /etc/memonline/written")
            assert tried.status != 0 and f'profile="{profile}"' in denied(guest), (tried, denied(guest))


# Labels are kept in memory here, so they are set at each boot: before systemd, which needs its own, and after
# the policy, which the kernel needs. Without an audit daemon denials go to the kernel's log: none is dropped.
BEFORE_INIT = """mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t selinuxfs selinuxfs /sys/fs/selinux
echo 0 >/proc/sys/kernel/printk_ratelimit
load_policy -i
setfiles -F -e /proc -e /sys -e /usr/share/doc -e /usr/share/locale -e /usr/share/man -e /usr/share/zoneinfo \\
  -e /var/lib/selinux -e /var/lib/dpkg /etc/selinux/default/contexts/files/file_contexts /
umount /sys/fs/selinux /sys /proc
"""
SELINUX_FILES = {
    **EACH_DIMM,
    "before-init": BEFORE_INIT,
    "etc/selinux/config": "SELINUX=permissive\nSELINUXTYPE=default\n",
    # The tests' agent does what an administrator does.
    "etc/systemd/system/agent.service.d/selinux.conf":
        "[Service]\nSELinuxContext=unconfined_u:unconfined_r:unconfined_t:s0\n",
    # For the service to replace.
    "usr/lib/udev/rules.d/40-redhat.rules": RHEL,
}
SELINUX_LAYOUT = dataclasses.replace(
    LAYOUT, arguments=f"{LAYOUT.arguments} security=selinux selinux=1 enforcing=0 log_buf_len=4M")
MODULE = Path(__file__).resolve().parents[2] / "policies/packaging/selinux"
DOMAIN = "system_u:system_r:memonline_t:s0"
HEADERS = Path("/usr/share/selinux/devel/Makefile")


def selinux_module() -> bytes:
    """The module as built against this machine's policy, which is the guest's."""
    if not HEADERS.exists() or not shutil.which("checkmodule", path=f"{os.environ['PATH']}:/usr/sbin:/sbin"):
        raise Skip("not installed: the SELinux policy's headers, checkmodule (selinux-policy-dev, checkpolicy)")
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copytree(MODULE, scratch, dirs_exist_ok=True)
        subprocess.run(["make", "-f", HEADERS, "NAME=devel", "memonline.pp"], cwd=scratch, check=True,
                       capture_output=True, timeout=300)
        return (Path(scratch) / "memonline.pp").read_bytes()


def refused(guest: Guest) -> list[str]:
    """What SELinux (and the bus, which asks it) denied to memonline's domain, or to others with it or its files."""
    return guest.run("dmesg | grep 'avc:  denied' | grep memonline_").stdout.splitlines()


def in_domain(guest: Guest, command: str) -> int:
    """How a command of a service in memonline's domain ended."""
    return guest.run(f"systemd-run --quiet --wait -p SELinuxContext={DOMAIN} {command}", timeout=120).status


@on("6.12")
def test_selinux(vm: Vm) -> None:
    files = {**SELINUX_FILES, "memonline.pp": selinux_module()}
    with vm.system(SELINUX_LAYOUT, files, packages=("selinux-policy-default", "policycoreutils")) as guest:
        wait_for_service(guest)
        # As an administrator does it. Debian's policy is not made for so small a system as this was until here;
        # from here on it is enforced, and memonline's domain is not one that is left permissive.
        guest.run("semodule -i /memonline.pp", check=True, timeout=900)
        guest.run("restorecon -RF /etc/memonline /run/memonline /run/udev /usr/local/libexec/memonline "
                  "/var/lib/memonline", check=True, timeout=120)
        guest.run("setenforce 1", check=True)
        guest.run("systemctl restart memonlined.service", check=True, timeout=120)
        wait_for_service(guest)
        assert guest.read("/sys/fs/selinux/enforce") == "1"
        assert confinement(guest, "memonlined.service").rstrip("\0") == DOMAIN
        exercise(guest)
        # The unit of the boot, while it waits for another run to end.
        guest.run("systemd-run --quiet --unit=other-run flock /run/memonline/lock sleep infinity", check=True)
        guest.run("systemctl restart --no-block memonline-apply.service", check=True)
        guest.wait_for(lambda: DOMAIN in confinement(guest, "memonline-apply.service"), "the unit in its domain")
        guest.run("systemctl stop other-run.service", check=True)
        guest.wait_for(lambda: guest.run("systemctl is-active memonline-apply.service").stdout == "active\n",
                       "the unit to end")
        assert not refused(guest), refused(guest)
        # And it is shut: what neither needs is denied in there, and what they need is not.
        assert in_domain(guest, "touch /run/memonline/written") == 0, refused(guest)
        assert in_domain(guest, "touch /etc/memonline/written") != 0
        assert in_domain(guest, "nice true") != 0
        said = "\n".join(refused(guest))
        assert re.search(r'denied  \{ (write|add_name) \} .*comm="touch".*tcontext=\S*:memonline_etc_t:', said), said
        assert re.search(r'denied  \{ execute_no_trans \} .*comm="nice"', said), said
