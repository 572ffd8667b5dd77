# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mounts in the caller's own mount namespace (`unshare --mount --propagation private`)."""
import ctypes
import os
import pathlib
import subprocess

AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY, MOUNT_SETATTR = -100, 0x8000, 1, 442
# Virtual file systems, and the two directories for temporary files.
NOT_OF_THE_MACHINE = ("proc", "dev", "run", "tmp")


def mount(*words: object) -> None:
    """Runs mount(8) without its table of mounts, whose file may be gone."""
    subprocess.run(["mount", "--no-mtab", *map(str, words)], check=True)


def read_only(directory: pathlib.Path) -> None:
    """Makes the directory and all mounts below it read-only. mount(8) would need the other flags of each."""
    attributes = (ctypes.c_uint64 * 4)(MOUNT_ATTR_RDONLY, 0, 0, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(MOUNT_SETATTR, AT_FDCWD, os.fsencode(directory), AT_RECURSIVE, attributes, ctypes.sizeof(attributes)):
        error = ctypes.get_errno()
        raise OSError(error, f"{directory} cannot be made read-only: {os.strerror(error)}")


def read_only_machine() -> None:
    """Makes the machine read-only, directory by directory, because in a chroot `/` is not a mount point."""
    for directory in pathlib.Path("/").iterdir():
        if directory.is_dir() and not directory.is_symlink() and directory.name not in NOT_OF_THE_MACHINE:
            mount("--rbind", directory, directory)
            read_only(directory)
