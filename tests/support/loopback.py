# SPDX-License-Identifier: LGPL-2.1-or-later
"""What listens in tests listens on the loopback."""
import socket


def free_port() -> int:
    """A port of the loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
