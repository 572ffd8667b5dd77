// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/model/block_set.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace memonline::model {

std::string block_name(BlockId block) { return fmt::format("memory{}", block); }

std::string range_name(BlockId first, BlockId last) {
  return first == last ? block_name(first) : fmt::format("memory{}..{}", first, last);
}

std::optional<BlockRange> blocks_within(std::uint64_t first, std::uint64_t last, Bytes block_size) {
  const BlockId from(divided_up(Bytes(first), block_size));
  const bool last_whole = Bytes(last) % block_size == block_size - Bytes(1);
  const BlockId end(Bytes(last) / block_size + (last_whole ? 1 : 0));
  if (from >= end) return std::nullopt;
  return BlockRange{from, end - 1};
}

std::string range_numbers(const BlockRange& range) {
  return range.first == range.last ? fmt::to_string(range.first)
                                   : fmt::format("{}-{}", range.first, range.last);
}

namespace {

bool in_order(const BlockRange& one, const BlockRange& other) { return one.first < other.first; }

/// Whether a range that begins at `first` continues `range`.
bool continues(const BlockRange& range, BlockId first) {
  return first <= range.last || first - range.last == 1;
}

}  // namespace

BlockSet::BlockSet(std::vector<BlockRange> ranges) {
  std::sort(ranges.begin(), ranges.end(), in_order);
  for (const BlockRange& range : ranges) add(range);
}

void BlockSet::add(BlockRange range) {
  auto at = std::upper_bound(ranges_.begin(), ranges_.end(), range, in_order);
  if (at != ranges_.begin() && continues(*std::prev(at), range.first)) {
    --at;
    at->last = std::max(at->last, range.last);
  } else {
    at = ranges_.insert(at, range);
  }
  const auto next = std::next(at);
  auto end = next;
  for (; end != ranges_.end() && continues(*at, end->first); ++end)
    at->last = std::max(at->last, end->last);
  ranges_.erase(next, end);
}

std::uint64_t BlockSet::count() const {
  std::uint64_t blocks = 0;
  for (const BlockRange& range : ranges_) blocks += range.count();
  return blocks;
}

bool BlockSet::contains(BlockId block) const {
  const auto after =
      std::upper_bound(ranges_.begin(), ranges_.end(), BlockRange{block, block}, in_order);
  return after != ranges_.begin() && std::prev(after)->contains(block);
}

BlockSet unite(const BlockSet& one, const BlockSet& other) {
  std::vector<BlockRange> all = one.ranges();
  all.insert(all.end(), other.begin(), other.end());
  return BlockSet(std::move(all));
}

BlockSet intersect(const BlockSet& one, const BlockSet& other) {
  BlockSet both;
  auto left = one.begin(), right = other.begin();
  while (left != one.end() && right != other.end()) {
    const BlockId first = std::max(left->first, right->first);
    const BlockId last = std::min(left->last, right->last);
    if (first <= last) both.add({first, last});
    if (left->last < right->last)
      ++left;
    else
      ++right;
  }
  return both;
}

BlockSet subtract(const BlockSet& all, const BlockSet& less) {
  BlockSet rest;
  auto next = less.begin();
  for (BlockRange range : all) {
    while (next != less.end() && next->last < range.first) ++next;
    bool some = true;
    // The last of these may reach into the next range of `all`, too.
    for (auto at = next; some && at != less.end() && at->first <= range.last; ++at) {
      if (at->first > range.first) rest.add({range.first, at->first - 1});
      some = at->last < range.last;
      if (some) range.first = at->last + 1;
    }
    if (some) rest.add(range);
  }
  return rest;
}

}  // namespace memonline::model
