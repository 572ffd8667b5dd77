# SPDX-License-Identifier: LGPL-2.1-or-later
"""memonline's own Debian packages for tests: checks whether those in a directory are of this commit, and clones this
commit into a new root, where ./dev builds them as a user would."""
import re
import shutil
import subprocess
from pathlib import Path

from debian_root import Failure, Root, Skip, run

TOP = Path(__file__).resolve().parents[2]
CCACHE = "/var/cache/ccache"


def git(*words: str) -> bytes:
    """Returns the output of git in this tree; skips without a repository, because there is no commit to test."""
    # The tree may belong to another user.
    done = subprocess.run(["git", "-c", "safe.directory=*", "-C", str(TOP), *words], check=False, capture_output=True)
    if done.returncode != 0:
        raise Skip(f"no git repository to make packages of: {done.stderr.decode().strip()}")
    return done.stdout


def of_commit(directory: Path, commit: str = "HEAD") -> bool:
    """Returns whether the directory has packages of this commit, judged by their source archive."""
    for archive in directory.glob("memonline_*.orig.tar.gz"):
        prefix = archive.name.removesuffix(".orig.tar.gz").replace("_", "-")
        source = git("archive", f"--prefix={prefix}/", commit)
        packed = subprocess.run(["gzip", "-n"], input=source, check=True, capture_output=True).stdout
        return archive.read_bytes() == packed and any(directory.glob("memonline_*.deb"))
    return False


def clone(root: Root, home: str, commit: str = "HEAD") -> None:
    """Clones this commit to HOME/memonline in the root, owned by the owner of HOME."""
    place = root.path(f"{home}/memonline")
    run("git", "-c", "safe.directory=*", "clone", "-q", "--no-hardlinks", TOP, place)
    run("git", "-C", place, "checkout", "-q", "--detach", git("rev-parse", commit).decode().strip())
    root.run(f"chown -R --reference={home} {home}/memonline")


def share_ccache(root: Root, directory: Path) -> None:
    """Makes compilations in the root use ccache, with a cache on this machine that all roots share."""
    directory.mkdir(parents=True, exist_ok=True)
    run("chmod", "-R", "a+rwX", directory)  # root fills it, too
    root.path(CCACHE).mkdir(parents=True, exist_ok=True)
    root.mounts[directory] = CCACHE
    root.install("ccache")
    root.path("etc/profile.d/ccache.sh").write_text(
        f"export CCACHE_DIR={CCACHE} CCACHE_UMASK=000 CCACHE_BASEDIR=$HOME/memonline"
        " CCACHE_SLOPPINESS=locale"
        " CMAKE_CXX_COMPILER_LAUNCHER=ccache\n")


def keep(root: Root, home: str, directory: Path) -> None:
    """Copies the result of ./dev package in the root to a directory of this machine."""
    made = root.path(f"{home}/memonline/build/packages")
    if not any(made.glob("*.deb")):
        raise Failure(f"there are no packages in {made}")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for file in made.iterdir():
        shutil.copy(file, directory)


def next_version(debs: Path, directory: Path) -> None:
    """Writes the same packages to the directory as the next version."""
    for deb in debs.glob("*.deb"):
        if "dbgsym" in deb.name:
            continue
        tree = directory / "tree"
        run("dpkg-deb", "-R", deb, tree)
        control = tree / "DEBIAN/control"
        control.write_text(re.sub(r"\b(\d+\.\d+\.\d+)-1\b", r"\1-2", control.read_text()))
        run("dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, directory / deb.name)
        shutil.rmtree(tree)
