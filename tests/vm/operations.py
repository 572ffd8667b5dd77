# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random operations on memory for the differential test: chosen by what the kernel showed last, so that
most of them do something, and some are mistakes on purpose."""
import random
from dataclasses import dataclass, field

WORDS = ("online", "online_kernel", "online_movable")
MISTAKES = ("x", "Online", "online_", "movable", "offline_movable", "1")
KNOBS = {
    "auto_online_blocks": (*WORDS, "offline", "offline", "bogus"),
    "online_policy": ("contig-zones", "auto-movable", "auto-movable", "auto"),
    "auto_movable_ratio": ("0", "1", "50", "100", "301", "301", "1000", "4294967295", "0x64", "-1", "many"),
    "auto_movable_numa_aware": ("Y", "N", "y", "0", "on", "maybe"),
}


@dataclass
class Block:
    """A block as the guest showed it last."""

    nodes: str
    state: str
    zones: str


@dataclass
class Dimm:
    """A DIMM plugged by the test; its blocks are [first, first + count)."""

    id: str
    first: int
    count: int

    def blocks(self) -> range:
        """The numbers of its blocks."""
        return range(self.first, self.first + self.count)


@dataclass
class Machine:
    """What is known of the guest."""

    blocks: dict[int, Block] = field(default_factory=dict)
    knobs: dict[str, str] = field(default_factory=dict)
    boot: set[int] = field(default_factory=set)
    dimms: list[Dimm] = field(default_factory=list)

    def learn(self, answer: str) -> None:
        """Takes in the lines of an answer of blockops."""
        for line in answer.splitlines():
            words = line.split(" ", 3)
            if words[0] == "k":
                self.knobs[words[1]] = words[2]
            elif words[0] == "b" and words[2] == "gone":
                self.blocks.pop(int(words[1]), None)
            elif words[0] == "b":
                state, _, zones = words[3].partition(" ")
                self.blocks[int(words[1])] = Block(words[2], state, zones)

    def boot_blocks_lent(self) -> int:
        """Boot blocks that the kernel cannot use for itself now: a guest needs most of them."""
        return sum(number in self.boot and (block.state != "online" or block.zones == "Movable")
                   for number, block in self.blocks.items())


class Generator:
    """An endless supply of operations, the same for the same seed and the same answers."""

    MOST_BOOT_BLOCKS_LENT = 4

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def batch(self, machine: Machine, count: int) -> list[str]:
        """Operations for blockops, on the assumption that each succeeds."""
        assumed = {number: block.state for number, block in machine.blocks.items()}
        lent = machine.boot_blocks_lent()
        operations: list[str] = []
        while len(operations) < count:
            kind = self.random.random()
            if kind < 0.05:
                operations.append(self._mistake(assumed))
            elif kind < 0.13 and len(machine.knobs) > 1:
                operations.append(self._knob(machine))
            elif kind < 0.56:
                operations += self._online(assumed)
            else:
                offline = self._offline(machine, assumed, self.MOST_BOOT_BLOCKS_LENT - lent)
                lent += sum(number in machine.boot for number in offline)
                operations += [self._write(number, "offline") for number in offline]
        return operations[:count]

    def _write(self, number: int, word: str) -> str:
        if word in ("online", "offline") and self.random.random() < 0.15:
            return f"attribute {number} {1 if word == 'online' else 0}"
        return f"state {number} {word}"

    def _run(self, numbers: list[int]) -> list[int]:
        """One of the blocks, or some neighbors, upwards or downwards."""
        start = self.random.randrange(len(numbers))
        length = self.random.choice((1, 1, 1, 2, 3, 5))
        run = [number for number in numbers[start:start + length] if number - numbers[start] < length]
        return run if self.random.random() < 0.5 else run[::-1]

    def _online(self, assumed: dict[int, str]) -> list[str]:
        offline = [number for number, state in assumed.items() if state == "offline"]
        if not offline:
            return []
        word = self.random.choice((*WORDS, "online", "online_movable"))
        run = self._run(sorted(offline))
        assumed.update(dict.fromkeys(run, "online"))
        return [self._write(number, word) for number in run]

    def _offline(self, machine: Machine, assumed: dict[int, str], boot_left: int) -> list[int]:
        def wanted(number: int) -> bool:
            if number in machine.boot:
                return boot_left > 0 and self.random.random() < 0.2
            return assumed[number] == "online"

        online = [number for number in assumed if wanted(number)]
        if not online:
            return []
        run = self._run(sorted(online))
        if any(number in machine.boot for number in run):
            run = run[:1]
        assumed.update(dict.fromkeys(run, "offline"))
        return run

    def _mistake(self, assumed: dict[int, str]) -> str:
        number = self.random.choice(list(assumed))
        kind = self.random.random()
        if kind < 0.3:
            return f"state {number} {self.random.choice(MISTAKES)}"
        if kind < 0.4:
            return f"state {max(assumed) + self.random.randrange(1, 100)} online"
        if kind < 0.5:
            return f"attribute {number} {1 if assumed[number] == 'online' else 0}"
        if assumed[number] == "online":
            return f"state {number} {self.random.choice(WORDS)}"
        return f"state {number} offline"

    def _knob(self, machine: Machine) -> str:
        name = self.random.choice([knob for knob in KNOBS if knob in machine.knobs])
        return f"set {name} {self.random.choice(KNOBS[name])}"
