# SPDX-License-Identifier: LGPL-2.1-or-later
"""A system bus of our own, with the real polkitd where there is one to be had, and memonlined on
it with a simulated machine. Nothing of this machine is touched: who imports this is run again in a
sandbox (sandbox.py)."""
import contextlib
import functools
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from typing import Callable, Dict, Iterator, List, Optional

from sandbox import ACTIONS, POLKITD, enter, test_name, works
from skip import SKIPPED, need, skip, skip_part
from waiting import eventually

try:
    import dbus
    import dbus.mainloop.glib
    from gi.repository import GLib
except ImportError as missing:
    skip(test_name(), f"{missing} (python3-dbus, python3-gi)")

need(test_name(), **{"dbus-daemon": "dbus", "busctl": "systemd", "setpriv": "util-linux", "unshare": "util-linux"})
SANDBOX = enter()

NAME = "org.memonline1"
PATH = "/org/memonline1"
MANAGER = "org.memonline1.Manager"
NODE = "org.memonline1.Node"
JOB = "org.memonline1.Job"
ERROR = "org.memonline1.Error."
STANDARD = "org.freedesktop.DBus.Error."
POLICY = "hotplugged: movable\n"

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={directory}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <policy user="root"><allow send_destination="*"/><allow own="org.freedesktop.systemd1"/></policy>
  <include>{ours}</include>
  <include ignore_missing="yes">/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf</include>
  <limit name="max_connections_per_user">512</limit>
</busconfig>
"""


def become(user: str) -> List[str]:
    """What stands before a command of that user; "root" is who runs the tests."""
    if user == "root":
        return []
    return ["setpriv", "--reuid", user, "--regid", "nogroup", "--clear-groups"]


class Kernel:
    """Tells memonlined of memory, as the kernel's uevents do."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    def hear(self) -> socket.socket:
        """The end that a memonlined hears; a new one for each."""
        for end in (self.ours, self.theirs):
            end.close()
        self.__init__()  # type: ignore[misc]
        return self.theirs

    def says(self, action: str, block: int) -> None:
        path = f"/devices/system/memory/memory{block}"
        self.ours.send(f"{action}@{path}\0ACTION={action}\0DEVPATH={path}\0"
                       "SUBSYSTEM=memory\0".encode())


class Journal:
    """journald's native socket, in a mount namespace of the one who writes there."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.place = directory / "run-systemd"
        (self.place / "journal").mkdir(parents=True, exist_ok=True)
        (self.place / "journal/socket").unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.place / "journal/socket"))

    def around(self, command: List[str]) -> List[str]:
        """The command, which finds it where journald's would be."""
        return ["unshare", "--mount", "sh", "-c",
                f'mount --bind "{self.place}" /run/systemd && exec "$@"', "sh", *command]

    def entry(self, message: str, wait: Optional[float] = None) -> Optional[Dict[str, List[str]]]:
        """The next one whose message has this in it: the values of each field. None if it takes longer than `wait`;
        without `wait`, an error after 30 seconds."""
        self.socket.settimeout(wait or 30)
        while True:
            fields: Dict[str, List[str]] = {}
            try:
                received = self.socket.recv(1 << 20)
            except TimeoutError:
                if wait is None:
                    raise
                return None
            for line in received.decode().splitlines():
                name, _, value = line.partition("=")
                fields.setdefault(name, []).append(value)
            if message in fields["MESSAGE"][0]:
                return fields


class World:
    """The bus, polkitd, and at most one memonlined."""

    def __init__(self, directory: pathlib.Path, memonlined: str, source: pathlib.Path) -> None:
        self.directory, self.memonlined, self.source = directory, memonlined, source
        self.address = f"unix:path={directory}/bus"
        self.daemon: Optional[subprocess.Popen] = None
        self.polkit: Optional[subprocess.Popen] = None
        self.own_rules = works("unshare", "--mount", "true")
        self.environment: Dict[str, str] = {}
        self.kernel: Optional[Kernel] = None
        self.journal: Optional[Journal] = None
        self.log = directory / "memonlined.log"
        self.processes: List[subprocess.Popen] = []
        os.chmod(directory, 0o755)
        # Outside the sandbox the tree or the directory may be where nobody else may look.
        reached = works(*become("nobody"), "sh", "-c", 'cd "$1" && "$2" --help', "sh", str(directory), memonlined)
        self.users = ["root", "nobody"] if reached else ["root"]
        config = directory / "bus.conf"
        ours = source / "dbus/data/org.memonline1.conf"
        shutil.copy(ours, directory / "ours.conf")
        config.write_text(BUS_CONFIG.format(directory=directory, ours=directory / "ours.conf"))
        bus = ["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile", "--print-address"]
        listening = subprocess.Popen(bus, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.processes.append(listening)
        # It prints its address once it listens; its socket is there before, and refuses.
        eventually(lambda: select.select([listening.stdout], [], [], 0)[0], "the bus listens")
        assert listening.stdout is not None and listening.stdout.readline(), "the bus ended"
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = self.address

    def start_polkit(self, rule: str = "") -> None:
        """The real one, with our actions; needs root. What it has in /etc/polkit-1/rules.d is that
        rule and nothing else, which a mount of its own makes it see."""
        rules = self.directory / "rules.d"
        rules.mkdir(exist_ok=True)
        (rules / "50-test.rules").write_text(rule)
        assert POLKITD is not None
        command = [POLKITD, "--no-debug"]
        if self.own_rules:
            command = ["unshare", "--mount", "sh", "-c",
                       f'mount --bind "{rules}" /etc/polkit-1/rules.d && exec "$@"', "sh", *command]
        with open(self.directory / "polkitd.log", "a", encoding="utf-8") as log:
            self.polkit = subprocess.Popen(command, stdout=log, stderr=log)
        self.processes.append(self.polkit)
        bus = self.connect()
        eventually(lambda: bus.name_has_owner("org.freedesktop.PolicyKit1"), "polkitd is up")
        authority = dbus.Interface(
            bus.get_object("org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
                           introspect=False), "org.freedesktop.PolicyKit1.Authority")
        eventually(lambda: any(action[0] == "org.memonline1.apply"
                               for action in authority.EnumerateActions("")),
                   "polkitd has read our actions")

    def stop_polkit(self) -> None:
        """Takes it away, as if it had never been installed."""
        assert self.polkit is not None
        self.polkit.terminate()
        self.polkit.wait()
        bus = self.connect()
        eventually(lambda: not bus.name_has_owner("org.freedesktop.PolicyKit1"), "it is gone")

    def connect(self) -> dbus.bus.BusConnection:
        """A connection of its own."""
        return dbus.bus.BusConnection(self.address)

    def start(self, host: str, *options: str, policy: Optional[str] = POLICY,
              expect: bool = True) -> None:
        """memonlined on a simulation of tests/hosts/HOST.tar.xz, or of a file by its whole path."""
        machine = self.directory / "machine"
        shutil.rmtree(machine, ignore_errors=True)
        (machine / "etc/memonline/policy.d").mkdir(parents=True)
        if policy is not None:
            self.write_policy(policy)
        captured = host if os.path.isabs(host) else self.source / f"tests/hosts/{host}.tar.xz"
        command = [self.memonlined, "--simulate", str(captured), "--directory", str(machine), *options]
        environment = {**os.environ, **self.of_unit(), **self.environment}
        descriptors = []
        if self.kernel is not None:
            theirs = self.kernel.hear()
            command += ["--event-fd", str(theirs.fileno())]
            descriptors.append(theirs.fileno())
        with open(self.log, "a", encoding="utf-8") as log:
            if self.journal is not None:
                command = self.journal.around(command)
                status = os.fstat(log.fileno())
                environment["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"
            self.daemon = subprocess.Popen(command, stderr=log, env=environment,
                                           pass_fds=descriptors)
        if expect:
            bus = self.connect()
            eventually(lambda: bus.name_has_owner(NAME), "memonlined has its name")

    def of_unit(self) -> Dict[str, str]:
        """The environment that the unit gives it."""
        unit = (self.source / "dbus/systemd/memonlined.service.in").read_text(encoding="utf-8")
        return dict(pair.split("=", 1) for pair in re.findall("^Environment=(.*)$", unit, re.MULTILINE))

    def write_policy(self, text: str) -> None:
        """Puts a policy where the service looks."""
        file = self.directory / "machine/etc/memonline/policy.d/50-test.mempolicy"
        file.write_text(text)

    def stop(self) -> int:
        """Ends memonlined as systemd would; its exit status."""
        assert self.daemon is not None
        self.daemon.send_signal(signal.SIGTERM)
        status = self.daemon.wait(timeout=30)
        self.daemon = None
        return status

    def rss(self, field: str = "VmRSS") -> int:
        """The daemon's resident memory in KiB; with VmHWM, the most it had."""
        assert self.daemon is not None
        status = pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines()
                    if line.startswith(field))

    def close(self) -> None:
        """Ends everything that was started here."""
        if self.daemon is not None:
            self.processes.append(self.daemon)
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def world(memonlined: str, source: pathlib.Path) -> Iterator[World]:
    """A world, and nothing left of it afterwards."""
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    with tempfile.TemporaryDirectory(prefix="memonline-bus-") as directory:
        made = World(pathlib.Path(directory), memonlined, source)
        try:
            # polkitd reads actions from one place only: ours are there in the sandbox alone.
            if SANDBOX and POLKITD and os.path.isdir(ACTIONS) and "nobody" in made.users:
                made.start_polkit()
            yield made
        except BaseException:
            for log in (made.log, made.directory / "polkitd.log"):
                if log.exists():
                    print(log.read_text()[-4000:])
            raise
        finally:
            made.close()


class Client:
    """The manager as a program in Python meets it."""

    def __init__(self, world_: World) -> None:
        self.bus = world_.connect()
        self.manager = self.at(PATH, MANAGER)

    def at(self, path: str, interface: str) -> dbus.Interface:
        return dbus.Interface(self.bus.get_object(NAME, path, introspect=False), interface)

    def get(self, name: str, path: str = PATH, interface: str = MANAGER):
        return self.at(path, dbus.PROPERTIES_IFACE).Get(interface, name)

    def all(self, path: str, interface: str):
        return self.at(path, dbus.PROPERTIES_IFACE).GetAll(interface)

    def settled(self, state: str = "in-sync") -> None:
        eventually(lambda: self.get("State") == state, f"the state {state}")

    def plan(self, **options):
        typed = {key: dbus.Boolean(value) if isinstance(value, bool) else value
                 for key, value in options.items()}
        result = self.manager.Plan(dbus.Dictionary(typed, signature="sv"))
        return {**result, "digest": str(result["digest"])}

    def done(self, job: str) -> str:
        """Waits for a job's end; its result."""
        eventually(lambda: self.get("State", job, JOB) == "done", f"{job} is done", 60)
        return str(self.get("Result", job, JOB))


def refused(name: str, call: Callable[[], object]) -> str:
    """The call is refused with that error; its message."""
    try:
        call()
    except dbus.DBusException as error:
        assert error.get_dbus_name() == name, (error.get_dbus_name(), error.get_dbus_message())
        return str(error.get_dbus_message())
    raise AssertionError(f"not refused with {name}")


def spin(seconds: float) -> None:
    """Has signals delivered."""
    context = GLib.MainContext.default()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not context.iteration(False):
            time.sleep(0.01)


def as_user(user: str, world_: World, *words: str) -> subprocess.CompletedProcess:
    """busctl as that user."""
    return subprocess.run(
        [*become(user), "busctl", f"--address={world_.address}", "--no-pager", *words],
        capture_output=True, text=True, check=False)


def as_nobody(world_: World, *words: str) -> subprocess.CompletedProcess:
    """busctl as an ordinary user."""
    return as_user("nobody", world_, *words)


def busctl(world_: World, *words: str) -> str:
    """What busctl prints."""
    return subprocess.run(["busctl", f"--address={world_.address}", "--no-pager", *words],
                          capture_output=True, text=True, check=True).stdout


Test = Callable[[World], None]


class Lacking(Exception):
    """What a test needs and is not to be had here."""


def unless(missing: Callable[[World], bool], what: str) -> Callable[[Test], Test]:
    """The test is skipped, and says why, where that is missing."""
    def decorate(test: Test) -> Test:
        @functools.wraps(test)
        def asked(w: World) -> None:
            if missing(w):
                raise Lacking(what)
            test(w)
        return asked
    return decorate


needs_polkit = unless(lambda w: w.polkit is None, "polkitd, and the right to mount as root or by sudo without a password")
needs_users = unless(lambda w: "nobody" not in w.users, "root, or sudo without a password, to be another user")


def run(tests: List[Test]) -> int:
    """What a test's main is: PROGRAM MEMONLINED SOURCE [TEST]... runs them one after another."""
    memonlined, source = sys.argv[1], pathlib.Path(sys.argv[2])
    wanted, ran = set(sys.argv[3:]), 0
    with world(memonlined, source) as w:
        for test in tests:
            if wanted and test.__name__ not in wanted:
                continue
            try:
                test(w)
            except Lacking as lacking:
                skip_part(test_name(), f"{test.__name__}: needs {lacking}")
                continue
            ran += 1
            if w.daemon is not None:
                assert w.stop() == 0, "SIGTERM ends it"
            print(f"ok {test.__name__}", flush=True)
    return 0 if ran else SKIPPED
