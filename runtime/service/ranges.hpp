// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs of block ids, both ends included, ascending: which blocks, in few words.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace memonline::service {

using BlockRanges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

/// Adds a run that begins behind all others, or within the last.
inline void extend(BlockRanges& ranges, std::uint64_t first, std::uint64_t last) {
  if (!ranges.empty() && first <= ranges.back().second + 1)
    ranges.back().second = std::max(ranges.back().second, last);
  else
    ranges.emplace_back(first, last);
}

inline BlockRanges united(const BlockRanges& one, const BlockRanges& other) {
  BlockRanges all = one;
  all.insert(all.end(), other.begin(), other.end());
  std::sort(all.begin(), all.end());
  BlockRanges ranges;
  for (const auto& [first, last] : all) extend(ranges, first, last);
  return ranges;
}

/// Both in the order of their blocks.
inline BlockRanges in_both(const BlockRanges& one, const BlockRanges& other) {
  BlockRanges ranges;
  auto left = one.begin(), right = other.begin();
  while (left != one.end() && right != other.end()) {
    const std::uint64_t first = std::max(left->first, right->first);
    const std::uint64_t last = std::min(left->second, right->second);
    if (first <= last) extend(ranges, first, last);
    if (left->second < right->second)
      ++left;
    else
      ++right;
  }
  return ranges;
}

inline bool contains(const BlockRanges& ranges, std::uint64_t id) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const auto& range) { return range.first <= id && id <= range.second; });
}

}  // namespace memonline::service
