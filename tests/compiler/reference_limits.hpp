// SPDX-License-Identifier: LGPL-2.1-or-later
// Step 4 of "Allocation in full", one block at a time and straight from its sentences, for property
// tests to compare the planner with. `rezone = never`, no `auto` blocks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/sema/policy.hpp"

namespace memonline::test {

/// What a block is before and after steps 1 to 3: 'N' kernel zone, 'M' Movable, '.' offline.
struct BlockFate {
  std::uint32_t node = 0;
  char before = '.';
  char wanted = '.';
  bool whole = false;  ///< the shares of its group put the whole group online
};

/// Whether each limit holds; `scope_of_block`: only in the scopes that this block belongs to.
bool limits_hold(const std::string& layout, const std::vector<BlockFate>& blocks,
                 const std::vector<sema::Limit>& limits, std::uint64_t block_size,
                 std::size_t scope_of_block);

std::string reference_limits(const std::vector<BlockFate>& blocks,
                             const std::vector<sema::Limit>& limits, std::uint64_t block_size);

/// Whether the shares, as written, put a whole group of `blocks` online.
bool reference_whole(const std::vector<sema::Share>& shares, std::size_t blocks,
                     std::uint64_t block_size);

}  // namespace memonline::test
