# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Ansible collection, played by ansible-core over ssh to real kernels: check mode and diff, the role, a
second run, mistakes."""
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from guest import Dimm, Guest, Layout, Node
from harness import Skip, Vm, on
from network import bring_up
from systemd_test import wait_until_up, zones

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))
from loopback import free_port  # noqa: E402

SYSTEMS = True

PACKAGES = ("iproute2", "openssh-server", "python3")
COLLECTION = Path(__file__).resolve().parents[2] / "policies/ansible"
# ansible-core itself has nothing that tells results to a program.
CALLBACK = """
import json
from ansible.plugins.callback import CallbackBase
DOCUMENTATION = "name: told\\ntype: notification\\nshort_description: results, a line each"
class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_TYPE, CALLBACK_NAME = 2.0, "notification", "told"
    def tell(self, **what):
        with open("told", "a") as file:
            file.write(json.dumps(what) + "\\n")
    def v2_runner_on_ok(self, result):
        self.tell(host=result._host.get_name(), result=result._result)
    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.tell(host=result._host.get_name(), result={**result._result, "failed": True})
    v2_runner_on_unreachable = v2_runner_on_failed
    def v2_playbook_on_stats(self, stats):
        self.tell(stats={host: stats.summarize(host) for host in stats.processed})
"""
# As update-grub does it: the words of the default file and of its drop-ins.
UPDATE_GRUB = """#!/bin/sh
. /etc/default/grub
for file in /etc/default/grub.d/*.cfg; do [ ! -e "$file" ] || . "$file"; done
echo "linux /vmlinuz $GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT" >/boot/grub/grub.cfg
"""
SHARES = "each dimm: first 25% normal, rest movable\n"


class Play:
    """ansible-playbook on some guests, with a configuration and a key of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        place = directory / "collections/ansible_collections/memonline"
        place.mkdir(parents=True)
        shutil.copytree(COLLECTION, place / "memonline")
        (directory / "told.py").write_text(CALLBACK)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / "key"], check=True, timeout=60)
        self.ports: list[int] = []

    @property
    def public_key(self) -> str:
        return (self.directory / "key.pub").read_text()

    def run(self, tasks: list[dict], *options: str) -> list[dict]:
        """What a play of these tasks told: results, and at last the stats."""
        play = [{"hosts": "all", "gather_facts": False, "tasks": tasks}]
        (self.directory / "play.yml").write_text(json.dumps(play))
        hosts = "".join(f"guest{number} ansible_host=127.0.0.1 ansible_port={port} ansible_user=root"
                        " ansible_python_interpreter=/usr/bin/python3\n" for number, port in enumerate(self.ports))
        (self.directory / "hosts").write_text(hosts)
        (self.directory / "told").write_text("")
        shown = subprocess.run(
            ["ansible-playbook", "-i", "hosts", "play.yml", *options], cwd=self.directory, text=True, timeout=600,
            capture_output=True, check=False,
            env={**os.environ, "HOME": str(self.directory), "ANSIBLE_COLLECTIONS_PATH": str(self.directory / "collections"),
                 "ANSIBLE_CALLBACK_PLUGINS": str(self.directory), "ANSIBLE_CALLBACKS_ENABLED": "told",
                 "ANSIBLE_HOST_KEY_CHECKING": "False", "ANSIBLE_NOCOLOR": "1",
                 "ANSIBLE_PRIVATE_KEY_FILE": str(self.directory / "key"), "ANSIBLE_TIMEOUT": "60",
                 "ANSIBLE_SSH_RETRIES": "3", "LC_ALL": "C.UTF-8"})
        told = [json.loads(line) for line in (self.directory / "told").read_text().splitlines()]
        assert told and "stats" in told[-1], (shown.stdout, shown.stderr)
        return told

    def one(self, *options: str, **arguments: object) -> list[dict]:
        """The module's answers with these arguments, host by host."""
        told = self.run([{"memonline.memonline.memonline": arguments}], *options)
        hosts = {each["host"]: each["result"] for each in told[:-1]}
        return [hosts[f"guest{number}"] for number in range(len(self.ports))]


@contextlib.contextmanager
def _guests(vm: Vm, layouts: list[Layout]) -> Iterator[tuple[Play, list[Guest]]]:
    """Those guests, each with an sshd that this machine's loopback leads to."""
    for program in ("ansible-playbook", "ssh-keygen", "ssh"):
        if not shutil.which(program):
            raise Skip(f"{program} is not installed (ansible-core, openssh-client)")
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        play = Play(Path(scratch))
        guests = []
        for layout in layouts:
            port = free_port()
            files = {"root/.ssh/authorized_keys": play.public_key,
                     "etc/ssh/sshd_config.d/test.conf": "PermitRootLogin prohibit-password\nUseDNS no\nUsePAM no\n"}
            guest = stack.enter_context(vm.system(
                Layout(nodes=layout.nodes, dimms=layout.dimms, below_4g=layout.below_4g, ports=((port, 22),)),
                files, PACKAGES))
            wait_until_up(guest)
            bring_up(guest)
            guest.run("chmod 700 /root /root/.ssh; chmod 600 /root/.ssh/authorized_keys; chown -R root:root /root/.ssh;"
                      " ssh-keygen -A; mkdir -p /run/sshd; systemctl restart ssh", timeout=120, check=True)
            play.ports.append(port)
            guests.append(guest)
        yield play, guests


def _write(guest: Guest, path: str, text: str) -> None:
    guest.run(f"cat >{path}", stdin=text.encode(), check=True)


def _layout(*dimms: Dimm) -> Layout:
    return Layout(nodes=(Node("2G", cpus=1),), dimms=dimms, below_4g="1G")


@on("6.12")
def test_two_hosts_are_played_to(vm: Vm) -> None:
    """Check mode changes nothing and shows all; then it is done; then there is nothing to do."""
    layouts = [_layout(Dimm("d0", "1G")), _layout(Dimm("d0", "512M"), Dimm("d1", "512M"))]
    with _guests(vm, layouts) as (play, guests):
        blocks = list(range(40, 48))
        for answer, guest in zip(play.one("--check", "--diff", policy=SHARES), guests):
            assert answer["changed"] and len(answer["steps"]) >= 2, answer
            policy, memory = answer["diff"]
            assert (policy["before"], policy["after"]) == ("", SHARES)
            assert "offline 1024 MiB" in memory["before"] and "node0 Movable 768 MiB" in memory["after"], memory
            assert "offline" not in memory["after"], memory
            assert zones(guest, blocks) == "........"
            assert guest.run("ls /etc/memonline/policy.d").stdout == ""
        for answer in play.one(policy=SHARES):
            assert answer["changed"] and answer["report"]["result"] == "complete", answer
        assert [zones(guest, blocks) for guest in guests] == ["NNMMMMMM", "NMMMNMMM"]
        for answer in play.one(policy=SHARES):
            assert not answer["changed"] and answer["steps"] == [], answer

        # A mistake fails the task with memonline's own message, and leaves the policy before it.
        for answer, guest in zip(play.one(policy="each dimm: movabel\n"), guests):
            assert answer["failed"] and "50-ansible.mempolicy:1:12: no target named `movabel`" in answer["msg"], answer
            assert guest.read("/etc/memonline/policy.d/50-ansible.mempolicy") == SHARES.strip()
        for answer in play.one(policy=SHARES, name="../../tmp/x.mempolicy"):
            assert answer["failed"] and "invalid policy name" in answer["msg"]

        # What else was brought offline is drift, and put right; the policy's absence brings nothing offline.
        guests[0].run("echo offline >/sys/devices/system/memory/memory47/state", check=True)
        first, second = play.one()
        assert first["changed"] and not second["changed"], (first, second)
        for answer, guest in zip(play.one(state="absent"), guests):
            assert answer["changed"] and answer["steps"] == [], answer
            assert guest.run("ls /etc/memonline/policy.d").stdout == ""
        assert [zones(guest, blocks) for guest in guests] == ["NNMMMMMM", "NMMMNMMM"]
        assert not any(answer["changed"] for answer in play.one(state="absent"))


@on("6.12")
def test_the_role(vm: Vm) -> None:
    """Check mode changes nothing of it; the policy, the units, memory: and a second run changes nothing."""
    with _guests(vm, [_layout(Dimm("d0", "1G"))]) as (play, guests):
        guest = guests[0]
        guest.run("systemctl disable --now memonlined.service memonline-apply.service", check=True)
        role = [{"ansible.builtin.import_role": {"name": "memonline.memonline.memonline"},
                 "vars": {"memonline_policy": SHARES, "memonline_packages": []}}]
        told = play.run(role, "--check")
        assert told[-1]["stats"]["guest0"]["failures"] == 0 and told[-1]["stats"]["guest0"]["changed"] > 0, told
        assert any(len(each["result"].get("steps", [])) >= 2 for each in told[:-1]), told
        assert zones(guest, list(range(40, 48))) == "........"
        assert guest.run("ls /etc/memonline/policy.d").stdout == ""
        assert guest.run("systemctl is-active memonlined.service").stdout == "inactive\n"
        assert guest.run("systemctl is-enabled memonlined.service memonline-apply.service").stdout.split() == ["disabled"] * 2
        first = play.run(role)[-1]["stats"]["guest0"]
        assert (first["failures"], first["unreachable"]) == (0, 0) and first["changed"] > 0, first
        assert zones(guest, list(range(40, 48))) == "NNMMMMMM"
        assert guest.run("systemctl is-active memonlined.service").stdout == "active\n"
        assert guest.run("systemctl is-enabled memonlined.service memonline-apply.service").stdout.split() == ["enabled"] * 2
        assert play.run(role)[-1]["stats"]["guest0"]["changed"] == 0


@on("6.12")
def test_the_boot_loader_and_policies_of_packages(vm: Vm) -> None:
    """Kernel parameters are a change of their own; a package's policy is hidden by ours, masked, and comes back."""
    with _guests(vm, [_layout(Dimm("d0", "1G"))]) as (play, guests):
        guest = guests[0]
        _write(guest, "/usr/sbin/update-grub", UPDATE_GRUB)
        guest.run("chmod 755 /usr/sbin/update-grub; mkdir -p /etc/default /boot/grub;"
                  " echo 'GRUB_CMDLINE_LINUX=quiet' >/etc/default/grub", check=True)
        policy = {"policy": "boot: last 50% movable, rest normal\n", "boot_parameters": True}
        for options in (("--check",), ()):
            [answer] = play.one(*options, **policy)
            assert answer["changed"] and answer["boot"]["words"][0].startswith("kernelcore="), answer
            assert guest.run("ls /etc/default/grub.d /etc/memonline/policy.d", check=False).stdout.count("60-memonline.cfg") == \
                (0 if options else 1), answer
        assert "kernelcore=" in guest.read("/boot/grub/grub.cfg")
        for options in (("--check",), ()):
            [answer] = play.one(*options, **policy)
            assert not answer["changed"] and answer["reboot_required"], answer

        guest.run("mkdir -p /usr/lib/memonline/policy.d", check=True)
        _write(guest, "/usr/lib/memonline/policy.d/50-ansible.mempolicy", "hotplugged: normal\n")
        [hidden] = play.one("--check", policy="hotplugged: movable\n")
        assert {step["state"] for step in hidden["steps"] if "state" in step} == {"online_movable"}, hidden
        _write(guest, "/etc/memonline/policy.d/50-ansible.mempolicy", "")
        [masked] = play.one("--check")
        assert not masked["changed"] and masked["steps"] == [], masked
        for options in (("--check",), ()):
            [back] = play.one(*options, state="absent")
            assert back["changed"] and {step["state"] for step in back["steps"] if "state" in step} == {"online_kernel"}, back
        assert zones(guest, list(range(40, 48))) == "NNNNNNNN"
