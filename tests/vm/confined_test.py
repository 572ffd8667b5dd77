# SPDX-License-Identifier: LGPL-2.1-or-later
"""The service and the unit of the boot under AppArmor, as Debian's kernels have it: confined, and none the worse."""
from guest import Guest
from harness import Vm, on
from hotplug_test import POLICY, expect, share, wait_for_service
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


@on("6.12")
def test_apparmor(vm: Vm) -> None:
    with vm.system(LAYOUT, EACH_DIMM, packages=("apparmor",)) as guest:
        wait_for_service(guest)
        assert "Y" in guest.read("/sys/module/apparmor/parameters/enabled")
        assert confinement(guest, "memonlined.service") == "memonlined (enforce)"
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
        assert not denied(guest), denied(guest)
        # And it is shut: what neither needs is denied to who runs under its profile.
        for profile in ("memonlined", "memonline-apply"):
            tried = guest.run(f"aa-exec -p {profile} -- touch /etc/memonline/written")
            assert tried.status != 0 and f'profile="{profile}"' in denied(guest), (tried, denied(guest))
