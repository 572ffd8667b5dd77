# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a run of memonline came to: its report, and what the kernel shows of it."""
import json

from guest import Guest

MEMORY = "/sys/devices/system/memory"
DONE, FAILURE, PARTLY = 0, 1, 64


def states(guest: Guest, blocks: list[int]) -> list[tuple[str, str]]:
    """State and zone of online blocks; of offline ones only the state, what they offer may vary."""
    now = guest.blocks()
    return [(now[block][0], now[block][1] if now[block][0] == "online" else "") for block in blocks]


def report(guest: Guest, command: str, timeout: float = 60.0) -> dict:
    """The JSON report of a `memonline apply ... --json`, whose exit status must be what it says."""
    result = guest.run(f"{command} --json", timeout=timeout)
    document = json.loads(result.stdout)
    assert document["exit_status"] == result.status, (result.status, document)
    return document


def findings(document: dict, key: str = "report") -> list[dict]:
    return [finding for step in document[key]["steps"] for finding in step["findings"]]
