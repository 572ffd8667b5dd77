# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: setting_users_test.py MEMONLINED SOURCE: who relies on auto_online_blocks is read correctly from the trees of
hosts (tests/field/hosts), and a simulated service holds the setting accordingly."""
import shutil
import subprocess
import sys

from world import Client, World, run

NVIDIA = "NVIDIA's driver fails to initialize the GPU"
SHARES = "hotplugged: first 25% normal, rest movable\n"


def tree(w: World, name: str) -> str:
    """The directory of a host of tests/field/hosts."""
    directory = w.directory / name
    shutil.rmtree(directory, ignore_errors=True)
    subprocess.run([sys.executable, str(w.source / "tests/field/host"), name, str(directory)], check=True)
    return str(directory)


def holds(w: World, host: str, policy: str, by: str, setting: str, because: str = "") -> None:
    """Which mechanism the service uses, what it sets, and why."""
    w.start(tree(w, host), policy=policy)
    client = Client(w)
    client.settled()
    why = str(client.get("HotplugWhy"))
    assert client.get("HotplugBy") == by, (host, policy, client.get("HotplugBy"), why)
    assert dict(client.get("Switches")).get("auto_online_blocks", "") == setting, (host, policy, client.get("Switches"))
    assert because in why, (host, policy, why)
    assert w.stop() == 0
    w.daemon = None


def nvidia(w: World) -> None:
    """Memory of NVIDIA's driver, or a GPU alone: nothing but online_movable."""
    for host in ("grace", "grace_before"):
        gpu = "driver NVIDIA: keep\n"
        holds(w, host, gpu + "hotplugged: movable\n", "kernel", "online_movable")
        holds(w, host, gpu + "hotplugged: auto\n", "kernel", "online_movable", "NVIDIA's driver needs it")
        holds(w, host, gpu + SHARES, "corrected", "online_movable", NVIDIA)
        holds(w, host, "set hotplug = service\n" + gpu + "hotplugged: movable\n", "corrected", "online_movable", NVIDIA)
        holds(w, host, "driver NVIDIA: keep\n", "kernel", "")


def dlpar(w: World) -> None:
    """DLPAR onlines by itself: `offline` is the service's to bring about, and whole targets are the kernel's."""
    holds(w, "dlpar", "hotplugged: movable\n", "kernel", "online_movable")
    holds(w, "dlpar", "hotplugged: normal\n", "kernel", "online_kernel")
    holds(w, "dlpar", "hotplugged: offline\n", "corrected", "online_movable", "does not keep DLPAR's memory offline")
    holds(w, "dlpar", "node1: movable\n", "corrected", "online_movable", "(`online`)")


def nobody_relies_on_it(w: World) -> None:
    """Elsewhere the service has it."""
    holds(w, "cxl_card", "hotplugged except dax: 25% normal, rest movable\ndax: keep\n", "service", "offline")


if __name__ == "__main__":
    sys.exit(run([nvidia, dlpar, nobody_relies_on_it]))
