// SPDX-License-Identifier: LGPL-2.1-or-later
// The rows of a picture of memory, before anything is drawn.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/model/host.hpp"

namespace memonline::render {

/// The kinds of memory that a picture distinguishes.
enum class Kind : std::uint8_t { Kernel, Movable, Several, Offline, Unknown };
inline constexpr std::size_t kKinds = 5;
struct KindText {
  char letter;
  std::string_view name;         ///< of a class in SVG
  std::string_view description;  ///< for the legend
};
const KindText& text_of(Kind kind);
Kind kind_of(const model::BlockRun& run);

/// Neighboring blocks of one kind within a row.
struct Part {
  Kind kind = Kind::Unknown;
  model::BlockId first, last;
  std::uint64_t at = 0;  ///< blocks of the row before it
  std::uint64_t count = 0;
  std::string zone;  ///< as the kernel spells it; empty: not online
};
struct Row {
  std::optional<model::NodeId> node;
  std::string device;
  std::uint64_t blocks = 0;
  std::vector<Part> parts;
};
/// By node, then along the addresses; blocks of an unknown node come last.
std::vector<Row> rows_of(const model::Host& host);
/// Of all rows.
std::uint64_t longest(const std::vector<Row>& rows);
/// Blocks of each kind.
std::array<std::uint64_t, kKinds> totals(const std::vector<Row>& rows);
/// "node0", "unknown node".
std::string node_name(const Row& row);
/// "memory32..39".
std::string part_name(const Part& part);

}  // namespace memonline::render
