# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian's kernels for the guests: fetched once as packages, kept in a cache, used without a network.

Everything goes through a private apt directory with a sources list of its own; the machine's apt only
says where its mirror is and through which proxy. apt checks the signatures with Debian's archive keys.
The cache is ${MEMONLINE_VM_CACHE:-$XDG_CACHE_HOME or ~/.cache}/memonline/kernels/NAME/, one directory a
kernel: vmlinuz, modules/*.ko and kernel.json (which packages these are from).
"""
import fcntl
import glob
import json
import lzma
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ASK_AGAIN_AFTER = 14 * 86400.0  # seconds a cached kernel is used without asking for a newer one
FAILED_AGAIN_AFTER = 3600.0  # seconds a mirror that could not be reached is left alone


@dataclass(frozen=True)
class Source:
    """Where a kernel comes from: a suite and the name of its metapackage."""

    suite: str
    metapackage: str = "linux-image-cloud-amd64"
    # In the order in which they are loaded; a kernel that has one of them built in just lacks the file.
    modules: tuple[str, ...] = ("virtio", "virtio_ring", "virtio_pci_modern_dev", "virtio_pci_legacy_dev",
                                "virtio_pci", "virtio_mem")
    # For a guest that is reached over the network.
    network: tuple[str, ...] = ("failover", "net_failover", "virtio_net")
    # Debian's name of the architecture. A foreign one brings a busybox of its own, and no modules.
    architecture: str = "amd64"

    def packages(self) -> str:
        """The metapackage, as apt calls it here."""
        return self.metapackage if self.architecture == "amd64" else f"{self.metapackage}:{self.architecture}"


def _foreign(metapackage: str, architecture: str, suite: str = "sid") -> Source:
    return Source(suite, metapackage, (), (), architecture)


# What tests run on, and kernels that single tests ask for by name.
KERNELS = {
    "5.10": Source("bullseye"),
    "6.1": Source("bookworm"),
    "6.12": Source("trixie"),
    "7.2": Source("sid"),
}
SPECIAL_KERNELS = {
    # Debian's non-cloud kernel has the kernel's own fault injection for memory notifiers.
    "6.1-generic": Source("bookworm", "linux-image-amd64",
                          ("notifier-error-inject", "memory-notifier-error-inject")),
}
# libnvdimm and cxl_pmem come first: cxl_acpi finds the card's decoders only after them.
CXL_MODULES = ("libnvdimm", "cxl_pmem", "cxl_acpi", "cxl_mem", "cxl_pci", "device_dax", "dax_hmem", "kmem", "dax_cxl")
# What `run --architectures` boots (architectures.py).
ARCHITECTURE_KERNELS = {
    # The flavor `cloud` has ACPI_HOTPLUG_MEMORY; Debian's generic kernel for arm64 ignores DIMMs.
    "7.2-arm64": _foreign("linux-image-cloud-arm64", "arm64"),
    "7.2-arm64-generic": _foreign("linux-image-arm64", "arm64"),
    "7.2-loong64": _foreign("linux-image-loong64", "loong64"),
    "7.2-ppc64le": _foreign("linux-image-powerpc64le", "ppc64el"),
    "7.2-s390x": _foreign("linux-image-s390x", "s390x"),
    "7.2-cxl": Source("sid", "linux-image-amd64", CXL_MODULES, ()),
    "7.3-cxl": Source("experimental", "linux-image-amd64", CXL_MODULES, ()),
}


class Unavailable(Exception):
    """A kernel is neither cached nor to be had now; the text says why."""


@dataclass(frozen=True)
class Kernel:
    """A kernel in the cache."""

    name: str
    image: Path
    modules: dict[str, Path]  # in the order of loading
    network: dict[str, Path]  # the same
    packages: tuple[str, ...]
    busybox: Path | None = None  # of a foreign architecture


def cache_dir() -> Path:
    """Where kernels are kept."""
    base = (os.environ.get("MEMONLINE_VM_CACHE") or os.environ.get("XDG_CACHE_HOME")
            or os.path.expanduser("~/.cache"))
    return Path(base) / "memonline" / "kernels"


def kernel(name: str) -> Kernel:
    """The kernel `name`, from the cache or the mirror; raises Unavailable."""
    source = {**KERNELS, **SPECIAL_KERNELS, **ARCHITECTURE_KERNELS}[name]
    directory = cache_dir() / name
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _fresh(directory / "kernel.json", ASK_AGAIN_AFTER) or not _has_modules(source, directory):
            _refresh(name, source, directory)
        return _cached(name, source, directory)


def _fresh(path: Path, seconds: float) -> bool:
    return path.exists() and time.time() - path.stat().st_mtime < seconds


def _has_modules(source: Source, directory: Path) -> bool:
    """Whether the cache was filled when the same modules were wanted."""
    kept = json.loads((directory / "kernel.json").read_text())
    return kept.get("modules") == [*source.modules, *source.network]


def _cached(name: str, source: Source, directory: Path) -> Kernel:
    packages = json.loads((directory / "kernel.json").read_text())["packages"]

    def there(names: tuple[str, ...]) -> dict[str, Path]:
        files = {name: directory / "modules" / f"{name}.ko" for name in names}
        return {name: path for name, path in files.items() if path.exists()}
    return Kernel(name, directory / "vmlinuz", there(source.modules), there(source.network), tuple(packages),
                  None if source.architecture == "amd64" else directory / "busybox")


def _refresh(name: str, source: Source, directory: Path) -> None:
    """Brings the cache up to date; a failure is one only where nothing is cached yet."""
    cached, failed = directory / "kernel.json", directory / "failed"
    if cached.exists() and _fresh(failed, FAILED_AGAIN_AFTER):
        return
    try:
        with tempfile.TemporaryDirectory(dir=directory) as scratch:
            apt = Apt(source.suite, Path(scratch), source.architecture)
            packages = apt.kernel_packages(source.packages())
            if not source.modules:
                packages = [package for package in packages if not package.startswith("linux-modules-")]
            version = name.split("-")[0]
            # A release candidate has no third number in the names of its packages.
            if not any(re.search(rf"-{re.escape(version)}[.-]", package) for package in packages):
                raise Unavailable(f"{source.suite} now carries {packages[-1]}")
            if (cached.exists() and json.loads(cached.read_text())["packages"] == packages
                    and _has_modules(source, directory)):
                cached.touch()
                return
            modules = (*source.modules, *source.network)
            apt.fetch([*packages, *apt.busybox()], directory, modules)
        kept = {"suite": source.suite, "packages": packages, "modules": modules}
        cached.write_text(json.dumps(kept, indent=1) + "\n")
        failed.unlink(missing_ok=True)
    except (Unavailable, OSError, subprocess.SubprocessError, tarfile.TarError) as error:
        failed.write_text(f"{error}\n")
        if not cached.exists():
            raise Unavailable(str(error)) from error


def _output(command: list[str], **options: object) -> str:
    return subprocess.run(command, check=True, text=True, capture_output=True, timeout=60, **options).stdout


def mirror() -> str:
    """The URI of the Debian archive that this machine's own apt is configured with."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Unavailable("there is no apt here to fetch Debian's kernels with")
    targets = _output(["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)",
                       "Created-By: Packages"])
    for line in targets.splitlines():
        origin, label, uri = (line.split(" ") + ["", "", ""])[:3]
        if origin == "Debian" and label == "Debian":
            return uri
    raise Unavailable("this machine's apt knows no Debian archive (or was never updated)")


class Apt:
    """apt with a directory, a sources list and a configuration of its own, for one suite."""

    def __init__(self, suite: str, root: Path, architecture: str = "amd64") -> None:
        self.suite = suite
        self.architecture = architecture
        self.root = root
        for part in ("etc/preferences.d", "state/lists/partial", "cache/archives/partial"):
            (self.root / part).mkdir(parents=True, exist_ok=True)
        keys = sorted(path for path in glob.glob("/usr/share/keyrings/debian-archive-*")
                      if path.endswith((".gpg", ".pgp")) and "removed" not in path)
        if not keys:
            raise Unavailable("Debian's archive keys are not installed (debian-archive-keyring)")
        self.keys = next((key for key in keys if "debian-archive-keyring" in key), keys[0])
        (self.root / "apt.conf").write_text(self._configuration())
        self._update()

    def _configuration(self) -> str:
        root = self.root
        lines = [f'Dir::State "{root}/state";', 'Dir::State::status "/dev/null";',
                 f'Dir::Cache "{root}/cache";', f'Dir::Etc "{root}/etc";',
                 'Dir::Etc::main "/dev/null";', 'Dir::Etc::parts "/dev/null";',
                 'Dir::Etc::sourceparts "/dev/null";', 'Dir::Etc::trusted "/dev/null";',
                 'Dir::Etc::trustedparts "/dev/null";', 'Dir::Log "/dev/null";',
                 'APT::Architecture "amd64";',
                 f'APT::Architectures {{ "amd64"; "{self.architecture}"; }};',
                 'Acquire::Languages "none";', 'Acquire::http::Timeout "20";']
        if os.geteuid() == 0:
            # The cache lies in a home directory, which apt's own user cannot enter.
            lines.append('APT::Sandbox::User "root";')
        machine = _output(["apt-config", "dump"]).splitlines()
        return "\n".join(lines + [line for line in machine if re.match(r"Acquire::https?::Proxy", line)]) + "\n"

    def _run(self, *command: str, **options: object) -> str:
        environment = {**os.environ, "APT_CONFIG": str(self.root / "apt.conf"), "LC_ALL": "C.UTF-8"}
        result = subprocess.run(list(command), env=environment, text=True, capture_output=True,
                                timeout=600, check=False, **options)
        if result.returncode != 0:
            complaint = [line for line in result.stderr.splitlines() if line.startswith("E:")]
            raise Unavailable((complaint or result.stderr.splitlines() or [f"{command[0]} failed"])[0])
        return result.stdout

    def _update(self) -> None:
        uri = mirror()

        def update(options: str) -> None:
            (self.root / "etc/sources.list").write_text(
                f"deb [arch={self.architecture} signed-by={self.keys}{options}] {uri} {self.suite} main\n")
            self._run("apt-get", "-o", "APT::Update::Error-Mode=any", "update")

        try:
            update("")
        except Unavailable as error:
            # A mirror that stands still for weeks: its signature is as good as before, and a test
            # kernel need not be the newest.
            if "expired" not in str(error) or "KEY" in str(error):
                raise
            update(" check-valid-until=no")

    def kernel_packages(self, metapackage: str) -> list[str]:
        """The packages that hold the image and the modules which `metapackage` stands for."""
        found: list[str] = []
        names = [metapackage]
        while names:
            name = names.pop()
            if name in found:
                continue
            if name != metapackage:
                found.append(name)
            depends = re.findall(r"^ *\|?Depends: (linux-(?:image|binary|modules)-\S+)$",
                                 self._run("apt-cache", "depends", name), re.MULTILINE)
            names += depends
        if not found:
            raise Unavailable(f"{self.suite} has no {metapackage}")
        return [f"{name}={self.version(name)}" for name in sorted(found)]

    def busybox(self) -> list[str]:
        """The busybox of a foreign architecture; this machine has its own."""
        if self.architecture == "amd64":
            return []
        name = f"busybox-static:{self.architecture}"
        return [f"{name}={self.version(name)}"]

    def version(self, name: str) -> str:
        """The newest version of a package; raises Unavailable."""
        shown = re.search(r"^Version: (\S+)$", self._run("apt-cache", "show", name), re.MULTILINE)
        if not shown:
            raise Unavailable(f"{self.suite} has no {name}")
        return shown[1]

    def download(self, packages: list[str]) -> list[Path]:
        """The files of `packages` ("NAME=VERSION"), which lie beside apt's other files."""
        self._run("apt-get", "download", *packages, cwd=self.root)
        return sorted(self.root.glob("*.deb"))

    def fetch(self, packages: list[str], directory: Path, modules: tuple[str, ...]) -> None:
        """Downloads `packages` and keeps of them the image and `modules`."""
        kept = self.root / "kept"
        (kept / "modules").mkdir(parents=True)
        for deb in self.download(packages):
            _keep(deb, kept, modules)
        if not (kept / "vmlinuz").exists():
            raise Unavailable(f"no kernel image in {' '.join(packages)}")
        shutil.rmtree(directory / "modules", ignore_errors=True)
        (kept / "modules").rename(directory / "modules")
        for name in ("vmlinuz", "busybox"):
            if (kept / name).exists():
                (kept / name).rename(directory / name)


def _keep(deb: Path, kept: Path, modules: tuple[str, ...]) -> None:
    """Copies the image and the wanted modules out of a package, without unpacking the rest of it."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as unpack:
        with tarfile.open(fileobj=unpack.stdout, mode="r|") as archive:
            for member in archive:
                base = os.path.basename(member.name)
                module = re.fullmatch(r"(.+)\.ko(\.xz)?", base)
                content = archive.extractfile(member) if member.isfile() else None
                if content and re.match(r"vmlinuz(-|$)", base):
                    (kept / "vmlinuz").write_bytes(content.read())
                elif content and member.name.endswith("/bin/busybox"):
                    (kept / "busybox").write_bytes(content.read())
                elif content and module and module[1] in modules:
                    data = content.read()
                    data = lzma.decompress(data) if module[2] else data
                    (kept / "modules" / f"{module[1]}.ko").write_bytes(data)
    if unpack.returncode != 0:
        raise Unavailable(f"dpkg-deb cannot read {deb.name}")
