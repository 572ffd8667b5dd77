// SPDX-License-Identifier: LGPL-2.1-or-later
// Lines of texts in columns. The command line's tables are libsmartcols', which needs a locale and
// files; the compiler has neither.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace memonline::text {

enum class Align : std::uint8_t { Left, Right };

struct Column {
  Align align = Align::Left;
  std::size_t gap = 2;    ///< blanks before it
  std::size_t least = 0;  ///< width, if no text of the column is wider
};

/// One line per row, without blanks and a newline at its end. Each column is as wide as its widest
/// text on a terminal. Each row has as many texts as there are columns.
std::vector<std::string> in_columns(const std::vector<Column>& columns,
                                    const std::vector<std::vector<std::string>>& rows);

}  // namespace memonline::text
