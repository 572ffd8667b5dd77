// SPDX-License-Identifier: LGPL-2.1-or-later
// The host after the plan: bytes per node, the balance between Movable and kernel memory, and the
// blocks that are left unchanged, with the reasons.
#pragma once

#include <vector>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/plan/allocate.hpp"
#include "compiler/plan/plan.hpp"

namespace memonline::plan {

std::vector<NodeOutcome> outcome_of(const model::Host& after,
                                    const std::vector<Rounding>& roundings);

std::vector<Skipped> skipped_of(const Allocation& allocation, const source::SourceSet& files);

/// Whether any block goes online or offline.
bool changes_memory(const std::vector<Step>& steps);

/// Beyond 4:1 the kernel may run out of memory with plenty free, which is worth a warning where no
/// limit was written; where kernel memory cannot even hold the memory map it is an error
/// (Documentation/admin-guide/mm/memory-hotplug.rst, "Zone Imbalances").
void check_balance(const std::vector<NodeOutcome>& outcome, const model::Host& after,
                   bool limit_written, const std::vector<Step>& steps, diag::Sink& sink);

}  // namespace memonline::plan
