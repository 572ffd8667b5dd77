# SPDX-License-Identifier: LGPL-2.1-or-later
"""memonline's own Debian packages for tests: whether those in a directory are of this commit, and a clone of this
commit in a new root, where ./dev makes them as a user would."""
import shutil
import subprocess
from pathlib import Path

from debian_root import Failure, Root, Skip, run

TOP = Path(__file__).resolve().parents[2]
CCACHE = "/var/cache/ccache"


def git(*words: str) -> bytes:
    """What git says of this tree; without a repository there is nothing to test a commit of."""
    # The tree may belong to somebody else.
    done = subprocess.run(["git", "-c", "safe.directory=*", "-C", str(TOP), *words], check=False, capture_output=True)
    if done.returncode != 0:
        raise Skip(f"no git repository to make packages of: {done.stderr.decode().strip()}")
    return done.stdout


def of_commit(directory: Path, commit: str = "HEAD") -> bool:
    """Whether packages are there that were made of this commit: their source archive shows it."""
    for archive in directory.glob("memonline_*.orig.tar.gz"):
        prefix = archive.name.removesuffix(".orig.tar.gz").replace("_", "-")
        source = git("archive", f"--prefix={prefix}/", commit)
        packed = subprocess.run(["gzip", "-n"], input=source, check=True, capture_output=True).stdout
        return archive.read_bytes() == packed and any(directory.glob("memonline_*.deb"))
    return False


def clone(root: Root, home: str, commit: str = "HEAD") -> None:
    """This commit as a clone at HOME/memonline in there. Its owner is who owns HOME."""
    place = root.path(f"{home}/memonline")
    run("git", "-c", "safe.directory=*", "clone", "-q", "--no-hardlinks", TOP, place)
    run("git", "-C", place, "checkout", "-q", "--detach", git("rev-parse", commit).decode().strip())
    root.run(f"chown -R --reference={home} {home}/memonline")


def share_ccache(root: Root, directory: Path) -> None:
    """Compilations in there go through ccache, into a cache of this machine that all roots use."""
    directory.mkdir(parents=True, exist_ok=True)
    run("chmod", "-R", "a+rwX", directory)  # root fills it, too
    root.path(CCACHE).mkdir(parents=True, exist_ok=True)
    root.mounts[directory] = CCACHE
    root.install("ccache")
    root.path("etc/profile.d/ccache.sh").write_text(
        f"export CCACHE_DIR={CCACHE} CCACHE_UMASK=000 CCACHE_BASEDIR=$HOME/memonline"
        " CMAKE_CXX_COMPILER_LAUNCHER=ccache\n")


def keep(root: Root, home: str, directory: Path) -> None:
    """Copies what ./dev package made in there to a directory of this machine."""
    made = root.path(f"{home}/memonline/build/packages")
    if not any(made.glob("*.deb")):
        raise Failure(f"there are no packages in {made}")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for file in made.iterdir():
        shutil.copy(file, directory)
