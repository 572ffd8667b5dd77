#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Has Debian's own update-grub and kernel-install take our words, in roots made of this machine's files.

Told twice, removed, killed at every write, and with a tool that fails: the whole tree is compared
byte for byte. Only grub-probe is stood in for, because a directory has no disk. Ends with 77 where
chroot is not allowed or the tools are not installed.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional, Tuple

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))
from skip import EVERY_BIN, need, skip  # noqa: E402

Tree = Dict[str, Tuple[str, int, bytes]]
# As memonline gives it to tools.
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
POLICY = ["-e", "boot: last 60% movable, rest normal"]
WORD = b"kernelcore=508M"
VERSION = "6.1.0-1-amd64"
COMMANDS = """sh bash env sed grep gawk mawk awk cat mv cp rm ls ln chmod chown mkdir rmdir touch uname cut sort head
tail find readlink realpath basename dirname tr mktemp id date expr printf true false test [ stat which gettext
wc tac cmp uniq stty umask install dpkg mountpoint od seq sleep tee
grub-mkconfig update-grub grub-mkrelpath grub-file grub-script-check grub-editenv kernel-install
systemd-detect-virt findmnt depmod""".split()
GRUB_PROBE = """#!/bin/sh
for argument; do case $argument in --target=*) target=${argument#*=} ;; esac; done
case ${target:-} in
  device) echo /dev/vda1 ;; fs) echo ext2 ;; fs_uuid) echo 0a1b2c3d-0000-4000-8000-000000000001 ;;
  partuuid) echo 0a1b2c3d-01 ;; partmap) echo msdos ;; abstraction) ;; hints_string) ;; drive) echo '(hd0)' ;;
esac
"""


def copy(path: str, root: str) -> None:
    """Copies one file to its real place in the root; links among /usr/bin and the like stay links."""
    real = os.path.realpath(path)
    for place in {real, os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))}:
        target = root + place
        if not os.path.lexists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(real, target)


def copy_program(path: str, root: str) -> None:
    copy(path, root)
    needed = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    for library in re.findall(r"(/\S+\.so\S*)", needed):
        copy(library, root)


def make_root(root: str, host: str) -> None:
    """A usr-merged root with the tools, a kernel, and the sysfs of a captured host."""
    for directory in ("bin", "sbin", "lib", "lib64"):
        os.makedirs(f"{root}/usr/{directory}")
        os.symlink(f"usr/{directory}", f"{root}/{directory}")
    for directory in ("tmp", "dev", "etc/default", "boot/grub", "run", "var/lib"):
        os.makedirs(f"{root}/{directory}")
    os.mknod(f"{root}/dev/null", 0o20666, os.makedev(1, 3))
    for name in COMMANDS:
        path = shutil.which(name, path=EVERY_BIN)
        if path:
            copy_program(path, root)
    subprocess.run(["tar", "-C", root, "-xf", host], check=True)
    with open(f"{root}/boot/vmlinuz-{VERSION}", "wb") as file:
        file.write(b"a kernel\n")
    with open(f"{root}/etc/machine-id", "w", encoding="ascii") as file:
        file.write("0123456789abcdef0123456789abcdef\n")


def grub_root(root: str) -> None:
    shutil.copytree("/etc/grub.d", f"{root}/etc/grub.d")
    shutil.copytree("/usr/share/grub", f"{root}/usr/share/grub")
    with open(f"{root}/usr/sbin/grub-probe", "w", encoding="ascii") as file:
        file.write(GRUB_PROBE)
    os.chmod(f"{root}/usr/sbin/grub-probe", 0o755)
    os.remove(f"{root}/usr/bin/kernel-install")
    with open(f"{root}/etc/default/grub", "w", encoding="ascii") as file:
        file.write('GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_CMDLINE_LINUX="console=ttyS0"\n')
    subprocess.run(["chroot", root, "/usr/sbin/update-grub"], check=True, capture_output=True, env=ENVIRONMENT)


def kernel_install_root(root: str) -> None:
    shutil.copytree("/usr/lib/kernel", f"{root}/usr/lib/kernel", dirs_exist_ok=True)
    os.remove(f"{root}/usr/sbin/update-grub")
    for directory in ("boot/loader/entries", "etc/kernel", f"usr/lib/modules/{VERSION}"):
        os.makedirs(f"{root}/{directory}")
    shutil.move(f"{root}/boot/vmlinuz-{VERSION}", f"{root}/usr/lib/modules/{VERSION}/vmlinuz")
    for name, text in (("install.conf", "layout=bls\n"), ("cmdline", "root=/dev/vda1 ro quiet\n")):
        with open(f"{root}/etc/kernel/{name}", "w", encoding="ascii") as file:
            file.write(text)
    subprocess.run(["chroot", root, "/usr/bin/kernel-install", "add", VERSION,
                    f"/usr/lib/modules/{VERSION}/vmlinuz"], check=True, capture_output=True, env=ENVIRONMENT)


def tree_of(root: str) -> Tree:
    """Every file with its kind, mode and bytes; the captured sysfs never changes and is left out."""
    tree: Tree = {}
    for directory, names, files in os.walk(root):
        if directory == root:
            names[:] = [name for name in names if name not in ("sys", "proc", "dev", "usr")]
        for name in names + files:
            path = os.path.join(directory, name)
            mode = os.lstat(path).st_mode
            kind, data = "other", b""
            if os.path.islink(path):
                kind, data = "link", os.readlink(path).encode()
            elif os.path.isfile(path):
                kind = "file"
                with open(path, "rb") as file:
                    data = file.read()
            tree[path[len(root):]] = (kind, mode, data)
    return tree


def command_lines(tree: Tree) -> List[bytes]:
    """What the boot loader would read: grub.cfg or the entries."""
    return [data for path, (_, _, data) in sorted(tree.items())
            if path == "/boot/grub/grub.cfg" or path.endswith(".conf") and "/loader/entries/" in path]


def wait_for_orphans(root: str) -> None:
    """A tool outlives the memonline that started it: until it has ended nothing can be compared."""
    while True:
        left = False
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                left = left or os.readlink(f"/proc/{pid}/root") == root
            except OSError:
                continue
        if not left:
            return
        time.sleep(0.02)


class Scene:
    def __init__(self, program: str, root: str):
        self.program, self.root = program, root
        self.before = tree_of(root)
        self.told: Tree = {}

    def run(self, action: str, prefix: Optional[List[str]] = None) -> subprocess.CompletedProcess:
        policy = POLICY if action == "apply" else []
        done = subprocess.run((prefix or []) + [self.program, "boot", action, "--root", self.root] + policy,
                              capture_output=True, text=True, timeout=120, check=False)
        wait_for_orphans(self.root)
        return done

    def must(self, action: str) -> Tree:
        done = self.run(action)
        assert done.returncode == 0, f"boot {action}: {done.stderr}"
        return tree_of(self.root)

    def twice_and_removed(self) -> None:
        self.told = self.must("apply")
        assert any(WORD in line for line in command_lines(self.told)), "the word is not there"
        assert self.must("apply") == self.told, "the second time changed something"
        self.same(self.must("remove"), self.before, "removed")

    def same(self, tree: Tree, wanted: Tree, what: str) -> None:
        if tree != wanted:
            different = [p for p in sorted(set(tree) | set(wanted)) if tree.get(p) != wanted.get(p)]
            shown = [(p, tree.get(p), wanted.get(p)) for p in different]
            raise AssertionError(f"{what}: not as before: {shown}")

    def failing(self, tool: str) -> None:
        os.rename(self.root + tool, self.root + tool + ".real")
        with open(self.root + tool, "w", encoding="ascii") as file:
            file.write("#!/bin/sh\necho no space left >&2\nexit 1\n")
        os.chmod(self.root + tool, 0o755)
        done = self.run("apply")
        os.rename(self.root + tool + ".real", self.root + tool)
        assert done.returncode == 1 and "ML0773" in done.stderr, done.stderr
        self.same(tree_of(self.root), self.before, "after a failing tool")

    def killed(self) -> int:
        """Kills at the n-th of each call that changes something, for every n there is."""
        kills = 0
        ends = (command_lines(self.before), command_lines(self.told))
        for call in ("mkdir", "rename", "fsync", "unlink", "rmdir", "clone,clone3,vfork,fork", "wait4"):
            for action in ("apply", "remove"):
                for n in range(1, 30):
                    done = self.run(action, ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                                             "-e", f"inject={call}:signal=KILL:when={n}"])
                    if done.returncode == 0:
                        break
                    kills += 1
                    assert done.returncode in (-9, 137), f"{call} {n}: {done.returncode} {done.stderr}"
                    assert command_lines(tree_of(self.root)) in ends, f"half a change after {call} {n}"
                    tree = self.must(action)
                    if action == "apply":
                        self.same(tree, self.told, f"apply after a kill at {call} {n}")
                        self.must("remove")
                    else:
                        self.must("apply")
                if action == "apply":
                    self.must("apply")
            self.must("remove")
        self.must("apply")
        self.same(self.must("remove"), self.before, "removed after all kills")
        return kills


def devices_work_in(place: str) -> bool:
    """Whether /dev/null of a root in this directory can be opened."""
    with tempfile.TemporaryDirectory(dir=place) as directory:
        try:
            os.mknod(f"{directory}/null", 0o20666, os.makedev(1, 3))
            with open(f"{directory}/null", "wb"):
                return True
        except PermissionError:
            return False


def play(program: str, host: str, make: Callable[[str], None], tool: str) -> int:
    with tempfile.TemporaryDirectory(prefix="memonline-boot.") as directory:
        root = os.path.realpath(directory) + "/root"
        os.mkdir(root)
        make_root(root, host)
        make(root)
        scene = Scene(program, root)
        scene.twice_and_removed()
        scene.failing(tool)
        # As a package leaves it. Between making this directory and the first file in it nothing says
        # that it was us: there a kill leaves it, empty.
        os.mkdir(root + "/var/lib/memonline")
        scene = Scene(program, root)
        scene.twice_and_removed()
        return scene.killed()


def main() -> None:
    program, source = sys.argv[1:3]
    # A user's PATH lacks the directories of chroot and of the boot loaders' tools.
    os.environ["PATH"] += ":" + EVERY_BIN
    os.umask(0o022)  # what the tools' own files have on a machine
    need("boot_real_tools", **{"update-grub": "grub2-common", "grub-mkconfig": "grub-common",
                               "kernel-install": "systemd", "strace": "strace", "xz": "xz-utils"})
    if subprocess.run(["chroot", "/", "true"], capture_output=True, check=False).returncode != 0:
        skip("boot_real_tools", "the tools run in a chroot, which needs root")
    tempfile.tempdir = next(filter(devices_work_in, (tempfile.gettempdir(), "/var/tmp")), None)
    if not tempfile.tempdir:
        skip("boot_real_tools", "the tools need /dev/null, and no device works in /var/tmp")
    host = os.path.join(source, "tests/hosts/6.12-a1.tar.xz")
    for make, tool in ((grub_root, "/usr/sbin/update-grub"), (kernel_install_root, "/usr/bin/kernel-install")):
        kills = play(program, host, make, tool)
        print(f"{tool}: told twice, removed, failed, killed {kills} times")


if __name__ == "__main__":
    main()
