// SPDX-License-Identifier: LGPL-2.1-or-later
// Boot, a step of the pipeline (README.md): which kernel parameters split boot memory as the
// policy requires, and their actual effect.
//
// kernelcore= gives every node the same absolute amount of kernel memory, movable_node makes whole
// nodes Movable that the firmware calls hot-pluggable, so few requests can be met exactly. The plan
// takes the parameter whose Movable differs least from the request, summed over the nodes in bytes;
// among equals movable_node, with which the kernel's early allocations stay out of Movable
// (memblock_set_bottom_up()), then the one that leaves more to the kernel; none that does not bring
// Movable at least a quarter closer to the request. The kernel never gets less than a fifth of boot
// memory (4:1, Documentation/admin-guide/mm/memory-hotplug.rst, "Zone Imbalances").
#pragma once

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/allocate.hpp"
#include "compiler/plan/boot_part.hpp"
#include "compiler/sema/policy.hpp"

namespace memonline::plan {

/// The boot part of a plan. Kernel parameters that the user has set are never replaced: `sink`
/// names them, and the plan predicts their effect where the host shows enough.
BootPart plan_boot(const Allocation& allocation, const HotplugPart& hotplug,
                   const sema::FlatPolicy& policy, const model::Host& host, diag::Sink& sink);

}  // namespace memonline::plan
