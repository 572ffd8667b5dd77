# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kernel parameters: a plan says what they make of boot memory; a kernel booted with them shows it."""
import dataclasses
import json
import re
from pathlib import Path

from acpi_srat import hot_pluggable
from guest import Guest, Layout, Node
from harness import Vm, on

OFFLINE = "memhp_default_state=offline"

# One and two nodes, equal and unequal, below and above 4 GiB, each with its policies.
COMBINATIONS: dict[str, tuple[Layout, tuple[str, ...]]] = {
    "one_node_below": (Layout(nodes=(Node("1G"),), below_4g=None), (
        "boot: last 50% movable, rest normal",
        "all: last 25% movable, rest normal",
        "boot: last 640MiB movable, rest normal",
    )),
    "one_node_above": (Layout(nodes=(Node("1536M"),), below_4g="512M"), (
        "node0: last 50% movable, rest normal",
        "boot: last 300MiB movable, rest normal",
    )),
    "two_equal_nodes": (Layout(nodes=(Node("1G"), Node("1G")), below_4g=None), (
        "each node: last 50% movable, rest normal",
        "each node: last 25% movable, rest normal",
        "node0: last 2 blocks movable, rest normal\nnode1: last 3 blocks movable, rest normal",
    )),
    "two_unequal_nodes": (Layout(nodes=(Node("512M"), Node("1280M")), below_4g="1G"), (
        "each node: last 50% movable, rest normal",
        "node1: last 80% movable, rest normal",
        "boot: movable",
    )),
}

GIB = 1 << 30
FOUR = 4 * GIB
ABOVE = Layout(nodes=(Node("1G"), Node("512M")), below_4g="1G", arguments=f"{OFFLINE} nokaslr")
BELOW = Layout(nodes=(Node("1G"), Node("1G")), below_4g=None, arguments=f"{OFFLINE} nokaslr")
ALL_OF_ABOVE = ((FOUR, FOUR + GIB // 2),)

# Memory that the firmware calls hot-pluggable, and policies for which movable_node is what the plan gives.
HOT_PLUGGABLE: dict[str, tuple[Layout, tuple[tuple[int, int], ...], tuple[str, ...]]] = {
    "a_whole_node": (ABOVE, ALL_OF_ABOVE, ("node1: movable\nnode0: normal",)),
    "the_end_of_a_node": (ABOVE, ((FOUR + GIB // 4, FOUR + GIB),),
                          ("node1: last 50% movable, rest normal\nnode0: normal",)),
}

# What a user may have put there: layout, hot-pluggable memory, the words, whether the outcome can be known.
BY_HAND: dict[str, tuple[Layout, tuple[tuple[int, int], ...], str, bool]] = {
    "node": (ABOVE, ALL_OF_ABOVE, "movable_node", True),
    "node_with_kernelcore": (ABOVE, ALL_OF_ABOVE, "kernelcore=50% movable_node movablecore=128M", True),
    "node_without_any": (ABOVE, (), "movable_node", True),
    # The bootloader put the ramdisk at the end of what lies below 4 GiB: all of node 1 is the kernel's.
    "node_with_the_ramdisk": (BELOW, ((GIB, 2 * GIB),), "movable_node", True),
    "percent": (BELOW, (), "kernelcore=60%", True),
    "movablecore": (BELOW, (), "movablecore=768M", True),
    "movablecore_percent": (ABOVE, (), "movablecore=40%", True),
    "both": (BELOW, (), "kernelcore=600M movablecore=512M", True),
    "mirror": (BELOW, (), "kernelcore=mirror", False),
    "hotplug": (BELOW, (), "movablecore=30% memory_hotplug.online_policy=auto-movable "
                           "memory_hotplug.auto_movable_ratio=50", True),
}


def zoneinfo(guest: Guest) -> dict[int, dict[str, int]]:
    """Bytes present of each zone of each node, without empty ones."""
    found: dict[int, dict[str, int]] = {}
    for node, zone, rest in re.findall(r"^Node (\d+), zone +(\w+)\n((?: .*\n)*)", guest.read("/proc/zoneinfo"), re.M):
        present = re.search(r"^ +present +(\d+)$", rest, re.M)
        if present and int(present[1]):
            found.setdefault(int(node), {})[zone] = int(present[1]) * 4096
    return found


def boot_part(guest: Guest, policy: str) -> dict:
    """The boot part of the plan for this guest."""
    guest.put("/tmp/boot.mempolicy", policy.encode() + b"\n")
    result = guest.run("memonline plan --policy /tmp/boot.mempolicy --format json", timeout=60)
    assert result.status == 0, result
    return json.loads(result.stdout)["boot"]


def check(vm: Vm, layout: Layout, policies: tuple[str, ...]) -> None:
    """Plans for a guest without parameters, then boots with what the plan gave, each policy by itself."""
    with vm.guest(layout) as guest:
        plain = zoneinfo(guest)
        boots = [boot_part(guest, policy) for policy in policies]
    for policy, boot in zip(policies, boots, strict=True):
        assert boot["reboot_required"] and boot["set"], (policy, boot)
        arguments = " ".join([layout.arguments, *boot["set"]])
        with vm.guest(dataclasses.replace(layout, arguments=arguments)) as guest:
            predicted = {node["node"]: node["predicted"] for node in boot["nodes"]}
            found = zoneinfo(guest)
            assert found != plain, (policy, arguments)
            assert predicted == found, f"{policy}\n    {arguments}\n    predicted {predicted}\n    found     {found}"
            foreign = boot_part(guest, policy)
            assert not foreign["set"] and not foreign["remove"], foreign
            assert {node["node"]: node["predicted"] for node in foreign["nodes"]} == found, foreign


def with_table(vm: Vm, layout: Layout, ranges: tuple[tuple[int, int], ...]) -> Layout:
    """The layout with these addresses called hot-pluggable by its firmware."""
    if not ranges:
        return layout
    with vm.guest(layout) as guest:
        table = guest.get("/sys/firmware/acpi/tables/SRAT")
    return dataclasses.replace(layout, srat=hot_pluggable(table, ranges))


def check_hot_pluggable(vm: Vm, layout: Layout, ranges: tuple[tuple[int, int], ...], policies: tuple[str, ...]) -> None:
    """As check(); and the parameter is movable_node."""
    layout = with_table(vm, layout, ranges)
    check(vm, layout, policies)
    with vm.guest(layout) as guest:
        for policy in policies:
            assert boot_part(guest, policy)["set"] == ["movable_node"], policy


def check_by_hand(vm: Vm, layout: Layout, ranges: tuple[tuple[int, int], ...], words: str, known: bool) -> None:
    """Words of the user's own stay, and what the kernel made of them is what the plan says."""
    layout = with_table(vm, layout, ranges)
    with vm.guest(dataclasses.replace(layout, arguments=f"{layout.arguments} {words}")) as guest:
        boot = boot_part(guest, "boot: last 50% movable, rest normal")
        assert not boot["set"] and not boot["remove"], boot
        predicted = {node["node"]: node["predicted"] for node in boot["nodes"]}
        assert predicted == (zoneinfo(guest) if known else {}), f"{words}: {predicted}, found {zoneinfo(guest)}"


# What Debian's GRUB leaves of itself on a machine, as far as the plan's words need it.
GRUB = """mkdir -p /etc/default /usr/sbin /boot/grub
echo 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"' >/etc/default/grub
echo '# made by update-grub' >/boot/grub/grub.cfg
cat >/usr/sbin/update-grub <<'END'
#!/bin/sh
for file in /etc/default/grub /etc/default/grub.d/*.cfg; do [ ! -e "$file" ] || . "$file"; done
echo "linux /vmlinuz $GRUB_CMDLINE_LINUX_DEFAULT" >/boot/grub/grub.cfg
END
chmod +x /usr/sbin/update-grub
ln -sf /usr/sbin/update-grub /usr/sbin/grub-mkconfig"""
STATE = "/var/lib/memonline/boot-parameters.json"
DROP_IN = "/etc/default/grub.d/60-memonline.cfg"


@on("6.12")
def test_written_then_booted(vm: Vm) -> None:
    """`boot-parameters = write` reaches the boot loader, and after the reboot `status` knows what came of it."""
    layout = Layout(nodes=(Node("1G"),), below_4g=None)
    policy = "-e 'set boot-parameters = write; boot: last 50% movable, rest normal'"
    with vm.guest(layout) as guest:
        guest.run(GRUB, check=True)
        applied = guest.run(f"memonline apply {policy}", timeout=120)
        assert applied.status == 0, applied
        words = re.search(r"kernelcore=\w+", guest.read("/boot/grub/grub.cfg"))
        assert words, (applied, guest.read("/boot/grub/grub.cfg"))
        shown = guest.run(f"memonline status {policy}").stdout
        assert "reboot required" in shown, shown
        state, drop_in = guest.get(STATE), guest.get(DROP_IN)
        again = guest.run(f"memonline apply {policy}", timeout=120)
        assert again.status == 0 and guest.get(STATE) == state, again
    for word, told in ((words[0], "Boot: as predicted"), ("kernelcore=128M", "Boot: not as predicted")):
        with vm.guest(dataclasses.replace(layout, arguments=f"{layout.arguments} {word}")) as guest:
            guest.run(f"{GRUB}\nmkdir -p /var/lib/memonline /etc/default/grub.d", check=True)
            for path, content in ((STATE, state), (DROP_IN, drop_in)):
                guest.put(path, content.replace(words[0].encode(), word.encode()))
            shown = guest.run(f"memonline status {policy}").stdout
            assert told in shown, shown


@on("6.12")
def test_killed_while_writing(vm: Vm) -> None:
    """Killed at sixty points while parameters are written or removed, and run again: as if it had not been."""
    policy = "-e 'set boot-parameters = write; boot: last 50% movable, rest normal'"
    apply, remove = f"memonline boot apply {policy}", "memonline boot remove"
    look = (f"for file in {DROP_IN} /etc/default/grub /boot/grub/grub.cfg; do echo $file; cat $file; done 2>&1; "
            f"grep -v -e time -e stamp {STATE} 2>&1; find / -xdev -name '*memonline*.tmp*'; ls -A {Path(STATE).parent}")
    with vm.guest(Layout(nodes=(Node("1G"),), below_4g=None)) as guest:
        guest.run(f"{GRUB}\nmkdir -p {Path(STATE).parent}", check=True)  # as systemd makes it
        calls, after = {}, {}
        for command in (apply, remove):
            told = guest.run(f"killat 0 main {command}", check=True, timeout=120).stdout
            words = next(line for line in told.splitlines() if line.startswith("calls ")).split()
            calls[command], after[command] = (int(words[3]), int(words[1])), guest.run(look).stdout
        assert after[apply] != after[remove] and "kernelcore=" in after[apply], after
        cut_short = 0
        for number in range(60):
            command, before = ((apply, remove), (remove, apply))[number % 2]
            first, last = calls[command]
            point = first + (last - first) * number // 59
            guest.run(before, check=True, timeout=120)
            guest.run(f"killat {point} {('main', 'child')[number // 2 % 2]} {command} >/tmp/killed 2>&1", timeout=120)
            cut_short += guest.run(look).stdout != after[command]
            guest.run(command, check=True, timeout=120)
            found = guest.run(look).stdout
            assert found == after[command], f"{command} killed at {point}\n{found}\ninstead of\n{after[command]}"
        assert cut_short > 10, cut_short


def tests() -> dict:
    """One test a layout, a table and a set of words."""
    found = {name: lambda vm, layout=layout, policies=policies: check(vm, layout, policies)
             for name, (layout, policies) in COMBINATIONS.items()}
    found |= {f"movable_node_{name}": lambda vm, row=row: check_hot_pluggable(vm, *row)
              for name, row in HOT_PLUGGABLE.items()}
    found |= {f"by_hand_{name}": on("6.1", "6.12")(lambda vm, row=row: check_by_hand(vm, *row))
              for name, row in BY_HAND.items()}
    return found
