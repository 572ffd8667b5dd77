// SPDX-License-Identifier: LGPL-2.1-or-later
// Step 4 of planning: which words on the kernel command line make boot memory what the policy says,
// and what the kernel will really make of them.
//
// kernelcore= gives every node the same absolute amount of kernel memory, movable_node makes whole
// nodes Movable that the firmware calls hot-pluggable, so few wishes can be met exactly. Of all
// settings the one is taken whose Movable differs least from the wish, summed over the nodes in
// bytes; among equals movable_node, with which the kernel's early allocations stay out of Movable
// (memblock_set_bottom_up()), then the one that leaves more to the kernel; none where that would
// not bring at least a quarter of what is wished. The kernel never gets less than a fifth of boot
// memory (4:1, Documentation/admin-guide/mm/memory-hotplug.rst, "Zone Imbalances").
#pragma once

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/allocate.hpp"
#include "compiler/plan/boot_part.hpp"
#include "compiler/sema/policy.hpp"

namespace memonline::plan {

/// The boot part of a plan. Words of the user's own on the command line are never replaced: they
/// are named in `sink`, and what they lead to is predicted.
BootPart plan_boot(const Allocation& allocation, const HotplugPart& hotplug,
                   const sema::FlatPolicy& policy, const model::Host& host, diag::Sink& sink);

}  // namespace memonline::plan
