# SPDX-License-Identifier: LGPL-2.1-or-later
"""From README.md alone, as a new user would: section `Install` word for word on a fresh Debian with systemd.

The packages are those of `./dev package`; each command's status and what the page shows of its output are
held against what the guest does. Between the commands memory is plugged in, and at the end all is as it was.
"""
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from guest import Dimm, Guest, Layout, Node
from harness import Skip, Vm, on
from network import bring_up
from system_image import suite
from systemd_test import wait_until_up, zones

TOP = Path(__file__).resolve().parents[2]
sys.path += [str(TOP / "tests/bus"), str(TOP / "tests/cli"), str(TOP / "tests/support")]
import browser  # pylint: disable=wrong-import-position
import debian_root  # pylint: disable=wrong-import-position
import own_packages  # pylint: disable=wrong-import-position
from documents import Example, examples, is_as_shown  # pylint: disable=wrong-import-position

SYSTEMS = True

HOME = "root/memonline"  # where the user of the guest is, as in a clone
PACKAGES = ("cockpit", "iproute2")
FILES = {"etc/apt/apt.conf.d/99test": 'APT::Get::Assume-Yes "true";\n'}
PASSWORD = "correct-horse"


# --- the packages --------------------------------------------------------------------------------

def kept_packages(build: Path) -> Path | None:
    """Where packages of this commit and release are: named, or left by tests/fresh or ./dev package."""
    directory = build / "packages"
    if named := os.environ.get("MEMONLINE_PACKAGES"):
        return Path(named)
    try:
        return next(filter(own_packages.of_commit, (directory / suite(), directory)), None)
    except debian_root.Skip as reason:
        raise Skip(str(reason)) from reason


def built_packages(build: Path) -> Path:
    """The same, and where there are none they are made now."""
    if kept := kept_packages(build):
        return kept
    directory = build / "packages"
    for program in ("dpkg-buildpackage", "dh", "lintian"):
        if not shutil.which(program) and os.geteuid() != 0:
            raise Skip(f"{program} is not installed, and only root can install it")
    # What the packages hold does not depend on it: tests/packages holds them to that.
    made = subprocess.run([str(TOP / "dev"), "package", str(directory)], check=False, text=True, cwd=TOP,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, "DEB_BUILD_OPTIONS": "nocheck"})
    assert made.returncode == 0, f"`./dev package` ended with {made.returncode}: {made.stdout[-2000:]}"
    return directory


# --- the page ------------------------------------------------------------------------------------

def told_to_do() -> list[Example]:
    """The commands of the section, with what it shows of their output."""
    section = re.search(r"^## Install\n(.*?)^## ", (TOP / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert section, "README.md says how to install"
    return [example for example in examples(section[1].splitlines()) if not example.inline]


def follow(guest: Guest, example: Example) -> None:
    """One command, as the page has it."""
    done = guest.run(f"cd /{HOME} && exec bash -c {shlex.quote(example.command)} </dev/null 2>&1", timeout=400)
    # `memonline status` tells by its status what it says: there is something to do.
    fine = (0, 3) if example.command.startswith("memonline status") and "pending" in done.stdout else (0,)
    assert done.status in fine, f"`{example.command}` ended with {done.status}:\n{done.stdout}"
    assert is_as_shown(example.shown, done.stdout.splitlines()), \
        f"README.md shows of `{example.command}`\n" + "\n".join(example.shown) + f"\nand it prints\n{done.stdout}"


# --- what is left --------------------------------------------------------------------------------

def system_state(guest: Guest) -> dict[str, str]:
    """What a package could leave behind: files, links, units, switches."""
    commands = {
        # The order of what ld.so has in its cache is its own; Cockpit makes itself a certificate.
        "etc": "find /etc -not -path '/etc/cockpit/ws-certs.d/*' -not -path /etc/ld.so.cache \\( -type f -exec"
               " sha256sum {} + -o -type l -printf '%p is %l\\n' -o -type d -print \\)",
        "run": "find /run -not -path '/run/systemd/*' -not -path '/run/udev/data/*' -not -path '/run/udev/links/*' -not -path '/run/log/*'"
               " -not -path '/run/cockpit/*' -not -path '/run/user*'",
        "udev": "find /lib/udev/rules.d /run/udev/rules.d /etc/udev/rules.d",
        "units": "systemctl list-unit-files --no-legend --plain; systemctl list-units --failed --no-legend --plain;"
                 " find /run/systemd /lib/systemd -iname '*memonline*'",
        "switches": "grep -r . /sys/devices/system/memory/auto_online_blocks /sys/module/memory_hotplug/parameters",
        "files": "find / -xdev -iname '*memonline*' -not -path '/proc/*' -not -path '/sys/*' -not -path '/root/*'"
                 " -not -path '/var/log/*' -not -path '/var/cache/*' -not -path '/tmp/*'",
    }
    return {name: "\n".join(sorted(guest.run(f"{{ {command}; }} 2>/dev/null", timeout=120).stdout.splitlines()))
            for name, command in commands.items()}


def difference(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """What is in one of them alone."""
    return [f"{sign} {name}: {line}" for name in before
            for sign, one, other in (("-", before, after), ("+", after, before))
            for line in one[name].splitlines() if line not in other[name].splitlines()]


# --- the walk ------------------------------------------------------------------------------------

def look_into_cockpit(vm: Vm, port: int) -> None:
    """To anybody who logs in the menu shows the page, and the page the memory."""
    with browser.browser(f"https://127.0.0.1:{port}/") as page:
        page.shows("#login-button", "Log in", 120)
        page.one("#login-user-input").send_keys("someone")
        page.one("#login-password-input").send_keys(PASSWORD)
        page.click("#login-button")
        page.shows("#host-apps", "Memory", 180)
        page.click("#host-apps a[href$='/memonline']")
        page.enter_frame("iframe[name='cockpit1:localhost/memonline']", 120)
        page.shows("#state", "Matches the policy", 120)
        page.shows("#now", "dimm1", 60)
        drawn = {rect.get_attribute("data-blocks"): rect.get_attribute("class") for rect in page.all("#now rect")}
        assert (drawn["40-41"], drawn["42-43"], drawn["44-47"]) == ("kernel", "movable", "movable"), drawn
        page.driver.switch_to.default_content()
        vm.keep("walk.png", page.driver.get_screenshot_as_png())


def plugged(guest: Guest, name: str) -> str:
    """What becomes of a DIMM of 512 MiB where nobody but the distribution looks after it."""
    blocks = guest.add_dimm(name, "512M")
    guest.run("udevadm settle", timeout=60)
    return zones(guest, blocks)


@on("6.12")
def test_the_readme_word_for_word(vm: Vm) -> None:
    """Installed, looked at, changed, planned, applied, seen in Cockpit, and taken away again."""
    missing = [name for name in browser.MISSING if not name.startswith("cockpit")]
    if missing:
        raise Skip(f"{', '.join(missing)}: not installed")
    told = told_to_do()
    assert told[0].command == "./dev package"  # here, and not in the guest, which has no compiler
    packages = {f"{HOME}/build/packages/{deb.name}": deb.read_bytes() for deb in built_packages(vm.build).glob("*.deb")
                if "dbgsym" not in deb.name}
    port = browser.free_port()
    layout = Layout(nodes=(Node("2G", cpus=2),), dimms=(Dimm("d0", "512M"), Dimm("d1", "512M")), below_4g="1G",
                    ports=((port, 9090),))
    with vm.system(layout, {**FILES, **packages}, PACKAGES, installed=False) as guest:
        wait_until_up(guest)
        bring_up(guest)
        guest.run(f"useradd --create-home --shell /bin/bash someone && echo someone:{PASSWORD} | chpasswd", check=True)
        before = system_state(guest)
        assert zones(guest, list(range(40, 48))) == "........"
        seen = set()
        for example in told[1:]:
            words = " ".join(example.command.split()[:2])
            seen.update((words, example.command))
            follow(guest, example)
            if example.command == "apt install cockpit":
                look_into_cockpit(vm, port)
            wanted = "NNMMMMMM" if "memonline apply" in seen else "........"
            assert zones(guest, list(range(40, 48))) == wanted, f"after `{example.command}`"
            if words == "memonline apply":
                later = guest.add_dimm("d2", "512M")
                guest.wait_for(lambda: zones(guest, later) == "MMMM", "memory that comes later is brought online")
        assert {"apt install", "apt install cockpit", "memonline cat-policy", "memonline plan", "memonline apply",
                "memonline status", "apt purge"} <= seen, seen
        left = difference(before, system_state(guest))
        kept = [line for line in left if line.startswith("+") and "/etc/memonline" in line]
        said = guest.run("journalctl --no-pager -o short-monotonic -u 'memonline*' -u dbus -u cockpit | tail -n 60").stdout
        assert left == kept, "apt purge leaves behind, or takes away\n" + "\n".join(left) + f"\n{said}"
        assert guest.read("/etc/memonline/policy.d/40-local.mempolicy") == "dimm0: 50% movable, rest normal"
        assert plugged(guest, "d3") == "....", "who decided before decides again"
