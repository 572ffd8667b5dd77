// SPDX-License-Identifier: LGPL-2.1-or-later
// The picture of memory for a terminal.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "compiler/render/map.hpp"
#include "compiler/render/map_rows.hpp"
#include "compiler/text/columns.hpp"

namespace memonline::render {

namespace {

/// The terminal color of a kind.
std::string_view color_of(Kind kind) {
  switch (kind) {
    case Kind::Kernel: return "34";
    case Kind::Movable: return "32";
    case Kind::Several: return "35";
    case Kind::Offline: return "2";
    case Kind::Unknown: return "31";
  }
  return "0";
}

/// The kind with most blocks of a cell; of two with as many the one that comes first.
std::string cells_of(const Row& row, std::uint64_t per_cell) {
  std::string letters;
  auto part = row.parts.begin();
  for (std::uint64_t begin = 0; begin < row.blocks; begin += per_cell) {
    const std::uint64_t end = std::min(row.blocks, begin + per_cell);
    std::array<std::uint64_t, kKinds> in_cell{};
    while (part != row.parts.end() && part->at + part->count <= begin) ++part;
    for (auto one = part; one != row.parts.end() && one->at < end; ++one)
      in_cell.at(static_cast<std::size_t>(one->kind)) +=
          std::min(end, one->at + one->count) - std::max(begin, one->at);
    const auto most = std::max_element(in_cell.begin(), in_cell.end());
    letters += text_of(static_cast<Kind>(most - in_cell.begin())).letter;
  }
  return letters;
}

std::string colored(const std::string& letters) {
  std::string text;
  char last = 0;
  for (const char letter : letters) {
    for (std::size_t i = 0; letter != last && i < kKinds; ++i)
      if (const auto kind = static_cast<Kind>(i); text_of(kind).letter == letter)
        text += fmt::format("\033[0;{}m", color_of(kind));
    text += letter;
    last = letter;
  }
  return text + "\033[0m";
}

std::string legend(const model::Host& host, const std::vector<Row>& rows, std::uint64_t per_cell) {
  std::string text =
      fmt::format("\nEach character is {}", model::human(host.block_size * per_cell));
  text += per_cell == 1
              ? ", one memory block:\n"
              : fmt::format(", {} memory blocks; it shows the state of the majority:\n", per_cell);
  const auto sums = totals(rows);
  for (std::size_t i = 0; i < kKinds; ++i) {
    const KindText& kind = text_of(static_cast<Kind>(i));
    if (sums.at(i) > 0)
      text += fmt::format("  {}  {:<27} {}\n", kind.letter, kind.description,
                          model::human(host.block_size * sums.at(i)));
  }
  return text;
}

}  // namespace

std::string map_to_text(const model::Host& host, const MapStyle& style) {
  const std::vector<Row> rows = rows_of(host);
  const std::uint64_t columns = std::max<std::size_t>(style.columns, 1);
  const std::uint64_t per_cell =
      std::max<std::uint64_t>(1, (longest(rows) + columns - 1) / columns);
  std::vector<std::vector<std::string>> cells;
  for (const Row& row : rows) {
    const std::string letters = cells_of(row, per_cell);
    cells.push_back({row.device, model::human(host.block_size * row.blocks),
                     style.color ? colored(letters) : letters});
  }
  const auto lines = text::in_columns({{}, {text::Align::Right, 2, 8}, {}}, cells);
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i == 0 || rows[i - 1].node != rows[i].node)
      text += fmt::format("{}{}\n", i == 0 ? "" : "\n", node_name(rows[i]));
    text += lines[i] + "\n";
  }
  text += legend(host, rows, per_cell);
  std::uint64_t standby = 0;
  for (const model::BlockRange& range : host.standby) standby += range.count();
  if (standby > 0)
    text += fmt::format("\nStandby memory that is not configured: {}\n",
                        model::human(host.block_size * standby));
  return text;
}

}  // namespace memonline::render
