// SPDX-License-Identifier: LGPL-2.1-or-later
// What the language promises for a host and a policy, block by block, written from its definition
// ("Allocation in full" of compiler/plan/README.md) and without the planner's code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bounded/grammar.hpp"

namespace memonline::bounded {

/// What becomes of a block.
struct Promise {
  char after = '.';              ///< as Block::before; 'a': online, where the kernel likes
  const Share* share = nullptr;  ///< that requests it; none: no share does
  bool selected = false;         ///< by a rule
  bool whole = false;  ///< the shares of its group, as written, put the whole group online
};

/// Parts 1 to 3: the promise without limits. `counting`: online blocks count for the shares in the
/// order that this permutation makes of the one written; 0: as written.
std::vector<Promise> promised(const std::vector<Block>& blocks, const Policy& policy,
                              unsigned counting = 0);

/// The number of blocks that `amount` means in a group of `n`; rounded up, or else down.
std::uint64_t blocks_meant(const Amount& amount, std::uint64_t n, bool up);

/// Whether the limit of the policy holds for these blocks (a character each, as Block::before), in
/// the scope that `of` belongs to.
bool limit_holds(const Limit& limit, const std::vector<Block>& blocks, const std::string& layout,
                 const Block& of);

/// Part 4: `layout` is the result of parts 1 to 3, without `auto` blocks. `rezone = never`.
std::string limited(const std::vector<Block>& blocks, const std::vector<Promise>& promises,
                    const Limit& limit);

}  // namespace memonline::bounded
