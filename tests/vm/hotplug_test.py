# SPDX-License-Identifier: LGPL-2.1-or-later
"""memonlined in a real Debian: memory that arrives, by DIMM and by virtio-mem, whatever happens meanwhile."""
import re
import time

from guest import Guest, GuestError, Layout, Node, VirtioMem
from harness import Vm, on
from progress_test import shown
from systemd_test import EACH_DIMM, LAYOUT, wait_until_up, zones

SYSTEMS = True

POLICY = "etc/memonline/policy.d/50-test.mempolicy"
SMALL = Layout(nodes=(Node("2G", cpus=2),), below_4g="1G")
KNOB = "/sys/devices/system/memory/auto_online_blocks"

# What RHEL ships: every block goes online as soon as udev hears of it.
RHEL = """SUBSYSTEM!="memory", GOTO="memory_hotplug_end"
ACTION!="add", GOTO="memory_hotplug_end"
ENV{.state}="online"
CONST{virt}=="none", ENV{.state}="online_movable"
ATTR{state}=="offline", ATTR{state}="$env{.state}"
LABEL="memory_hotplug_end"
"""


def wait_for_service(guest: Guest) -> None:
    """Until memonlined answers and has settled what was there."""
    wait_until_up(guest)
    try:
        guest.wait_for(lambda: guest.run("systemctl is-active memonlined.service").stdout == "active\n",
                       "memonlined to be active", 60)
    except GuestError as error:
        said = guest.run("journalctl --no-pager -o cat -n 40 _COMM=memonlined + UNIT=memonlined.service").stdout
        raise AssertionError(f"{error}\n{said}") from error
    failed = guest.run("systemctl --failed --plain --no-legend").stdout
    assert "memonline" not in failed, failed + guest.run("journalctl --no-pager -u 'memonline*'").stdout


def expect(guest: Guest, blocks: list[int], wanted: str, timeout: float = 60) -> None:
    """The blocks reach these zones."""
    try:
        guest.wait_for(lambda: zones(guest, blocks) == wanted, f"memory{blocks[0]}.. to become {wanted}", timeout)
    except GuestError as error:
        log = guest.run("journalctl -o short-monotonic -u memonlined | tail -n 30").stdout
        raise AssertionError(f"{error}: {zones(guest, blocks)}\n{log}") from error


def share(count: int) -> str:
    """A quarter Normal, the rest Movable."""
    return "N" * (count // 4) + "M" * (count - count // 4)


@on("6.1", "6.12")
def test_dimms_come(vm: Vm) -> None:
    files = {**EACH_DIMM, "usr/lib/udev/rules.d/40-redhat.rules": RHEL}
    with vm.system(LAYOUT, files) as guest:
        wait_for_service(guest)
        assert guest.read(KNOB) == "offline"
        assert "40-redhat.rules" in guest.run("ls /run/udev/rules.d").stdout
        expect(guest, list(range(40, 48)), share(8))
        # Hooks hear of each burst once; kdump's service is loaded anew where the kernel does not do it.
        guest.run("mkdir -p /etc/memonline/memory-changed.d; printf '#!/bin/sh\\necho >>/run/heard\\n' >/run/hook;"
                  " install /run/hook /etc/memonline/memory-changed.d/90-test; rm -f /run/heard", check=True)
        expect(guest, guest.add_dimm("d1", "1G"), share(8))
        guest.wait_for(lambda: guest.run("cat /run/heard").stdout == "\n", "the hook to run")
        expect(guest, guest.add_dimm("d2", "32G"), share(256), 120)
        # Two at once, and a policy that changed in between.
        guest.put(f"/{POLICY}", b"each dimm: first 2 blocks normal, rest movable\n")
        guest.run("systemctl reload memonlined.service", check=True)
        before = guest.block_ids()
        guest.add_dimm("d3", "1G", wait=False)
        guest.add_dimm("d4", "2G", wait=False)
        guest.wait_for(lambda: len(guest.block_ids()) == len(before) + 24, "the blocks of both")
        later = guest.block_ids()[-24:]
        expect(guest, later[:8], "NNMMMMMM")
        expect(guest, later[8:], "NN" + "M" * 14)
        assert zones(guest, list(range(40, 48))) == share(8)
        # A policy with a mistake leaves the one before in force.
        guest.put(f"/{POLICY}", b"each dimm: first 2 blocks movabel\n")
        guest.run("systemctl reload memonlined.service")
        expect(guest, guest.add_dimm("d5", "1G"), "NNMMMMMM")
        # What the kernel could do it leaves to the service, which is faster, unless the policy says otherwise.
        guest.put(f"/{POLICY}", b"hotplugged: movable\n")
        guest.run("systemctl reload memonlined.service", check=True)
        expect(guest, guest.add_dimm("d6", "1G"), "M" * 8)
        assert guest.read(KNOB) == "offline"
        guest.put(f"/{POLICY}", b"set hotplug = kernel\nhotplugged: movable\n")
        guest.run("systemctl reload memonlined.service", check=True)
        guest.wait_for(lambda: guest.read(KNOB) == "online_movable", "the kernel to be told")
        guest.run("rm -f /run/heard", check=True)
        expect(guest, guest.add_dimm("d7", "1G"), "M" * 8)
        guest.wait_for(lambda: guest.run("cat /run/heard").stdout == "\n", "the hook to hear of the kernel's onlining")
        # Gone, the machine is as the distribution had it.
        guest.run("systemctl disable --now memonlined.service", check=True, timeout=150)
        assert guest.run("test -e /run/memonline/service").status != 0
        assert "40-redhat.rules" not in guest.run("ls /run/udev/rules.d").stdout
        guest.run("udevadm control --reload", check=True)
        expect(guest, guest.add_dimm("d8", "1G"), "NNNNNNNN")


@on("6.1", "6.12")
def test_killed_in_the_middle_of_a_burst(vm: Vm) -> None:
    with vm.system(SMALL, EACH_DIMM) as guest:
        wait_for_service(guest)
        guest.run("echo online >" + KNOB, check=True)  # the distribution's word
        guest.run("systemctl restart memonlined.service", check=True)
        assert guest.read(KNOB) == "offline"
        before = guest.block_ids()
        guest.add_dimm("d1", "32G", wait=False)
        guest.wait_for(lambda: len(guest.block_ids()) > len(before), "the first block", 60)
        for _ in range(3):
            time.sleep(0.2)
            guest.run("systemctl kill -s KILL memonlined.service")
        blocks = [block for block in guest.block_ids() if block not in before]
        assert len(blocks) == 256, len(blocks)
        expect(guest, blocks, share(256), 120)
        guest.run("systemctl stop memonlined.service", check=True)
        assert guest.read(KNOB) == "online"


@on("6.1", "6.12")
def test_memory_that_no_rule_selects(vm: Vm) -> None:
    """A policy for one DIMM alone: another one comes online as without memonline, also after SIGKILL."""
    with vm.system(LAYOUT, {POLICY: "dimm0: movable\n"}) as guest:
        wait_for_service(guest)
        guest.run("systemctl stop memonlined.service; echo online >" + KNOB, check=True)
        guest.run("systemctl start memonlined.service", check=True)
        assert guest.read(KNOB) == "offline"
        expect(guest, guest.add_dimm("d1", "1G"), "N" * 8)
        before = guest.block_ids()
        guest.run("systemctl kill -s STOP memonlined.service", check=True)
        guest.add_dimm("d2", "1G", wait=False)
        guest.wait_for(lambda: len(guest.block_ids()) == len(before) + 8, "the blocks", 60)
        later = guest.block_ids()[-8:]
        assert zones(guest, later) == "." * 8
        guest.run("systemctl kill -s KILL memonlined.service", check=True)
        expect(guest, later, "N" * 8)
        guest.run("systemctl stop memonlined.service", check=True)
        assert guest.read(KNOB) == "online"


@on("6.1", "6.12")
def test_another_process_writes_the_setting(vm: Vm) -> None:
    """Every second for a minute: the service does not fight it, and says so once."""
    with vm.system(SMALL, EACH_DIMM) as guest:
        wait_for_service(guest)
        assert guest.read(KNOB) == "offline"
        guest.run(f"(for i in $(seq 60); do echo online >{KNOB}; sleep 1; done) >/dev/null 2>&1 &", check=True)
        end = time.monotonic() + 60
        number = 1
        while time.monotonic() < end:
            guest.add_dimm(f"d{number}", "256M", wait=False)
            number += 1
            time.sleep(6)
        log = guest.run("journalctl -o cat -u memonlined").stdout
        assert log.count("another process keeps setting auto_online_blocks") == 1, log
        assert log.count("auto_online_blocks set to offline") <= 3, log
        assert guest.read(KNOB) == "online"
        state = guest.run("busctl get-property org.memonline1 /org/memonline1 org.memonline1.Manager State").stdout
        assert "drift" in state, (state, log)
        shown_alone = guest.run("busctl get-property org.memonline1 /org/memonline1 org.memonline1.Manager LeftAlone").stdout
        assert "by another process" in shown_alone, shown_alone


@on("6.1", "6.12")
def test_virtio_mem_never_stalls(vm: Vm) -> None:
    layout = Layout(nodes=(Node("2G", cpus=2),), below_4g="1G", virtio_mem=(VirtioMem("v0", "4G", "0M"),))
    with vm.system(layout, {POLICY: "virtio-mem: last 75% movable, rest normal\n"}) as guest:
        wait_for_service(guest)
        before = guest.block_ids()
        for size in (1, 2, 4):
            guest.request_virtio_mem("v0", f"{size}G")
            guest.wait_for(lambda size=size: guest.memory_devices()[0]["size"] == size << 30, f"{size} GiB plugged", 90)
            blocks = [block for block in guest.block_ids() if block not in before]
            guest.wait_for(lambda blocks=blocks: "." not in zones(guest, blocks), f"{size} GiB online", 60)


def switches(guest: Guest) -> str:
    """How often each thread of memonlined was put on a processor."""
    return guest.run("grep -h ctxt /proc/$(pidof memonlined)/task/*/status", check=True).stdout


def without_times(text: str) -> str:
    return re.sub(r"\d+(\.\d+)? m?s\b", "TIME", text)


LOOKS = [*(f"plan -e 'hotplugged: 50% movable, rest normal' --format {form}" for form in ("text", "json", "yaml", "shell", "svg")),
         "plan", "plan -e 'boot: last 25% movable, rest normal'", "plan --unplug dimm0", "plan -e 'dimm: nowhere'",
         "plan -e 'hotplugged: offline' --exit-code -o /tmp/plan.json; cat /tmp/plan.json",
         *(f"status --format {form}" for form in ("text", "json")), "status -e 'hotplugged: offline'",
         "explain memory40", "map", "map --format svg", "map --format html"]


def look_alike(guest: Guest) -> None:
    """By way of the service and without: the same bytes and the same exit status, for root."""
    for words in LOOKS:
        command, _, after = words.partition(";")
        said = [guest.run(f"memonline {command} {how} 2>&1; echo $?; {after}").stdout for how in ("", "--direct")]
        assert said[0] == said[1], (words, said)
    by_user = guest.run("setpriv --reuid=65534 --clear-groups memonline plan --format json").stdout
    assert by_user == guest.run("memonline plan --direct --format json").stdout, by_user
    counted = guest.run("memonline status --format prometheus").stdout
    direct = guest.run("memonline status --format prometheus --direct").stdout
    assert "memonline_service_up 1" in counted and "memonline_service_up 1" not in direct
    assert [line for line in direct.splitlines() if line not in counted.splitlines()] in (
        [], ["memonline_service_up 0"]), (counted, direct)


def shows_progress(guest: Guest) -> None:
    """On a terminal a job of the service shows its blocks and bytes, as a run of the command itself does."""
    added = guest.add_dimm("d1", "64G")
    expect(guest, added, share(512), 120)
    take_away = f"memonline apply --offline -e 'block {added[128]}-{added[-1]}: offline'"
    done = guest.run(f"script -qec \"stty cols 120; {take_away}\" /dev/null", timeout=240)
    blocks = shown(done.stdout, 384)
    assert done.status == 0 and blocks and blocks == sorted(blocks), done


@on("6.12")
def test_the_command_goes_by_the_service(vm: Vm) -> None:
    """The same output as without it, done by a job that polkit was asked about; nothing while idle."""
    take_away = "memonline apply --offline -e 'hotplugged: offline'"
    with vm.system(LAYOUT, EACH_DIMM) as guest:
        wait_for_service(guest)
        blocks = list(range(40, 48))
        expect(guest, blocks, share(8))
        before = switches(guest)
        guest.run("sleep 60", timeout=120)
        assert switches(guest) == before, "it wakes up with nothing to do"
        refused = guest.run(f"setpriv --reuid=65534 --clear-groups {take_away} --json")
        assert refused.status == 1 and "memonlined refused" in refused.stdout, refused
        assert zones(guest, blocks) == share(8)
        look_alike(guest)
        said = []
        for how, jobs in (("", 2), ("--direct", 2)):
            done = guest.run(f"{take_away} {how}")
            assert done.status == 0 and zones(guest, blocks) == "........", done
            undone = guest.run(f"memonline undo {how}")
            assert undone.status == 0 and zones(guest, blocks) == share(8), undone
            said.append(without_times(done.stdout + undone.stdout))
            log = guest.run("journalctl -o cat -u memonlined").stdout
            assert len(re.findall(r"job \d+: done", log)) == jobs, log
        # What somebody else did is found by its block.
        assert "offlined by another process" in guest.run("journalctl -o cat MEMONLINE_BLOCK=memory47").stdout
        assert said[0] == said[1], said
        # A plan that is too long for a message.
        guest.run("memonline plan -e 'hotplugged: offline; set rezone = allowed' -o /run/long.json && "
                  "printf '%2000000s' '' >>/run/long.json", check=True)
        done = guest.run("memonline apply /run/long.json")
        assert done.status == 0 and zones(guest, blocks) == "........", done
        assert len(re.findall(r"job \d+: done", guest.run("journalctl -o cat -u memonlined").stdout)) == 3
        guest.run("memonline undo", check=True)
        shows_progress(guest)


# What Debian's update-grub does, as far as a word on the command line is concerned.
UPDATE_GRUB = """#!/bin/sh
. /etc/default/grub
for file in /etc/default/grub.d/*.cfg; do . $file; done
echo "	linux /vmlinuz root=/dev/vda $GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT" >/boot/grub/grub.cfg
"""


@on("6.12")
def test_boot_parameters_by_way_of_the_bus(vm: Vm) -> None:
    """memonlined has PID 1 start memonline-bootparams.service, which may write what it may not."""
    files = {POLICY: "boot: last 50% movable, rest normal\n", "etc/default/grub": "GRUB_CMDLINE_LINUX=quiet\n",
             "boot/grub/grub.cfg": "\tlinux /vmlinuz root=/dev/vda quiet\n", "usr/sbin/update-grub": UPDATE_GRUB}
    write = "busctl call org.memonline1 /org/memonline1 org.memonline1.Manager WriteBootParameters"
    with vm.system(SMALL, files) as guest:
        wait_for_service(guest)
        refused = guest.run(f"{write} 2>&1", timeout=60)  # update-grub cannot be run yet
        assert refused.status != 0 and "journalctl -u memonline-bootparams" in refused.stdout, refused
        guest.run("chmod +x /usr/sbin/update-grub; systemctl reset-failed", check=True)
        done = guest.run(f"{write} 2>&1", timeout=60)
        assert done.status == 0, (done, guest.run("journalctl -o cat -u memonline-bootparams").stdout)
        assert "kernelcore=" in guest.read("/boot/grub/grub.cfg")


@on("6.1", "6.12")
def test_generated_files_do_without_the_service(vm: Vm) -> None:
    """What `memonline generate` writes, loaded by the real systemd-udevd and systemd-tmpfiles."""
    with vm.system(SMALL, {}) as guest:
        wait_until_up(guest)
        guest.run("systemctl disable --now memonlined.service", check=True, timeout=150)
        first = guest.block_ids()[-1] + 1
        guest.run(f"memonline generate udev -e 'block {first + 8}-{first + 9}: normal; hotplugged: movable'"
                  " -o /etc/udev/rules.d/40-memory.rules; udevadm control --reload", check=True)
        added = guest.add_dimm("d1", "1G") + guest.add_dimm("d2", "1G")
        expect(guest, added, "".join("N" if block - first in (8, 9) else "M" for block in added))
        guest.run("rm /etc/udev/rules.d/40-memory.rules; udevadm control --reload;"
                  " memonline generate tmpfiles -e 'hotplugged: normal' -o /etc/tmpfiles.d/memory.conf;"
                  " systemd-tmpfiles --create /etc/tmpfiles.d/memory.conf", check=True)
        assert guest.read(KNOB) == "online_kernel"
        expect(guest, guest.add_dimm("d3", "1G"), "N" * 8)
