// SPDX-License-Identifier: LGPL-2.1-or-later
// Which memory blocks: a range of consecutive ones, and a set of ranges.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/model/units.hpp"

namespace memonline::model {

/// Consecutive blocks, both ends included; first <= last.
struct BlockRange {
  BlockId first;
  BlockId last;
  [[nodiscard]] std::uint64_t count() const { return last - first + 1; }
  [[nodiscard]] bool contains(BlockId block) const { return first <= block && block <= last; }
  friend bool operator==(const BlockRange&, const BlockRange&) = default;

  /// Its blocks, one by one.
  struct Iterator {
    BlockId at;
    BlockId operator*() const { return at; }
    Iterator& operator++() {
      ++at;
      return *this;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;
  };
  [[nodiscard]] Iterator begin() const { return {first}; }
  [[nodiscard]] Iterator end() const { return {last + 1}; }
};

/// "memory42".
std::string block_name(BlockId block);
/// "memory32..39", or "memory42" if it is one; a descending range of writes is "memory39..32".
std::string range_name(BlockId first, BlockId last);
inline std::string range_name(const BlockRange& range) {
  return range_name(range.first, range.last);
}

/// The blocks that lie in the bytes [first, last] as a whole; empty: none.
std::optional<BlockRange> blocks_within(std::uint64_t first, std::uint64_t last, Bytes block_size);

/// "32-39", or "42" if it is one: as chmem takes them.
std::string range_numbers(const BlockRange& range);

/// Blocks as ranges, ascending, neither overlapping nor adjacent: equal sets have equal ranges.
/// What it costs grows with ranges, not with blocks.
class BlockSet {
 public:
  BlockSet() = default;
  /// In any order; they may overlap.
  explicit BlockSet(std::vector<BlockRange> ranges);

  /// At once behind the last range, as readers and plans go; elsewhere as long as the set is.
  void add(BlockRange range);
  void add(BlockId block) { add({block, block}); }
  void clear() { ranges_.clear(); }

  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] std::uint64_t count() const;  ///< of blocks
  [[nodiscard]] bool contains(BlockId block) const;
  [[nodiscard]] const std::vector<BlockRange>& ranges() const { return ranges_; }
  [[nodiscard]] auto begin() const { return ranges_.begin(); }
  [[nodiscard]] auto end() const { return ranges_.end(); }
  friend bool operator==(const BlockSet&, const BlockSet&) = default;

 private:
  std::vector<BlockRange> ranges_;
};

BlockSet unite(const BlockSet& one, const BlockSet& other);
BlockSet intersect(const BlockSet& one, const BlockSet& other);
/// The blocks of `all` that are not in `less`.
BlockSet subtract(const BlockSet& all, const BlockSet& less);

}  // namespace memonline::model
