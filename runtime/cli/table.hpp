// SPDX-License-Identifier: LGPL-2.1-or-later
// Tables as util-linux prints them, by its own libsmartcols.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace memonline::cli {

struct Column {
  std::string name;
  bool right = false;
};

/// The meaning of a color; zones have those of `memonline map`. Colors are never the only sign: the
/// text of the cell says the same.
enum class Tint : std::uint8_t { None, Kernel, Movable, Several, Faint, Attention, Problem };

struct Cell {
  // A text is a cell without a color.
  Cell(std::string words) : text(std::move(words)) {}  // NOLINT(google-explicit-constructor)
  Cell(const char* words) : text(words) {}             // NOLINT(google-explicit-constructor)
  Cell(std::string words, Tint its) : text(std::move(words)), tint(its) {}
  std::string text;
  Tint tint = Tint::None;
};

/// What a cell without a text shows.
inline std::string or_dash(std::string text) { return text.empty() ? "-" : std::move(text); }

/// A row has a cell for each column. The table is as wide as its longest texts.
std::string table(const std::vector<Column>& columns, const std::vector<std::vector<Cell>>& rows,
                  bool colored);

}  // namespace memonline::cli
