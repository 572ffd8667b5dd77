// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/render/map_rows.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "compiler/plan/drift.hpp"

namespace memonline::render {

const KindText& text_of(Kind kind) {
  static constexpr std::array<KindText, kKinds> kTexts{{
      {'N', "kernel", "a kernel zone"},
      {'M', "movable", "Movable"},
      {'#', "several", "several zones in one block"},
      {'.', "offline", "offline"},
      {'?', "unknown", "unknown"},
  }};
  return kTexts.at(static_cast<std::size_t>(kind));
}

Kind kind_of(const model::BlockRun& run) {
  if (run.state == model::State::Offline) return Kind::Offline;
  if (run.state != model::State::Online) return Kind::Unknown;
  if (run.zones.kind() == model::ValidZones::Kind::None) return Kind::Several;
  if (run.zones.size() == 0) return Kind::Unknown;
  return run.zones[0] == model::Zone::Movable ? Kind::Movable : Kind::Kernel;
}

std::vector<Row> rows_of(const model::Host& host) {
  // Nodes ascend, and unknown ones come last.
  using Key = std::pair<std::uint64_t, std::uint32_t>;
  std::vector<std::pair<Key, Row>> rows;
  std::map<Key, std::size_t> where;
  for (const model::BlockRun& run : host.blocks) {
    const Key key{run.node ? run.node->value() : UINT64_MAX, run.device};
    const auto [place, is_new] = where.emplace(key, rows.size());
    if (is_new) rows.emplace_back(key, Row{run.node, host.devices.at(run.device).name, 0, {}});
    Row& row = rows[place->second].second;
    const Kind kind = kind_of(run);
    std::string zone = plan::zone_text(run).value_or("");
    const bool continues = !row.parts.empty() && row.parts.back().kind == kind &&
                           row.parts.back().zone == zone && row.parts.back().last + 1 == run.first;
    if (continues) {
      row.parts.back().last = run.last();
      row.parts.back().count += run.count;
    } else {
      row.parts.push_back({kind, run.first, run.last(), row.blocks, run.count, std::move(zone)});
    }
    row.blocks += run.count;
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.first.first < b.first.first; });
  std::vector<Row> sorted;
  sorted.reserve(rows.size());
  for (auto& [key, row] : rows) sorted.push_back(std::move(row));
  return sorted;
}

std::uint64_t longest(const std::vector<Row>& rows) {
  std::uint64_t most = 0;
  for (const Row& row : rows) most = std::max(most, row.blocks);
  return most;
}

std::array<std::uint64_t, kKinds> totals(const std::vector<Row>& rows) {
  std::array<std::uint64_t, kKinds> sums{};
  for (const Row& row : rows)
    for (const Part& part : row.parts) sums.at(static_cast<std::size_t>(part.kind)) += part.count;
  return sums;
}

std::string node_name(const Row& row) {
  return row.node ? fmt::format("node{}", *row.node) : "unknown node";
}

std::string part_name(const Part& part) { return model::range_name(part.first, part.last); }

}  // namespace memonline::render
