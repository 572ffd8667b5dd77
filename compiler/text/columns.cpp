// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/text/columns.hpp"

#include <algorithm>

#include "compiler/text/display_width.hpp"
#include "compiler/text/utf8.hpp"

namespace memonline::text {

namespace {

std::size_t width_of(const std::string& text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    width += length == 0 ? 1 : display_width(std::string_view(text).substr(at, length));
    at += std::max<std::size_t>(1, length);
  }
  return width;
}

}  // namespace

std::vector<std::string> in_columns(const std::vector<Column>& columns,
                                    const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  widths.reserve(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::size_t& width = widths.emplace_back(columns[i].least);
    for (const auto& row : rows) width = std::max(width, width_of(row[i]));
  }
  std::vector<std::string> lines;
  lines.reserve(rows.size());
  for (const auto& row : rows) {
    std::string& line = lines.emplace_back();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      line.append(columns[i].gap, ' ');
      const bool right = columns[i].align == Align::Right;
      // Blanks at the end would be removed: a text may be long, and a table has many lines.
      const bool padded = right || i + 1 < columns.size();
      const std::string padding(padded ? widths[i] - width_of(row[i]) : 0, ' ');
      line.append(right ? padding : row[i]).append(right ? row[i] : padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
  }
  return lines;
}

}  // namespace memonline::text
