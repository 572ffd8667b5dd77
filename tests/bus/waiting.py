# SPDX-License-Identifier: LGPL-2.1-or-later
"""Patience with a limit."""
import time
from typing import Callable


def eventually(holds: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    """Waits until `holds` says so; fails after so many seconds."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)
