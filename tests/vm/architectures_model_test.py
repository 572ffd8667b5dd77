# SPDX-License-Identifier: LGPL-2.1-or-later
"""The kernel model against kernels of other architectures: random operations, compared as in model_test.py."""
from architectures import ARCHITECTURES, of_kernel
from architectures_test import kernels_of, layout
from guest import Guest
from harness import Vm, on
from model_test import SEED, Case, Session, compare

MACHINES = True  # run --architectures
OPERATIONS = 100


class ArchitectureSession(Session):
    """Operations on a guest whose programs are shell scripts; few at a time, because they take longer."""

    def __init__(self, vm: Vm, guest: Guest, seed: int) -> None:
        self.name = of_kernel(vm.kernel.name)
        super().__init__(guest, seed)
        self.batch = 16
        if self.name == "ppc64le":
            self.adding = "dlpar"

    def plug(self) -> None:
        """Nothing can be added to a guest of s390x."""
        if ARCHITECTURES[self.name].dimms:
            super().plug()


@on(*kernels_of([name for name, one in ARCHITECTURES.items() if one.foreign]))
def test_random_operations(vm: Vm) -> None:
    """Every answer of the kernel, and all that it shows afterwards, is the model's."""
    done, seed = 0, SEED
    while done < OPERATIONS:
        label = f"model-{vm.kernel.name}-{seed}"
        with vm.guest(layout(vm)) as guest:
            host = vm.keep(f"{label}.tar", guest.capture())
            session = ArchitectureSession(vm, guest, seed)
            try:
                session.work(Case(layout(vm)), OPERATIONS - done)
            finally:
                log = vm.keep(f"{label}.log", session.log.encode())
        compare(vm.build, host, log)
        # A guest that refuses to give a DIMM back ends early: the rest in another.
        done += session.done
        seed += 1
