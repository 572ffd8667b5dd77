# SPDX-License-Identifier: LGPL-2.1-or-later
"""The harness without a guest: what needs no kernel is tested with the unit tests (ctest -R vm_harness)."""
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from importlib.machinery import SourceFileLoader
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))

import architectures  # noqa: E402
import cross_build  # noqa: E402
import emulators  # noqa: E402
import kernels  # noqa: E402
from guest import CHUNK  # noqa: E402
from hardware import PC, Dimm, Layout, Node, qemu_arguments, size_of  # noqa: E402
from initramfs import Tree, missing_parts  # noqa: E402
from layouts import CASES  # noqa: E402
from layouts_test import differences, predicted  # noqa: E402
from skip import skip_part  # noqa: E402


def runner():
    """tests/vm/run, a program without .py, as a module."""
    loader = SourceFileLoader("vm_run", str(Path(__file__).resolve().parent / "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("vm_run", loader))
    loader.exec_module(module)
    return module


class OnceMore(unittest.TestCase):
    """A failed test gets one more try, alone; what fails again has failed."""

    def failed_and_unstable(self, *outcomes: str) -> tuple[int, int]:
        run = runner()
        tries = iter(outcomes)
        with mock.patch.object(run, "run_one", lambda *_: (next(tries), "")), mock.patch("builtins.print"):
            return run.once_more([("name", None, None)] * len(outcomes), Path("."))

    def test_what_fails_twice_has_failed(self) -> None:
        self.assertEqual(self.failed_and_unstable("failed"), (1, 0))
        self.assertEqual(self.failed_and_unstable("passed", "failed"), (1, 1))

    def test_what_passes_then_is_unstable(self) -> None:
        self.assertEqual(self.failed_and_unstable("passed", "passed"), (0, 2))
        self.assertEqual(self.failed_and_unstable(), (0, 0))

    def test_beyond_three_nothing_is_tried_again(self) -> None:
        self.assertEqual(self.failed_and_unstable(*["passed"] * 5), (2, 3))


class Smoke(unittest.TestCase):
    """--smoke takes a handful of tests that there are."""

    def test_they_are_there(self) -> None:
        run = runner()
        self.assertLessEqual(set(run.SMOKE), set(run.discover(systems=False)))
        self.assertIn(len(run.SMOKE), range(5, 9))
        self.assertLessEqual(set(run.SMOKE_KERNELS), set(kernels.KERNELS))

    def test_the_first_kernel_that_can_be_had_is_enough(self) -> None:
        run = runner()
        asked: list[str] = []

        def kernel(name: str) -> str:
            asked.append(name)
            if name == "6.1":
                raise run.Unavailable("no network")
            return name

        with mock.patch.object(run, "kernel", kernel), mock.patch("builtins.print"):
            self.assertEqual(run.smoke_kernel(["6.1", "6.12", "7.2"]), {"6.12": "6.12"})
            self.assertEqual(run.smoke_kernel(["6.1"]), {})
        self.assertEqual(asked, ["6.1", "6.12", "6.1"])


class Parts(unittest.TestCase):
    """A build directory that lacks what guests need is refused, with one line."""

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.build = Path(scratch.name)
        for part in missing_parts(self.build):
            (self.build / part).parent.mkdir(exist_ok=True)
            (self.build / part).write_bytes(Path("/bin/true").read_bytes())
            (self.build / part).chmod(0o755)

    def test_a_whole_one_lacks_nothing(self) -> None:
        self.assertIsNone(runner().unfit(self.build))

    def test_what_is_missing_is_named(self) -> None:
        (self.build / "guest/agent").unlink()
        self.assertEqual(missing_parts(self.build), ["guest/agent"])
        self.assertEqual(runner().unfit(self.build), f"{self.build} lacks guest/agent: run `./dev build` first")

    def test_nothing_built_is_one_line(self) -> None:
        said = runner().unfit(self.build / "nowhere")
        self.assertRegex(said, r"^\S+/nowhere lacks bin/memonline, guest/agent, guest/\w+ and \d+ more: run `./dev build` first$")

    def test_a_library_that_is_gone_is_named(self) -> None:
        gone = mock.Mock(stdout="\tlinux-vdso.so.1 (0x0)\n\tlibfmt.so.9 => not found\n\tlibc.so.6 => /lib/libc.so.6 (0x0)\n")
        with mock.patch("subprocess.run", return_value=gone):
            self.assertEqual(missing_parts(self.build), ["libfmt.so.9"])


class Predictions(unittest.TestCase):
    """What a plan's JSON says of blocks, and what differs from it."""

    before = {0: ("online", "DMA32"), 8: ("offline", "Normal Movable"), 9: ("offline", "Normal Movable")}
    steps = [{"action": "online", "blocks": [9, 8], "zone": "Movable"}, {"action": "set", "knob": "x"}]

    def test_a_block_in_the_wrong_zone_is_found(self) -> None:
        real = {**self.before, 8: ("online", "Normal"), 9: ("online", "Movable")}
        wrong = differences(predicted(self.before, self.steps), real)
        self.assertEqual(wrong, ["memory8: predicted ('online', 'Movable'), the kernel says ('online', 'Normal')"])

    def test_blocks_in_no_step_must_stay(self) -> None:
        after = predicted(self.before, self.steps)
        self.assertEqual(differences(after, after), [])
        self.assertEqual(len(differences(after, {**after, 0: ("online", "Normal")})), 1)
        self.assertEqual(len(differences(after, {**after, 10: ("offline", "Normal Movable")})), 1)
        self.assertEqual(len(differences(after, {0: after[0], 8: after[8]})), 1)

    def test_where_offline_blocks_could_go_does_not_matter(self) -> None:
        after = predicted(self.before, [{"action": "offline", "blocks": [0, 0]}])
        self.assertEqual(differences(after, {**self.before, 0: ("offline", "DMA32 Movable")}), [])


class Hardware(unittest.TestCase):
    """Layouts become QEMU's arguments."""

    def test_sizes(self) -> None:
        self.assertEqual([size_of("128M"), size_of("4G"), size_of(5)], [128 << 20, 4 << 30, 5])

    def test_nodes_without_cpus_or_memory(self) -> None:
        arguments = qemu_arguments(Layout(nodes=(Node("1G"), Node("512M", cpus=0), Node(0)),
                                          dimms=(Dimm("d0", "1G", 2),)))
        self.assertIn("node,nodeid=0,cpus=0-0,memdev=ram0", arguments)
        self.assertIn("node,nodeid=1,memdev=ram1", arguments)
        self.assertIn("node,nodeid=2,cpus=1-1", arguments)
        self.assertIn("pc-dimm,id=d0,memdev=mem-d0,node=2", arguments)
        self.assertIn("1536M,slots=128,maxmem=512G", arguments)
        self.assertNotIn("-drive", arguments)

    def test_a_disk_becomes_words_of_its_own(self) -> None:
        arguments = qemu_arguments(Layout(disk=Path("/tmp/disk")))
        self.assertIn("if=none,id=disk,format=raw,cache=unsafe,file=/tmp/disk", arguments)
        self.assertIn("nvme,drive=disk,serial=disk", arguments)

    def test_there_are_layouts_enough(self) -> None:
        self.assertGreaterEqual(len(CASES), 12)


class Machines(unittest.TestCase):
    """Machines of other architectures: their words for QEMU, their kernels, their tests."""

    def test_each_has_its_program_and_its_memory(self) -> None:
        with mock.patch.object(emulators, "emulators", lambda: Path("/cache")):
            for name, one in architectures.ARCHITECTURES.items():
                machine = architectures.machine(name)
                self.assertIn(machine.qemu[3].removeprefix("/cache/usr/bin/"), emulators.PROGRAMS)
                arguments = machine.arguments(Layout(nodes=(Node(one.boot_memory),), slots=4, maxmem="8G"))
                self.assertIn(f"{size_of(one.boot_memory) >> 20}M", arguments[arguments.index("-m") + 1])
                self.assertEqual(arguments[arguments.index("-accel") + 1], "tcg")
                self.assertEqual({name}, {architectures.of_kernel(kernel) for kernel in (*one.kernels, *one.ignoring)})
        self.assertIs(architectures.machine_for("6.12"), PC)

    def test_their_kernels_are_of_their_architecture(self) -> None:
        wanted = {kernel for one in architectures.ARCHITECTURES.values() for kernel in (*one.kernels, *one.ignoring)}
        self.assertEqual(wanted, set(kernels.ARCHITECTURE_KERNELS))
        self.assertEqual(kernels.ARCHITECTURE_KERNELS["7.2-loong64"].packages(), "linux-image-loong64:loong64")
        self.assertEqual(kernels.ARCHITECTURE_KERNELS["7.3-cxl"].packages(), "linux-image-amd64")

    def test_their_tests_run_only_when_asked_for(self) -> None:
        run = runner()
        machines = run.discover(systems=None, machines=True)
        self.assertTrue(any(name.startswith("cxl.") for name in machines))
        self.assertFalse(set(machines) & set(run.discover(systems=None)))

    def test_the_agent_of_shells_speaks_the_protocol(self) -> None:
        if not shutil.which("busybox"):
            skip_part("vm_harness", "the agent as a script: not installed: busybox (busybox-static)")
            return
        ours, theirs = os.openpty()
        script = Path(__file__).resolve().parent / "guest/agent.sh"
        with tempfile.TemporaryDirectory() as scratch, subprocess.Popen(
                ["busybox", "sh", script, os.ttyname(theirs), scratch], start_new_session=True) as agent:
            self.assertEqual(os.read(ours, 6), b"ready\n")
            command, text = b"cat; echo to errors >&2; exit 3", bytes(range(256)) * 20
            os.write(ours, f"{len(command)} {len(text)}\n".encode() + command)
            self.assertEqual(os.read(ours, 1), b"+")
            for start in range(0, len(text), CHUNK):
                os.write(ours, text[start:start + CHUNK])
                self.assertEqual(os.read(ours, 1), b"+")
            answer = f"{3 << 8} {len(text)} 10\n".encode() + text + b"to errors\n"
            received = b""
            while len(received) < len(answer):
                received += os.read(ours, 4096)
            agent.kill()
        os.close(ours)
        os.close(theirs)
        self.assertEqual(received, answer)


class CrossBuild(unittest.TestCase):
    """memonline for other architectures."""

    def test_they_have_machines(self) -> None:
        self.assertLessEqual({*cross_build.TRIPLETS}, {*architectures.ARCHITECTURES})

    def test_without_root_it_says_why(self) -> None:
        with (tempfile.TemporaryDirectory() as cache, mock.patch.dict(os.environ, {"MEMONLINE_VM_CACHE": cache}),
              mock.patch.object(os, "geteuid", lambda: 1000)):
            with self.assertRaisesRegex(kernels.Unavailable, "needs root"):
                cross_build.memonline("arm64")

    def test_what_was_built_is_used_without_root(self) -> None:
        with (tempfile.TemporaryDirectory() as cache, mock.patch.dict(os.environ, {"MEMONLINE_VM_CACHE": cache}),
              mock.patch.object(os, "geteuid", lambda: 1000), mock.patch.object(cross_build, "_digest", lambda _: "1")):
            program = kernels.cache_dir().parent / "cross/arm64-1/bin/memonline"
            program.parent.mkdir(parents=True)
            program.touch()
            self.assertEqual(cross_build.memonline("arm64"), {"bin/memonline": program})


class Initramfs(unittest.TestCase):
    """The archive is one that cpio reads."""

    def test_cpio_lists_it(self) -> None:
        tree = Tree({"bin/tool": (b"content", 0o755), "init": (b"#!", 0o755)}, {"bin/sh": "tool"})
        archive = tree.cpio()
        self.assertTrue(archive.startswith(b"070701"))
        self.assertIn(b"TRAILER!!!", archive[-20:])
        self.assertEqual(len(archive) % 4, 0)
        if not shutil.which("busybox"):
            skip_part("vm_harness", "cpio lists the archive: not installed: busybox (busybox-static)")
            return
        listed = subprocess.run(["busybox", "cpio", "-t"], input=archive, capture_output=True, check=False)
        if listed.returncode == 0:
            self.assertLessEqual({b"init", b"bin", b"bin/tool", b"bin/sh", b"dev/console"},
                                 set(listed.stdout.splitlines()))

    def test_the_digest_knows_content_and_links(self) -> None:
        trees = [Tree({"a": (b"1", 0o644)}), Tree({"a": (b"2", 0o644)}), Tree({"a": (b"1", 0o755)}),
                 Tree({"a": (b"1", 0o644)}, {"b": "a"})]
        self.assertEqual(len({tree.digest() for tree in trees}), len(trees))


class Cache(unittest.TestCase):
    """Kernels that are cached are used, whatever the network does."""

    def setUp(self) -> None:
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        environment = mock.patch.dict(os.environ, {"MEMONLINE_VM_CACHE": self.scratch.name})
        environment.start()
        self.addCleanup(environment.stop)
        self.cached = kernels.cache_dir() / "6.12" / "kernel.json"

    def fill(self, age_days: float) -> None:
        self.cached.parent.mkdir(parents=True)
        source = kernels.KERNELS["6.12"]
        self.cached.write_text(json.dumps({"packages": ["linux-image-6.12.1-cloud-amd64=1"],
                                           "modules": [*source.modules, *source.network]}))
        when = self.cached.stat().st_mtime - age_days * 86400
        os.utime(self.cached, (when, when))

    def test_a_young_one_asks_nobody(self) -> None:
        self.fill(1)
        with mock.patch.object(kernels, "Apt", side_effect=AssertionError("asked")):
            self.assertEqual(kernels.kernel("6.12").packages, ("linux-image-6.12.1-cloud-amd64=1",))

    def test_an_old_one_is_used_when_the_mirror_is_silent(self) -> None:
        self.fill(20)
        with mock.patch.object(kernels, "Apt", side_effect=kernels.Unavailable("no network")) as apt:
            kernels.kernel("6.12")
            kernels.kernel("6.12")
        self.assertEqual(apt.call_count, 1, "a silent mirror is left alone for a while")

    def test_an_old_one_that_is_still_the_newest_stays(self) -> None:
        self.fill(20)
        with mock.patch.object(kernels, "Apt") as apt:
            apt.return_value.kernel_packages.return_value = ["linux-image-6.12.1-cloud-amd64=1"]
            kernels.kernel("6.12")
            apt.return_value.fetch.assert_not_called()
            kernels.kernel("6.12")
        self.assertEqual(apt.call_count, 1)

    def test_one_with_other_modules_is_filled_anew(self) -> None:
        self.fill(1)
        self.cached.write_text('{"packages": ["linux-image-6.12.1-cloud-amd64=1"], "modules": ["virtio"]}')
        with mock.patch.object(kernels, "Apt") as apt:
            apt.return_value.kernel_packages.return_value = ["linux-image-6.12.1-cloud-amd64=1"]
            kernels.kernel("6.12")
            apt.return_value.fetch.assert_called_once()
            kernels.kernel("6.12")
        self.assertEqual(apt.call_count, 1)

    def test_a_missing_one_says_why(self) -> None:
        with mock.patch.object(kernels, "Apt", side_effect=kernels.Unavailable("no network")):
            with self.assertRaisesRegex(kernels.Unavailable, "no network"):
                kernels.kernel("6.12")

    def test_a_suite_that_moved_on_is_not_taken_for_the_old_one(self) -> None:
        with mock.patch.object(kernels, "Apt") as apt:
            apt.return_value.kernel_packages.return_value = ["linux-image-7.3.1-cloud-amd64=1"]
            with self.assertRaisesRegex(kernels.Unavailable, "sid now carries linux-image-7.3.1"):
                kernels.kernel("7.2")


if __name__ == "__main__":
    unittest.main()
