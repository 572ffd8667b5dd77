# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every command of README.md and the tutorial, on a machine with the packages and two offline DIMMs.

`tests/cli/documents.py machine` follows the pages in the guest, which has systemd and memory to online, and may be
changed. dpkg installs the packages that it needs; `walk_test.py` tests apt."""
from pathlib import Path

from guest import Dimm, Layout, Node
from harness import Vm, on
from systemd_test import wait_until_up, zones
from walk_test import built_packages

SYSTEMS = True

TOP = Path(__file__).resolve().parents[2]
PACKAGES = ("python3",)
DEBS = ("memonline", "libmemonline0")
# The image leaves documents out.
INSTALL = "dpkg --path-include='/usr/share/doc/memonline/*' -i /root/debs/*.deb"


@on("6.1")
def test_every_command_on_an_installed_machine(vm: Vm) -> None:
    """The script reports the commands that it ran, and where their output differs from the pages."""
    directory = built_packages(vm.build)
    files: dict[str, str | bytes] = {"root/documents.py": (TOP / "tests/cli/documents.py").read_text()}
    for name in DEBS:
        deb = next(directory.glob(f"{name}_*.deb"))
        files[f"root/debs/{deb.name}"] = deb.read_bytes()
    layout = Layout(nodes=(Node("2G", cpus=2),), dimms=(Dimm("d0", "512M"), Dimm("d1", "512M")), below_4g="1G")
    with vm.system(layout, files, PACKAGES, installed=False) as guest:
        wait_until_up(guest)
        guest.run(INSTALL, check=True, timeout=120)
        done = guest.run("cd /root && python3 documents.py machine 2>&1", timeout=600)
        assert done.status == 0, done.stdout[-6000:]
        # What the tutorial's last policy says, applied and confirmed: a quarter of each DIMM for the kernel.
        assert zones(guest, list(range(40, 48))) == "NMMMNMMM", done.stdout[-3000:]
