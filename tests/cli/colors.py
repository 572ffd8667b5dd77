# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: colors.py MEMONLINE SOURCE: tables are colored on a terminal and nowhere else; NO_COLOR, TERM=dumb and
--color are respected, and without colors drift is marked by its word."""
import os
import subprocess
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))
from skip import skip  # noqa: E402


def shown(command: list[str], terminal: bool, **environment: str) -> str:
    """Returns the standard output of the command, which is a terminal or a pipe."""
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TERM": "xterm", **environment}
    if not terminal:
        return subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              check=False, timeout=60).stdout
    master, slave = os.openpty()
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=slave, stderr=subprocess.DEVNULL) as process:
        os.close(slave)
        text = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:  # Linux: the other side is closed
                break
            if not part:
                break
            text += part
        process.wait(timeout=60)
    os.close(master)
    return text.decode()


def main() -> int:
    memonline, source = str(Path(sys.argv[1]).resolve()), Path(sys.argv[2]).resolve()
    try:
        for end in os.openpty():
            os.close(end)
    except OSError as error:
        skip("colors", f"no terminals here: {error.strerror} (/dev/pts is not mounted)")
    host, hosts = str(source / "policies/hosts/two-dimms.yaml"), str(source / "policies/hosts")
    policy = ["-e", "hotplugged: movable"]
    status = [memonline, "status", "--root", host, *policy]
    for command in (status, [memonline, "plan", "--hosts", hosts, *policy]):
        assert "\x1b[" in shown(command, True), command
        assert "\x1b[" not in shown(command, False), command
        assert "\x1b[" in shown([*command, "--color", "always"], False, TERM="dumb", NO_COLOR="1"), command
        assert "\x1b[" not in shown([*command, "--color", "never"], True), command
        assert "\x1b[" not in shown(command, True, NO_COLOR="1"), command
        assert "\x1b[" not in shown(command, True, TERM="dumb"), command
    # The word is present with and without colors; its color is not that of a zone.
    assert shown(status, False).count(" drift\n") == 2
    assert shown(status, True).count("\x1b[1;33mdrift") == 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
