// SPDX-License-Identifier: LGPL-2.1-or-later
// The blocks that an unplug may take: how likely each can be offlined, and which of them make up
// an amount at the lowest cost.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/model/contents.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/prospect.hpp"

namespace memonline::plan {

/// Neighboring blocks of one run with the same chance.
struct Candidate {
  model::BlockRun blocks;
  Prospect prospect;
  std::optional<model::Zone> zone;
  bool boot = false;
  std::optional<model::BlockContents> contents;  ///< of all its blocks; empty: not read
};

/// A run as candidates: one, or one for each block whose contents are known.
std::vector<Candidate> candidates_of(const model::Host& host, const model::BlockRun& run);

/// The easiest to offline first: by chance, then by pages to move; the highest addresses first.
/// Boot memory comes last: it can be offlined, not removed.
std::vector<Candidate> by_ease(std::vector<Candidate> all, const model::Host& host);

/// Of `all`, those that make up `blocks` blocks, or fewer if not as many can be offlined. Whole
/// DIMMs and dax devices first, because they are removed as a whole; then by ease.
std::vector<Candidate> easiest(std::vector<Candidate> all, std::uint64_t blocks,
                               const model::Host& host);

/// Neighbors of one kind joined, in ascending order: as few candidates as possible.
std::vector<Candidate> joined(std::vector<Candidate> candidates, const model::Host& host);

/// Blocks in all of them.
std::uint64_t count_of(const std::vector<Candidate>& candidates);

}  // namespace memonline::plan
