# SPDX-License-Identifier: LGPL-2.1-or-later
"""memonlined where the kernel alone does what the policy says: it ends, and whatever happens starts it again."""
from guest import Guest
from harness import Vm, on
from hotplug_test import KNOB, POLICY, expect
from reports import MEMORY
from systemd_test import LAYOUT, wait_until_up, zones

SYSTEMS = True
KERNELS = {POLICY: "set hotplug = kernel\nhotplugged: movable\n"}
HOOK = "#!/bin/sh\necho >>/run/heard\n"
UNIT = "memonlined.service"


def state(guest: Guest) -> str:
    """Of the service, as systemd has it."""
    return guest.run(f"systemctl is-active {UNIT}").stdout.strip()


def wait_for(guest: Guest, wanted: str, seconds: float = 90) -> None:
    """Until the service is `active` or `inactive`, and not failed."""
    guest.wait_for(lambda: state(guest) in (wanted, "failed"), f"{UNIT} to be {wanted}", seconds)
    assert state(guest) == wanted, guest.run(f"journalctl --no-pager -u {UNIT}").stdout


@on("6.12")
def test_ends_and_is_started_again(vm: Vm) -> None:
    files = {**KERNELS, "etc/memonline/memory-changed.d/90-test": HOOK}
    with vm.system(LAYOUT, files) as guest:
        wait_until_up(guest)
        guest.run("chmod 755 /etc/memonline/memory-changed.d/90-test", check=True)
        wait_for(guest, "inactive")
        assert guest.read(KNOB) == "online_movable"
        assert guest.run("pgrep -x memonlined").status != 0
        assert "exiting after 30 s without a client" in guest.run(f"journalctl -o cat -u {UNIT}").stdout

        # A call is answered, as if it had always been there.
        shown = guest.run("busctl --timeout=60 call org.memonline1 /org/memonline1 org.memonline1.Manager Verify")
        assert shown.status == 0, shown
        wait_for(guest, "inactive")

        # Memory comes: the kernel brings it online, and the hooks run.
        guest.run("rm -f /run/heard")
        expect(guest, guest.add_dimm("d1", "1G"), "M" * 8)
        guest.wait_for(lambda: guest.run("cat /run/heard").stdout == "\n", "the hook to run", 60)
        wait_for(guest, "inactive")
        assert guest.read(KNOB) == "online_movable"

        # Someone takes a block offline: that is noted, and stays so while the service watches it.
        block = guest.block_ids()[-1]
        guest.run(f"echo offline >{MEMORY}/memory{block}/state", check=True)
        wait_for(guest, "active", 60)
        guest.wait_for(lambda: guest.run("cat /run/memonline/left-alone").stdout.endswith(f"{block} {block} others\n"),
                       "the block to be noted", 60)
        expect(guest, guest.add_dimm("d2", "1G"), "M" * 8)
        assert zones(guest, [block]) == "."
        guest.run(f"echo online_movable >{MEMORY}/memory{block}/state", check=True)
        wait_for(guest, "inactive")

        # A policy that has changed is shown, and not applied: as with `systemctl reload`.
        guest.put(f"/{POLICY}", b"set hotplug = kernel\nset rezone = allowed\nhotplugged: normal\n")
        guest.run(f"systemctl reload-or-restart {UNIT}", check=True)
        shown = guest.run("memonline status").stdout
        assert zones(guest, [block]) == "M", shown
        assert guest.read(KNOB) == "online_kernel"


@on("6.12")
def test_stopped_at_rest_gives_the_settings_back(vm: Vm) -> None:
    with vm.system(LAYOUT, KERNELS) as guest:
        wait_until_up(guest)
        wait_for(guest, "inactive")
        # As a host without memonline-apply.service has it: the service itself changes the setting.
        guest.run(f"systemctl stop {UNIT}; echo offline >{KNOB}; systemctl start {UNIT}", check=True)
        wait_for(guest, "inactive")
        assert guest.read(KNOB) == "online_movable"
        # udev's events of all memory at once start one service, which rests again.
        guest.run("udevadm trigger --subsystem-match=memory --action=add --settle", check=True, timeout=120)
        wait_for(guest, "inactive")
        guest.run(f"systemctl restart {UNIT}", check=True)
        assert guest.read(KNOB) == "online_movable"
        wait_for(guest, "inactive")
        guest.run(f"systemctl stop {UNIT}", check=True)
        assert guest.read(KNOB) == "offline"
        assert guest.run("ls /run/memonline/resting").status != 0
        # And it is not started by memory any more.
        blocks = guest.add_dimm("d1", "1G")
        assert zones(guest, blocks) == "." * 8
        guest.run("udevadm settle", check=True)
        assert state(guest) == "inactive"
        # Started, it deals with what has come.
        guest.run(f"systemctl start {UNIT}", check=True)
        expect(guest, blocks, "M" * 8)


@on("6.12")
def test_small_at_rest(vm: Vm) -> None:
    """Where it has to stay it is small, and sleeps."""
    with vm.system(LAYOUT, {POLICY: "each dimm: first 25% normal, rest movable\n"}) as guest:
        wait_until_up(guest)
        wait_for(guest, "active")
        guest.run("sleep 40", timeout=60)
        count = ("cat /proc/$(systemctl show -P MainPID memonlined)/task/*/status | "
                 "awk '/^voluntary_ctxt/ {n += $2} /^VmRSS/ {kib = $2} END {print n, kib}'")
        before, kib = map(int, guest.run(count, check=True).stdout.split())
        guest.run("sleep 60", timeout=90)
        after, _ = map(int, guest.run(count, check=True).stdout.split())
        print(f"resident {kib} KiB, {after - before} wake-ups in 60 s")
        assert after == before
        assert kib <= 8 << 10
