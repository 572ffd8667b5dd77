# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mounts in a namespace of the caller's own (`unshare --mount --propagation private`)."""
import ctypes
import os
import pathlib
import subprocess

AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY, MOUNT_SETATTR = -100, 0x8000, 1, 442
# What is no file of the machine, and the two directories that hold what programs leave for a while.
NOT_OF_THE_MACHINE = ("proc", "dev", "run", "tmp")


def mount(*words: object) -> None:
    """mount(8), which would note a move in a file that is no longer there."""
    subprocess.run(["mount", "--no-mtab", *map(str, words)], check=True)


def read_only(directory: pathlib.Path) -> None:
    """It and all that is mounted below it. mount(8) would need each one's other flags."""
    attributes = (ctypes.c_uint64 * 4)(MOUNT_ATTR_RDONLY, 0, 0, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(MOUNT_SETATTR, AT_FDCWD, os.fsencode(directory), AT_RECURSIVE, attributes, ctypes.sizeof(attributes)):
        error = ctypes.get_errno()
        raise OSError(error, f"{directory} cannot be made read-only: {os.strerror(error)}")


def read_only_machine() -> None:
    """All of the machine. In a chroot `/` itself is not mounted: each of its directories is, here."""
    for directory in pathlib.Path("/").iterdir():
        if directory.is_dir() and not directory.is_symlink() and directory.name not in NOT_OF_THE_MACHINE:
            mount("--rbind", directory, directory)
            read_only(directory)
