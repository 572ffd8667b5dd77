// SPDX-License-Identifier: LGPL-2.1-or-later
// A write into `state` of memory blocks: which word, and which blocks in which order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "compiler/model/block_set.hpp"

namespace memonline::model {

/// Blocks in the order of their writes: first > last means from the highest block down.
struct WriteRun {
  BlockId first;
  BlockId last;
  [[nodiscard]] bool descending() const { return last < first; }
  [[nodiscard]] BlockId low() const { return descending() ? last : first; }
  [[nodiscard]] BlockId high() const { return descending() ? first : last; }
  [[nodiscard]] std::uint64_t count() const { return high() - low() + 1; }
  [[nodiscard]] BlockRange range() const { return {low(), high()}; }
  friend bool operator==(const WriteRun&, const WriteRun&) = default;
};

/// "memory40..41", "memory79..42", "memory7".
std::string range_name(const WriteRun& run);

enum class OnlineWord : std::uint8_t { Online, OnlineKernel, OnlineMovable };
/// The word that is written into `state`: "online", "online_kernel", "online_movable".
std::string_view online_word(OnlineWord word);

}  // namespace memonline::model
