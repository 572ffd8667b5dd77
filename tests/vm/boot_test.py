# SPDX-License-Identifier: LGPL-2.1-or-later
"""The harness itself: guests boot, run memonline, and get hardware."""
from collections.abc import Callable

from guest import Dimm, Guest, GuestError, Layout, Panicked, VirtioMem
from harness import Vm, on


def test_plans_on_a_real_kernel(vm: Vm) -> None:
    """The kernel is the one named, and memonline plans for it."""
    with vm.guest(Layout(dimms=(Dimm("d0", "512M"),))) as guest:
        assert guest.read("/proc/sys/kernel/osrelease").startswith(vm.kernel.name + ".")
        plan = guest.run("memonline plan -e 'hotplugged: rest movable'", check=True)
        assert "node0: 12 blocks" in plan.stdout, plan.stdout


def test_memory_comes_and_goes(vm: Vm) -> None:
    """A DIMM and virtio-mem, told to the kernel to stay offline."""
    with vm.guest(Layout(virtio_mem=(VirtioMem("v0", "1G", 0),))) as guest:
        blocks = guest.add_dimm("d0", "256M")
        assert [guest.blocks()[block] for block in blocks] == [("offline", "Normal Movable")] * 2
        guest.remove_dimm("d0")
        assert not set(blocks) & set(guest.block_ids())
        guest.request_virtio_mem("v0", "256M")
        guest.wait_for(lambda: len(guest.block_ids()) > 8, "virtio-mem plugs nothing")


def test_newer_kernels_online_added_memory_by_themselves(vm: Vm) -> None:
    """Debian's 6.12 and 7.2 do unless told otherwise; 5.10 and 6.1 do not."""
    with vm.guest(Layout(arguments="")) as guest:
        alone = vm.kernel.name in ("6.12", "7.2")
        assert guest.read("/sys/devices/system/memory/auto_online_blocks") == ("online" if alone else "offline")
        blocks = guest.add_dimm("d0", "256M")
        expected = ("online", "Normal") if alone else ("offline", "Normal Movable")
        guest.wait_for(lambda: all(guest.blocks()[block] == expected for block in blocks), str(expected))


def test_large_answers_and_files_pass(vm: Vm) -> None:
    """What goes through the command channel arrives as it was."""
    content = bytes(range(256)) * 100
    with vm.guest() as guest:
        guest.put("/tmp/file", content)
        assert guest.get("/tmp/file") == content
        failed = guest.run("echo out; echo err >&2; exit 7")
        assert (failed.status, failed.stdout, failed.stderr) == (7, "out\n", "err\n")


def refused(ask: Callable[[Guest], object], guest: Guest) -> str:
    """Why a guest that is gone does not answer."""
    try:
        ask(guest)
    except GuestError as error:
        return f"{type(error).__name__}: {error}"
    raise AssertionError("it answered")


@on("6.12")
def test_a_panic_is_told(vm: Vm) -> None:
    """And as the same again by everything that is asked of the guest after it, by either line."""
    with vm.guest() as guest:
        told = refused(lambda guest: guest.run("echo c >/proc/sysrq-trigger"), guest)
        assert told == f"{Panicked.__name__}: the guest's kernel panicked: sysrq triggered crash", told
        guest.wait_for(guest.ended, "QEMU to end")
        for ask in (lambda guest: guest.run("true"), Guest.memory_devices, Guest.block_ids):
            assert refused(ask, guest) == told


@on("6.1-generic")
def test_the_generic_kernel_fails_on_demand(vm: Vm) -> None:
    """Its notifier-error-inject makes onlining fail, for the tests of faults."""
    with vm.guest(Layout(dimms=(Dimm("d0", "256M"),))) as guest:
        guest.run("insmod /modules/notifier-error-inject.ko && insmod /modules/memory-notifier-error-inject.ko",
                  check=True)
        guest.run("echo -12 >/sys/kernel/debug/notifier-error-inject/memory/actions/MEM_GOING_ONLINE/error",
                  check=True)
        failed = guest.run("echo online >/sys/devices/system/memory/memory40/state")
        assert "Cannot allocate memory" in failed.stderr, failed.stderr
        assert guest.blocks()[40] == ("offline", "Normal Movable")
