# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: ansible_module.py MEMONLINE SOURCE: the Ansible module on a captured host in a directory, with a boot
loader whose tool runs there; and the collection built, installed and explained. tests/vm/ansible_test.py plays it
to real kernels. Needs root, for the tool's chroot, and ansible-core."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))
from skip import EVERY_BIN, need, skip  # noqa: E402

# Ansible's own way is a zip of module and libraries with the arguments in it; this is what it ends in.
CALL = """
import importlib.util, sys
from ansible.module_utils import basic
basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = sys.argv[3].encode(), "legacy"
spec = importlib.util.spec_from_file_location("memonline_module", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.DIRECTORY = sys.argv[2]
module.main()
"""
# As update-grub does it: the words of the default file and of its drop-ins.
UPDATE_GRUB = """#!/bin/busybox sh
. /etc/default/grub
for file in /etc/default/grub.d/*.cfg; do [ ! -e "$file" ] || . "$file"; done
echo "linux /vmlinuz $GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT" >/boot/grub/grub.cfg
"""
SPLIT = "boot: last 60% movable, rest normal\n"
DROP_IN = "etc/default/grub.d/60-memonline.cfg"
NAME = "50-ansible.mempolicy"


class Tree:
    """A captured host with a boot loader, and the module that takes it for its own."""

    def __init__(self, directory: Path, memonline: Path, source: Path) -> None:
        self.root, self.source = directory / "root", source
        self.policies = self.root / "etc/memonline/policy.d"
        self.root.mkdir()
        subprocess.run(["tar", "-C", self.root, "-xf", source / "tests/hosts/6.12-a1.tar.xz", "--no-same-owner"], check=True)
        for name in ("bin", "usr/sbin", "boot/grub", "etc/default/grub.d"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(shutil.which("busybox") or "busybox", self.root / "bin/busybox")
        tool = self.root / "usr/sbin/update-grub"
        tool.write_text(UPDATE_GRUB)
        tool.chmod(0o755)
        (self.root / "etc/default/grub").write_text('GRUB_CMDLINE_LINUX="quiet"\n')
        tools = directory / "tools"
        tools.mkdir()
        # No service of this machine hears of it.
        (tools / "systemctl").symlink_to(shutil.which("true") or "/bin/true")
        self.environment = {**os.environ, "MEMONLINE_ROOT": str(self.root), "LC_ALL": "C.UTF-8", "HOME": str(directory),
                            "PATH": f"{tools}:{memonline.parent}:{os.environ['PATH']}"}

    def play(self, check: bool = False, **arguments: object) -> dict:
        """The module's answer."""
        words = json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, "_ansible_check_mode": check, "_ansible_diff": True}})
        module = self.source / "policies/ansible/plugins/modules/memonline.py"
        done = subprocess.run(["/usr/bin/python3", "-B", "-c", CALL, module, self.policies, words], text=True, check=False,
                              capture_output=True, env=self.environment)
        try:
            return json.loads(done.stdout)
        except ValueError as error:
            raise AssertionError((done.stdout, done.stderr)) from error

    def policy(self) -> str | None:
        """What is in place."""
        path = self.policies / NAME
        return path.read_text() if path.exists() else None


def parameters(answer: dict) -> tuple[str, str]:
    """Before and after, of the diff."""
    [part] = [part for part in answer["diff"] if part["before_header"] == "kernel parameters"]
    return part["before"], part["after"]


def the_boot_loader_is_told(tree: Tree) -> None:
    """Check mode says what will be; then it is so; then nothing is to do."""
    for _ in range(2):  # the first look leaves nothing behind that the second would see
        answer = tree.play(check=True, policy=SPLIT, boot_parameters=True, apply=False)
        assert answer["changed"] and answer["boot"]["words"] == ["kernelcore=508M"], answer
        assert parameters(answer) == ("", "kernelcore=508M\n"), answer
        assert tree.policy() is None and not (tree.root / DROP_IN).exists()
    answer = tree.play(policy=SPLIT, boot_parameters=True, apply=False)
    assert answer["changed"] and "Reboot for this to take effect" in answer["boot_report"], answer
    assert "kernelcore=508M" in (tree.root / "boot/grub/grub.cfg").read_text() and tree.policy() == SPLIT
    for check in (True, False):
        answer = tree.play(check=check, policy=SPLIT, boot_parameters=True, apply=False)
        assert not answer["changed"] and answer["reboot_required"] and "boot_report" not in answer, answer

    # The policy is the same, and the boot loader alone is not.
    subprocess.run(["memonline", "boot", "remove"], check=True, env=tree.environment, stdout=subprocess.DEVNULL)
    assert not tree.play(policy=SPLIT, apply=False)["changed"]
    for check in (True, False):
        answer = tree.play(check=check, policy=SPLIT, boot_parameters=True, apply=False)
        assert answer["changed"] and parameters(answer) == ("", "kernelcore=508M\n"), answer
    assert "kernelcore=508M" in (tree.root / "boot/grub/grub.cfg").read_text()

    # Another policy needs nothing there: by its own words, not by those in force.
    for check in (True, False):
        answer = tree.play(check=check, policy="boot: keep\n", boot_parameters=True, apply=False)
        assert answer["changed"] and parameters(answer) == ("kernelcore=508M\n", ""), answer
        assert ("kernelcore=508M" in (tree.root / "boot/grub/grub.cfg").read_text()) == check
    assert not tree.play(policy="boot: keep\n", boot_parameters=True, apply=False)["changed"]


def no_boot_loader_fails_in_check_mode_too(tree: Tree) -> None:
    """And before anything is put in place."""
    (tree.root / "usr/sbin/update-grub").rename(tree.root / "away")
    before = tree.policy()
    for check in (True, False):
        answer = tree.play(check=check, policy=SPLIT, boot_parameters=True, apply=False)
        assert answer["failed"] and not answer["changed"] and "`kernelcore=508M`" in answer["msg"], answer
        assert tree.policy() == before
    (tree.root / "away").rename(tree.root / "usr/sbin/update-grub")


def what_was_done_counts_where_the_rest_fails(tree: Tree) -> None:
    """Nothing brings the blocks of a directory online, nor makes a boot loader of a tool that fails."""
    answer = tree.play(policy="hotplugged: movable\n")
    assert answer["failed"] and answer["changed"], answer
    assert tree.policy() == "hotplugged: movable\n"
    answer = tree.play(policy="hotplugged: movable\n")
    assert answer["failed"] and not answer["changed"], answer
    (tree.root / "usr/sbin/update-grub").write_text("#!/bin/busybox sh\nexit 3\n")
    answer = tree.play(policy=SPLIT, boot_parameters=True, apply=False)
    assert answer["failed"] and answer["changed"] and "failed with exit status 3" in answer["msg"], answer
    assert tree.policy() == SPLIT


def what_a_policy_hides_comes_back(tree: Tree) -> None:
    """A file of that name from a package is in force where ours is not; an empty one of ours masks it."""
    package = tree.root / "usr/lib/memonline/policy.d" / NAME
    package.parent.mkdir(parents=True)
    package.write_text("hotplugged: normal\n")
    targets = {"absent": "online_kernel", "present": "online_movable"}
    tree.play(policy="hotplugged: keep\n", apply=False)
    for state, word in targets.items():
        more = {"policy": "hotplugged: movable\n"} if state == "present" else {}
        for check in (True, False):
            answer = tree.play(check=check, state=state, apply=False, **more)
            written = [step["state"] for step in answer["steps"] if "state" in step]
            assert answer["changed"] and set(written) == {word}, answer
        assert (tree.policy() is None) == (state == "absent")
    (tree.policies / NAME).write_text("")
    assert tree.play(apply=False)["steps"] == []
    answer = tree.play(state="absent", apply=False)
    assert answer["changed"] and {step["state"] for step in answer["steps"] if "state" in step} == {"online_kernel"}, answer


def the_collection_is_built(directory: Path, source: Path) -> None:
    """As its README says, without a network; Ansible explains the module from it."""
    environment = {**os.environ, "HOME": str(directory), "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1",
                   "ANSIBLE_COLLECTIONS_PATH": str(directory / "collections")}

    def run(*command: object) -> str:
        done = subprocess.run(list(map(str, command)), text=True, capture_output=True, check=False, cwd=directory,
                              env=environment)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    run("ansible-galaxy", "collection", "build", source / "policies/ansible", "--output-path", directory)
    [archive] = directory.glob("memonline-memonline-*.tar.gz")
    names = subprocess.run(["tar", "-tf", archive], text=True, capture_output=True, check=True).stdout.split()
    for name in ("plugins/modules/memonline.py", "roles/memonline/tasks/main.yml", "README.md", "MANIFEST.json"):
        assert name in names, names
    run("ansible-galaxy", "collection", "install", "--offline", archive, "-p", directory / "collections")
    shown = run("ansible-doc", "-t", "module", "memonline.memonline.memonline")
    assert "boot_parameters" in shown and "Installs a policy in" in shown, shown


def main() -> int:
    """All of them, on one tree."""
    memonline, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    if subprocess.run(["/usr/bin/python3", "-c", "import ansible"], check=False, capture_output=True).returncode != 0:
        skip("ansible_module", "not installed: ansible (ansible-core)")
    os.environ["PATH"] += ":" + EVERY_BIN  # a user's lacks the directory of chroot
    need("ansible_module", busybox="busybox-static", xz="xz-utils", **{"ansible-galaxy": "ansible-core"})
    if os.geteuid() != 0 or subprocess.run(["chroot", "/", "true"], check=False, capture_output=True).returncode != 0:
        skip("ansible_module", "a boot loader's tool runs in a chroot, which needs root")
    for test in (the_boot_loader_is_told, no_boot_loader_fails_in_check_mode_too,
                 what_was_done_counts_where_the_rest_fails, what_a_policy_hides_comes_back):
        with tempfile.TemporaryDirectory() as directory:
            test(Tree(Path(directory), memonline, source))
        print(f"ok  {test.__name__}")
    with tempfile.TemporaryDirectory() as directory:
        the_collection_is_built(Path(directory), source)
    return 0


if __name__ == "__main__":
    sys.exit(main())
