# SPDX-License-Identifier: LGPL-2.1-or-later
"""memonline for guests of other architectures: cross-built in a Debian 12 root with the libraries of both architectures.

mmdebstrap makes the root once; nothing is installed on this machine. The root is in ~/.cache/memonline/cross/ROOT, with
a file `complete` that lists its packages, and is used without a network. What is built there is kept beside it by the
content of the sources, so an unchanged tree is built once. Compilations use ccache, with the cache of all builds.
"""
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kernels import Unavailable, cache_dir, mirror

TOP = Path(__file__).resolve().parents[2]
sys.path.append(str(TOP / "tests/support"))

from debian_root import Failure, Root  # noqa: E402

SUITE = "bookworm"
# Debian's names of an architecture, and the prefix of its compiler and of the directory with its libraries.
TRIPLETS = {"arm64": "aarch64-linux-gnu"}
TOOLS = ("cmake", "ninja-build", "pkgconf", "ccache", "nlohmann-json3-dev", "libexpected-dev")
LIBRARIES = ("libboost-dev", "libyaml-cpp-dev", "libfmt-dev", "libsmartcols-dev", "libmd-dev", "libarchive-dev",
             "zlib1g-dev", "libsystemd-dev")
SOURCES = ("CMakeLists.txt", "compiler", "runtime", "policies")  # all that the target `memonline` is made of
NOT_SOURCES = (".md", ".scd")
MAKING_SECONDS = 1800
UNUSED_DAYS = 7  # another tree may still use what was built a moment ago


def memonline(architecture: str) -> dict[str, Path]:
    """The program and its shared libraries for a guest: paths there without the leading slash → stripped files here.

    `architecture` is a key of TRIPLETS; raises Unavailable if there is no root to build in, and Failure with the
    output of the compiler if the tree does not build.
    """
    directory = cache_dir().parent / "cross"
    directory.mkdir(parents=True, exist_ok=True)
    kept = directory / f"{architecture}-{_digest(architecture)}"
    with open(directory / f"{architecture}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            root = _root(directory / f"{SUITE}-{architecture}", architecture)
            _build(root, architecture, kept)
            for old in directory.glob(f"{architecture}-*"):
                if time.time() - old.stat().st_mtime > UNUSED_DAYS * 86400:
                    shutil.rmtree(old)
    return {str(file.relative_to(kept)): file for file in sorted(kept.rglob("*")) if file.is_file()}


def packages(architecture: str) -> list[str]:
    """The packages of the root, as apt calls them."""
    return [f"crossbuild-essential-{architecture}", *TOOLS, *(f"{name}:{architecture}" for name in LIBRARIES)]


def _digest(architecture: str) -> str:
    """One name for the sources and for what builds them."""
    state = hashlib.sha256(repr((SUITE, packages(architecture), Path(__file__).read_bytes())).encode())
    for source in SOURCES:
        files = [TOP / source] if (TOP / source).is_file() else sorted((TOP / source).rglob("*"))
        for file in files:
            if file.is_file() and file.suffix not in NOT_SOURCES:
                content = file.read_bytes()
                state.update(f"{file.relative_to(TOP)} {len(content)}\n".encode() + content)
    return state.hexdigest()[:20]


def _root(directory: Path, architecture: str) -> Root:
    """The root to build in, made when needed."""
    if os.geteuid() != 0:
        raise Unavailable("cross-building needs root, for a Debian root to build in")
    complete = directory / "complete"
    if not complete.exists() or complete.read_text().split() != packages(architecture):
        _make_root(directory, architecture)
    return Root.in_place(SUITE, directory)


def _make_root(directory: Path, architecture: str) -> None:
    if not shutil.which("mmdebstrap"):
        raise Unavailable("mmdebstrap is not installed: it makes the Debian root to cross-build in")
    shutil.rmtree(directory, ignore_errors=True)
    made = subprocess.run(
        ["mmdebstrap", "--variant=apt", f"--architectures=amd64,{architecture}",
         f"--include={','.join(packages(architecture))}", '--aptopt=APT::Install-Recommends "false"',
         '--aptopt=Acquire::Check-Valid-Until "false"', '--aptopt=Acquire::Languages "none"',
         "--dpkgopt=force-unsafe-io", SUITE, str(directory), mirror()],
        check=False, text=True, capture_output=True, timeout=MAKING_SECONDS)
    if made.returncode != 0:
        complaint = [line for line in made.stderr.splitlines() if line.startswith("E:")]
        raise Unavailable(f"cross compiler for {architecture}: {(complaint or ['mmdebstrap failed'])[0]}")
    (directory / "complete").write_text("\n".join(packages(architecture)) + "\n")


def _build(root: Root, architecture: str, kept: Path) -> None:
    """Compiles the target `memonline` of this tree, and puts it with its libraries into `kept`."""
    triplet = TRIPLETS[architecture]
    ccache = Path(os.environ.get("CCACHE_DIR") or cache_dir().parent / "ccache")
    ccache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix="build-") as scratch:
        root.mounts = {TOP: "/mnt/source", Path(scratch): "/mnt/build", ccache: "/mnt/ccache"}
        for place in root.mounts.values():
            root.path(place).mkdir(exist_ok=True)
        processor = triplet.partition("-")[0]
        root.run(f"cmake -S /mnt/source -B /mnt/build -G Ninja -DCMAKE_SYSTEM_NAME=Linux"
                 f" -DCMAKE_SYSTEM_PROCESSOR={processor} -DCMAKE_CXX_COMPILER={triplet}-g++"
                 " -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_BUILD_TYPE=Release '-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG'"
                 " -DMEMONLINE_SERVICE=OFF -DBUILD_TESTING=OFF && cmake --build /mnt/build --target memonline",
                 network=False, environment={
                     "PKG_CONFIG_LIBDIR": f"/usr/lib/{triplet}/pkgconfig:/usr/share/pkgconfig",
                     "CCACHE_DIR": "/mnt/ccache", "CCACHE_BASEDIR": "/mnt/source", "CCACHE_UMASK": "000",
                     "CCACHE_SLOPPINESS": "locale"})
        guest = Path(scratch) / "guest"
        program = Path(scratch) / "bin/memonline"
        files = {"bin/memonline": program, **_libraries(root, triplet, program)}
        for place, file in files.items():
            target = guest / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
            inside = f"/mnt/build/guest/{place}"
            root.run(f"{triplet}-strip {inside} && chmod 755 {inside}", network=False)
        guest.rename(kept)


def _libraries(root: Root, triplet: str, program: Path) -> dict[str, Path]:
    """The loader and the shared libraries that a program is linked with: path in the guest → file in the root."""
    found: dict[str, Path] = {}
    left = [program]
    while left:
        headers = subprocess.run(["readelf", "--wide", "--program-headers", "--dynamic", str(left.pop())], check=True,
                                 text=True, capture_output=True, timeout=60).stdout
        names = re.findall(r"\(NEEDED\) +Shared library: \[(.+)\]", headers)
        loader = re.search(r"program interpreter: /(lib/.+)\]", headers)
        places = [loader[1]] if loader else []
        # Where the loader of each architecture looks without a cache.
        for place in (*places, *(f"usr/lib/{name}" for name in names if not name.startswith("ld-linux"))):
            if place not in found:
                found[place] = root.path(f"usr/lib/{triplet}/{Path(place).name}").resolve()
                left.append(found[place])
    return found
