# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a run shows of itself while it lasts, to somebody at a terminal."""
import re

from guest import Layout, Node
from harness import Vm, on


def shown(text: str, blocks: int) -> list[int]:
    """How many of so many blocks of 128 MiB are done, by each progress in a text; its bytes say the same."""
    found = re.findall(rf"step 1 of \d: (\d+) of {blocks} blocks, (\d+\.\d) of {blocks / 8:.1f} GiB, "
                       r"\d+ blocks/s, \d+ s left; ", text)
    assert all(abs(float(gib) - int(done) / 8) < 0.06 for done, gib in found), found
    return [int(done) for done, _ in found]


@on("6.12")
def test_progress_on_a_terminal(vm: Vm) -> None:
    """On one line, which grows and is gone in the end; read from the screen of a virtual console."""
    with vm.guest(Layout(nodes=(Node("6G"),), below_4g=None)) as guest:
        guest.add_dimm("d0", "128G")
        guest.put("/tmp/50.mempolicy", b"hotplugged: movable\n")
        screens = guest.run("(memonline apply --policy /tmp/50.mempolicy >/tmp/out 2>/dev/tty1; touch /tmp/done) & "
                            "while [ ! -e /tmp/done ]; do cat /dev/vcs1; echo; sleep 0.05; done", timeout=120).stdout
        blocks = [done[-1] for screen in screens.split("\n") if (done := shown(screen, 1024))]
        assert blocks and blocks == sorted(blocks) and blocks[0] < 1024, screens
        assert screens.count("step 1 of 2") == len(blocks), f"a line takes the place of the one before:\n{screens}"
        assert not shown(guest.run("cat /dev/vcs1").stdout, 1024), "the line is gone in the end"
        assert "1024 blocks" in guest.run("cat /tmp/out").stdout
