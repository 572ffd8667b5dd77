# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Debian packages are upgraded in a running system: memory stays as it is, and so does what the service holds.

An upgrade is what unattended-upgrades does of a night: nobody is there to see what comes online. The packages are
those of this commit, and the same as the next version."""
import tempfile
from pathlib import Path

from guest import Dimm, Guest, Layout, Node
from harness import Skip, Vm, on
from hotplug_test import KNOB, POLICY, expect, share, wait_for_service
from reports import MEMORY
from rest_test import KERNELS, wait_for
from systemd_test import EACH_DIMM, wait_until_up, zones
from walk_test import difference, kept_packages, own_packages

SYSTEMS = True

LAYOUT = Layout(nodes=(Node("2G", cpus=2),), dimms=(Dimm("d0", "1G"),), below_4g="1G")
BLOCKS = list(range(40, 48))
DEBS = ("memonline", "libmemonline0")
CACHE = "var/cache/memonline"
# Of a service that has exited because the kernel does what the policy says.
AT_REST = {
    "memory": f"grep . {MEMORY}/memory*/state {MEMORY}/memory*/valid_zones",
    "settings": f"grep -r . {KNOB} /sys/module/memory_hotplug/parameters",
    "held": "cat /run/memonline/switches",
    "resting": "cat /run/memonline/resting",
}
JOB = "memonline apply --offline --confirm 1h -e 'hotplugged: offline'"


# --- packages ------------------------------------------------------------------------------------

def both_versions(vm: Vm) -> dict[str, str | bytes]:
    """The packages as files of a guest, in directories `old` and `new`."""
    old = kept_packages(vm.build)
    if not old:
        raise Skip(f"no packages of this commit in {vm.build}/packages: `./dev test fresh` or `./dev package` makes them")
    files: dict[str, str | bytes] = {}
    with tempfile.TemporaryDirectory() as new:
        own_packages.next_version(old, Path(new))
        for version, directory in (("old", old), ("new", Path(new))):
            for name in DEBS:
                files[f"{CACHE}/{version}/{name}.deb"] = next(directory.glob(f"{name}_*.deb")).read_bytes()
    return files


def install(guest: Guest, version: str) -> None:
    """As unattended-upgrades does it, and then the version is installed."""
    guest.run(f"DEBIAN_FRONTEND=noninteractive apt-get -q -y install /{CACHE}/{version}/*.deb </dev/null 2>&1",
              check=True, timeout=240)
    wanted = guest.run(f"dpkg-deb -f /{CACHE}/{version}/memonline.deb Version", check=True).stdout.strip()
    assert guest.run("dpkg-query -W -f '${db:Status-Status} ${Version}' memonline").stdout == f"installed {wanted}"


def install_old(guest: Guest, wanted: str) -> None:
    """The system is as after a boot with the package: the unit of the boot has run, the service settled the DIMM."""
    wait_until_up(guest)
    guest.run(f"echo online >{KNOB}", check=True)  # the distribution's word
    install(guest, "old")
    guest.run("systemctl start memonline-apply.service", check=True, timeout=120)
    wait_for_service(guest)
    expect(guest, BLOCKS, wanted)


# --- what is looked at ---------------------------------------------------------------------------

def of_service(guest: Guest, name: str) -> str:
    """A property of the service's manager on the bus."""
    return guest.run(f"busctl get-property org.memonline1 /org/memonline1 org.memonline1.Manager {name}",
                     check=True).stdout.strip()


def wait_until_in_sync(guest: Guest) -> None:
    """The service answers before it has read all of the host, and memory is online before a round has ended."""
    guest.wait_for(lambda: "in-sync" in of_service(guest, "State"), "the service to be in sync")


def runs_of_apply(guest: Guest) -> str:
    """Changes with each start of memonline-apply.service, and with each line that it prints."""
    return guest.run("systemctl show -P ActiveState -P InvocationID -P ExecMainStartTimestampMonotonic memonline-apply.service;"
                     " journalctl -q -o short-monotonic -u memonline-apply.service", check=True).stdout


def kept(guest: Guest) -> dict[str, str]:
    """What an upgrade must leave as it is: memory, the kernel's settings, what is known of what others did."""
    commands = {
        "memory": f"grep . {MEMORY}/memory*/state {MEMORY}/memory*/valid_zones",
        "settings": f"grep -r . {KNOB} /sys/module/memory_hotplug/parameters",
        "held": "cat /run/memonline/switches",
        "left alone": "cat /run/memonline/left-alone",
        "policy": f"cat /{POLICY}",
        "status": "memonline status",
    }
    found = {name: guest.run(f"{command} 2>&1").stdout for name, command in commands.items()}
    return {**found, "state": of_service(guest, "State"), "on the bus": of_service(guest, "LeftAlone"),
            "memonline-apply": runs_of_apply(guest)}


def process(guest: Guest) -> str:
    """The service's process and the file it runs: of an upgrade that did not restart it, one that is deleted."""
    return guest.run("pid=$(systemctl show -P MainPID memonlined.service); echo $pid; readlink /proc/$pid/exe",
                     check=True).stdout


def upgrade(guest: Guest) -> None:
    """To the new version: the service runs its files afterwards, and nothing of the package has complained."""
    before = process(guest)
    since = guest.run("cut -d' ' -f1 /proc/uptime").stdout.strip()
    install(guest, "new")
    wait_for_service(guest)
    after = process(guest)
    assert after != before and "deleted" not in after, (before, after)
    assert guest.run("systemctl show -P NRestarts memonlined.service").stdout == "0\n"
    complaints = guest.run("journalctl -q -b -p warning -o short-monotonic _COMM=memonlined + _COMM=memonline +"
                           " UNIT=memonlined.service + UNIT=memonline-apply.service", check=True).stdout
    late = [line for line in complaints.splitlines() if float(line[1:].split("]")[0]) >= float(since)]
    assert not late, "\n".join(late)


# --- the tests -----------------------------------------------------------------------------------

@on("6.12")
def test_applies_nothing(vm: Vm) -> None:
    """Two blocks were taken offline to be unplugged, and the service holds auto_online_blocks."""
    with vm.system(LAYOUT, {**EACH_DIMM, **both_versions(vm)}, installed=False) as guest:
        install_old(guest, share(8))
        guest.run(f"echo offline >{MEMORY}/memory46/state && chmem -b -d 47", check=True)
        guest.wait_for(lambda: all(block in of_service(guest, "LeftAlone") for block in ("46", "47")), "the service to hear of it")
        guest.wait_for(lambda: "applying" not in of_service(guest, "State"), "the service to have judged it")
        before = kept(guest)
        assert zones(guest, BLOCKS) == share(8)[:6] + ".." and guest.read(KNOB) == "offline", before
        upgrade(guest)
        guest.wait_for(lambda: of_service(guest, "State") == before["state"], "the service to have looked at all")
        changed = difference(before, kept(guest))
        assert not changed, "\n".join(changed)
        # It is at work, and has not forgotten the two when memory comes.
        expect(guest, guest.add_dimm("d1", "1G"), share(8))
        assert zones(guest, BLOCKS) == share(8)[:6] + ".."
        # Nor does the unit of the boot bring them back, whoever starts it, with the service and without.
        for stopped in (False, True):
            if stopped:
                guest.run("systemctl stop memonlined.service", check=True, timeout=120)
                assert guest.read(KNOB) == "online", "the setting is what it was before the first installation"
            ran = runs_of_apply(guest)
            guest.run("systemctl restart memonline-apply.service", check=True, timeout=120)
            assert runs_of_apply(guest) != ran
            assert zones(guest, BLOCKS) == share(8)[:6] + "..", guest.run("journalctl -u memonline-apply").stdout


@on("6.12")
def test_ends_a_job_that_waits_for_a_word(vm: Vm) -> None:
    """As whenever the service ends: what nobody has confirmed is undone."""
    with vm.system(LAYOUT, {**EACH_DIMM, **both_versions(vm)}, installed=False) as guest:
        install_old(guest, share(8))
        wait_until_in_sync(guest)
        before = kept(guest)
        guest.run(f"({JOB}; echo status $?) </dev/null >/run/said 2>&1 &", check=True)
        guest.wait_for(lambda: guest.run("test -e /run/memonline/unconfirmed").status == 0, "the job to wait")
        assert zones(guest, BLOCKS) == "." * 8
        upgrade(guest)
        wait_until_in_sync(guest)
        changed = difference(before, kept(guest))
        assert not changed, "\n".join(changed)
        assert guest.run("cd /run/memonline && ls journal* unconfirmed* 2>/dev/null").stdout == ""
        refused = guest.run("memonline confirm 2>&1")
        assert refused.status == 1, refused
        guest.wait_for(lambda: guest.read("/run/said").endswith("status 1"), "the caller to end")
        assert "memonlined stopped before the run was confirmed, and undoes it" in guest.read("/run/said")


@on("6.12")
def test_of_a_service_at_rest(vm: Vm) -> None:
    """The kernel onlines hot-added memory as the policy requires, so the service has exited: all is as before."""
    with vm.system(LAYOUT, {**KERNELS, **both_versions(vm)}, installed=False) as guest:
        install_old(guest, "M" * 8)
        wait_for(guest, "inactive")
        before = {name: guest.run(command).stdout for name, command in AT_REST.items()}
        install(guest, "new")
        # The new version has read what the old one left, and rests as it did.
        wait_for(guest, "inactive")
        after = {name: guest.run(command).stdout for name, command in AT_REST.items()}
        assert after == before, (before, after)
        # Memory comes, and a call.
        expect(guest, guest.add_dimm("d1", "1G"), "M" * 8)
        wait_until_in_sync(guest)
