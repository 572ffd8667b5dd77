# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Debian package is installed and upgraded in a running system: that applies nothing to the host."""
import sys
import tempfile
from pathlib import Path

from guest import Dimm, Guest, Layout, Node
from harness import Skip, Vm, on
from hotplug_test import POLICY, expect, share, wait_for_service
from reports import MEMORY
from system_image import suite
from systemd_test import EACH_DIMM, zones

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))
import own_packages  # noqa: E402

SYSTEMS = True
BLOCKS = list(range(40, 48))


def package(directory: Path) -> bytes:
    """memonline's own package among those of a directory."""
    return next(directory.glob("memonline_*.deb")).read_bytes()


def install(guest: Guest, name: str) -> None:
    """Installs one, as apt would."""
    guest.run(f"DEBIAN_FRONTEND=noninteractive dpkg -i /var/cache/{name}.deb", check=True, timeout=240)


@on("6.12")
def test_leaves_what_is_offline(vm: Vm) -> None:
    packages = vm.build / "packages" / suite()
    if not own_packages.of_commit(packages):
        raise Skip(f"no packages of this commit in {packages}: tests/fresh/run makes them")
    layout = Layout(nodes=(Node("2G", cpus=2),), dimms=(Dimm("d0", "1G"),), below_4g="1G")
    with tempfile.TemporaryDirectory() as scratch:
        own_packages.next_version(packages, Path(scratch))
        files = {**EACH_DIMM, "var/cache/old.deb": package(packages), "var/cache/new.deb": package(Path(scratch))}
    with vm.system(layout, files, installed=False) as guest:
        install(guest, "old")
        wait_for_service(guest)
        expect(guest, BLOCKS, share(8))
        # Somebody empties two blocks for an unplug.
        guest.run(f"echo offline >{MEMORY}/memory46/state; echo offline >{MEMORY}/memory47/state", check=True)
        guest.wait_for(lambda: "46" in guest.read("/run/memonline/left-alone"), "the service to hear of it")
        install(guest, "new")
        assert guest.run("dpkg-query -W -f '${Version}' memonline").stdout.split("~")[0].endswith("-2")
        wait_for_service(guest)
        assert zones(guest, BLOCKS) == share(8)[:6] + "..", guest.run("journalctl -u memonlined").stdout
        assert guest.run("systemctl is-active memonline-apply.service").stdout == "inactive\n"
        # Nor does the unit of the boot, if somebody starts it now.
        guest.run("systemctl start memonline-apply.service", check=True, timeout=120)
        assert zones(guest, BLOCKS) == share(8)[:6] + "..", guest.run("journalctl -u memonline-apply").stdout
        assert guest.read(f"/{POLICY}") == EACH_DIMM[POLICY].strip()
