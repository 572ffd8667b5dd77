// SPDX-License-Identifier: LGPL-2.1-or-later
// "Allocation in full" of compiler/plan/README.md, one block at a time and without cleverness, for
// property tests to hold the planner against. `rezone = never`, one rule, one group.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/sema/policy.hpp"

namespace memonline::test {

/// `before`: 'N' kernel zone, 'M' Movable, '.' offline, in address order. The same after the rule;
/// 'a' stands for a block that goes online where the kernel likes.
std::string reference_allocation(const std::string& before, const std::vector<sema::Share>& shares,
                                 std::uint64_t block_size);

}  // namespace memonline::test
