# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: fleet.py MEMONLINE SOURCE: a thousand captured hosts are planned and summed up in under ten seconds on
two processors. What other programs take of them meanwhile does not count."""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOSTS = 1000
SECONDS = 10.0


def processor_seconds() -> tuple[float, float]:
    """What all programs had of the processors, stolen time included, and what our children had of it."""
    user, nice, system, _, _, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:9])
    times = os.times()
    return ((user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK"),
            times.children_user + times.children_system)


def main() -> int:
    """Links to all hosts in tests/hosts, over and over."""
    memonline, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    captured = sorted([*(source / "tests/hosts").glob("*.tar.xz"), *(source / "tests/hosts/snapshots").glob("*.yaml")])
    with tempfile.TemporaryDirectory() as fleet:
        for number in range(HOSTS):
            host = captured[number % len(captured)]
            (Path(fleet) / f"{number:04}-{host.name}").symlink_to(host)
        # Two of the machine's processors, however many it has.
        processors = sorted(os.sched_getaffinity(0))[:2]
        os.sched_setaffinity(0, processors)
        all_before, ours_before, began = *processor_seconds(), time.monotonic()
        done = subprocess.run([memonline, "plan", "--hosts", fleet, "--policy", source / "policies/50-by-platform.yaml"],
                              stdout=subprocess.PIPE, text=True, check=True)
        seconds = time.monotonic() - began
        all_after, ours_after = processor_seconds()
    ours = ours_after - ours_before
    # On a machine of more processors others may have had theirs elsewhere: never less than what we used.
    alone = max(seconds - max(0.0, all_after - all_before - ours) / len(processors), ours / len(processors))
    print(f"{len(captured)} captured hosts as {HOSTS}: {seconds:.1f} s, {alone:.1f} s of them without other programs, "
          f"{ours:.1f} s of processors")
    rows = [line for line in done.stdout.splitlines() if line[:4].isdigit() and line[4:5] == "-"]
    summary = done.stdout.splitlines()[-1]
    if len({row[:4] for row in rows}) != HOSTS or not summary.startswith(f"{HOSTS} hosts: "):
        print(f"FAILED: {len(rows)} rows, and `{summary}`")
        return 1
    if not summary.endswith(", 0 without a plan"):
        print(f"FAILED: `{summary}`")
        return 1
    if alone > SECONDS:
        print(f"FAILED: over {SECONDS:.0f} s")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
