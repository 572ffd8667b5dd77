# SPDX-License-Identifier: LGPL-2.1-or-later
"""memonlined in a real Debian is killed while it works for a caller; systemd starts it again, and the next call ends it."""
import random

from guest import Dimm, Layout, Node
from harness import Vm, long, on
from hotplug_test import KNOB, POLICY, wait_for_service
from reports import MEMORY
from systemd_test import zones

SYSTEMS = True
BLOCKS = list(range(40, 72))
ROUNDS = 50
JOB = "memonline apply -e 'hotplugged: first 8 blocks normal, rest movable'"
# Kills after a delay, or when a block is online; what takes how long depends on the machine. Prints how many blocks
# were online at the kill, the status of the run after it, and what it left.
ROUND = f"""pid=$(systemctl show --property MainPID --value memonlined.service)
for block in {' '.join(map(str, BLOCKS))}; do echo offline >{MEMORY}/memory$block/state; done 2>/dev/null
{JOB} >/run/first 2>&1 &
case $1 in
  block*)
    looks=0
    until read -r state <{MEMORY}/memory${{1#block}}/state && [ "$state" = online ] || [ $looks = 1000000 ]; do
      looks=$((looks + 1))
    done ;;
  *) sleep "$1" ;;
esac
kill -KILL "$pid"
wait
echo killed $(grep -lx online $(printf '{MEMORY}/memory%d/state ' {' '.join(map(str, BLOCKS))}) | wc -l)
systemctl reset-failed memonlined.service
systemctl start memonlined.service
{JOB} >/run/second 2>&1
echo again $?
echo setting $(cat {KNOB})
# The caller has its answer before the service has looked at the host once more.
for second in 1 2 3 4 5 6 7 8 9 10; do
  state=$(busctl get-property org.memonline1 /org/memonline1 org.memonline1.Manager State)
  case $state in *in-sync*) break;; esac
  sleep 1
done
echo state $state
"""


@long
@on("6.12")
def test_killed_during_jobs(vm: Vm) -> None:
    """Fifty times, at moments that differ; the policy in force leaves the blocks to the caller."""
    layout = Layout(nodes=(Node("2G", cpus=2),), dimms=(Dimm("d0", "4G"),), below_4g="1G")
    files = {POLICY: "hotplugged: keep\n", "usr/local/lib/round": ROUND}
    with vm.system(layout, files) as guest:
        wait_for_service(guest)
        setting = guest.read(KNOB)
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        amid = 0
        for number in range(ROUNDS):
            moment = f"{moments.uniform(0.0, 2.0):.3f}" if number % 3 == 0 else f"block{moments.choice(BLOCKS)}"
            printed = guest.run(f"sh /usr/local/lib/round {moment}", timeout=120).stdout
            where = (seed, number, moment, printed, guest.run("cat /run/second").stdout)
            told = dict(line.split(" ", 1) for line in printed.splitlines())
            assert told["again"] == "0", where
            assert zones(guest, BLOCKS) == "N" * 8 + "M" * 24, (*where, zones(guest, BLOCKS))
            assert told["setting"] == setting and "in-sync" in told["state"], where
            amid += 0 < int(told["killed"]) < len(BLOCKS)
        assert amid >= ROUNDS // 5, (seed, amid)
        print(f"        {ROUNDS} kills, {amid} of them between the first block and the last", flush=True)
