# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page for Cockpit on a real kernel: cockpit-ws, bridge and service in the guest, Chromium before it."""
import sys
from pathlib import Path

from guest import Dimm, Layout, Node
from harness import Skip, Vm, on
from hotplug_test import UPDATE_GRUB
from network import bring_up
from systemd_test import wait_until_up, zones

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bus"))
import browser  # pylint: disable=wrong-import-position

SYSTEMS = True

PACKAGES = ("cockpit-bridge", "cockpit-ws", "iproute2")
POLICY = "etc/memonline/policy.d/50-test.mempolicy"
FILES = {POLICY: "hotplugged: keep\n", "usr/sbin/update-grub": UPDATE_GRUB,
         "etc/default/grub": "GRUB_CMDLINE_LINUX=quiet\n", "boot/grub/grub.cfg": "\tlinux /vmlinuz root=/dev/vda quiet\n"}


@on("6.12")
def test_a_plan_is_applied_from_the_page(vm: Vm) -> None:
    """Real blocks go where the page says that they will; memory that comes is in the picture at once; kernel
    parameters go to the boot loader, and then only the reboot is left to do."""
    missing = [name for name in browser.MISSING if not name.startswith("cockpit")]
    if missing:
        raise Skip(f"{', '.join(missing)}: not installed")
    port = browser.free_port()
    layout = Layout(nodes=(Node("2G", cpus=2),), dimms=(Dimm("d0", "1G"),), below_4g="1G", ports=((port, 9191),))
    with vm.system(layout, FILES, PACKAGES) as guest:
        wait_until_up(guest)
        bring_up(guest)
        guest.run("systemd-run --quiet --unit=cockpit-test /usr/lib/cockpit/cockpit-ws --no-tls --port=9191"
                  " --local-session=/usr/bin/cockpit-bridge", check=True)
        guest.wait_for(lambda: guest.run("grep -q ':23E7 ' /proc/net/tcp /proc/net/tcp6").status == 0,
                       "cockpit-ws listens")
        with browser.browser(f"http://127.0.0.1:{port}/{browser.PAGE}") as page:
            page.shows("#plan-summary", "Nothing to do", 60)
            assert page.all('#now rect.offline[data-blocks="40-47"]')
            page.write("hotplugged: 75% movable, rest normal")
            page.shows("#plan-summary", "2 steps", 60)
            page.click("#apply")
            page.shows("#job-step", "seconds unless you keep them", 60)
            assert zones(guest, list(range(40, 48))) == "NNMMMMMM"
            page.click("#keep")
            page.shows("#job-title", "Done", 60)
            guest.wait_for(lambda: page.all('#now rect.movable[data-blocks="42-47"]'), "the picture has it")
            vm.keep("cockpit.png", page.driver.get_screenshot_as_png())
            guest.add_dimm("d1", "512M")
            page.shows("#now", "dimm1", 60)
            page.click("#undo")
            page.click("#undo-dialog .primary")
            page.shows("#job-title", "Undoing", 60)
            page.shows("#job-title", "Done", 60)
            assert zones(guest, list(range(40, 48))) == "........"
            guest.run(f"echo 'boot: last 50% movable, rest normal' >/{POLICY}; chmod +x /usr/sbin/update-grub", check=True)
            page.click("#reload")
            page.shows("#alerts", "A reboot is needed", 60)
            page.click("#alerts .warning button")
            page.shows("#alerts", "Kernel parameters set for the next boot", 60)
            page.shows("#alerts", "Reboot this machine")
            assert "A reboot is needed" not in page.text("#alerts") and not page.all("#alerts button")
            assert "kernelcore=" in guest.read("/boot/grub/grub.cfg")
            complaints = page.complaints()
            assert not complaints, complaints
