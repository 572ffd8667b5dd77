// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/lsmem.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/host/finish.hpp"
#include "runtime/host/text.hpp"

namespace memonline::runtime {

namespace {

using Json = nlohmann::json;
using model::BlockRun;
using model::State;
using model::ValidZones;

constexpr std::uint64_t kMax = std::uint64_t{1} << 60U;

/// A value as text, whatever its type; empty where it is missing or null.
std::string text_at(const Json& row, const char* key) {
  const auto at = row.find(key);
  if (at == row.end() || at->is_null()) return {};
  if (at->is_string()) return at->get<std::string>();
  if (at->is_number_unsigned()) return std::to_string(at->get<std::uint64_t>());
  return {};
}

/// "134217728" or "128M" or "1.5G".
std::optional<std::uint64_t> size_of(std::string_view text) {
  constexpr std::string_view kUnits = "KMGTP";
  unsigned shift = 0;
  const std::size_t unit = text.empty() ? std::string_view::npos : kUnits.find(text.back());
  if (unit != std::string_view::npos) shift = 10 * (static_cast<unsigned>(unit) + 1);
  if (unit != std::string_view::npos || (!text.empty() && text.back() == 'B'))
    text.remove_suffix(1);
  const auto whole = decimal(take_until(text, '.'));
  const auto tenths = text.empty() ? std::optional<std::uint64_t>(0) : decimal(text);
  if (!whole || !tenths || *tenths > 9 || *whole > (kMax >> shift)) return std::nullopt;
  return (*whole << shift) + ((*tenths << shift) / 10);
}

struct Numbers {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

/// "32-35", "7", "0x00-0x7f".
template <class Parse>
std::optional<Numbers> range_of(std::string_view text, Parse parse) {
  const auto first = parse(take_until(text, '-'));
  const auto last = text.empty() ? first : parse(text);
  if (!first || !last || *last < *first || *last >= kMax) return std::nullopt;
  return Numbers{*first, *last};
}

State state_of_row(const std::string& text) {
  if (text == "online") return State::Online;
  if (text == "offline") return State::Offline;
  if (text == "on->off" || text == "going-offline") return State::GoingOffline;
  return State::Unknown;
}

/// "Normal/Movable", "None". Nothing at all is ambiguous: an empty file or none.
ValidZones zones_of_row(std::string_view text) {
  if (text == "None") return ValidZones(ValidZones::Kind::None);
  ValidZones zones;
  std::size_t count = 0;
  while (!text.empty()) {
    const std::string_view name = take_until(text, '/');
    const auto zone = name == "Highmem" ? model::Zone::HighMem : model::zone_named(name);
    if (!zone || ++count > 4) return {};
    zones.push_back(*zone);
  }
  return zones;
}

std::optional<std::uint64_t> block_size_of(const Json& row, const Numbers& blocks) {
  const std::uint64_t count = blocks.last - blocks.first + 1;
  std::optional<std::uint64_t> size;
  if (const auto range = range_of(text_at(row, "range"), hexadecimal))
    size = range->last - range->first + 1;
  else
    size = size_of(text_at(row, "size"));
  if (!size || *size % count != 0 || *size / count < 4096) return std::nullopt;
  return *size / count;
}

Result<BlockRun, std::string> run_of(const Json& row, std::uint64_t& block_size) {
  if (!row.is_object()) return fail(std::string("not an object"));
  const auto blocks = range_of(text_at(row, "block"), decimal);
  if (!blocks) return fail(std::string("missing or invalid column BLOCK"));
  const auto size = block_size_of(row, *blocks);
  if (!size) return fail(std::string("columns RANGE and SIZE are missing, or do not match BLOCK"));
  if (block_size != 0 && block_size != *size)
    return fail(fmt::format("blocks of {} bytes, but {} bytes in earlier rows", *size, block_size));
  block_size = *size;
  if (blocks->last >= UINT64_MAX / 2 / *size) return fail(std::string("address out of range"));
  BlockRun run;
  run.first = model::BlockId(blocks->first);
  run.count = blocks->last - blocks->first + 1;
  run.state = state_of_row(text_at(row, "state"));
  run.zones = zones_of_row(text_at(row, "zones"));
  if (const auto node = decimal(text_at(row, "node")); node && *node < 65536)
    run.node = model::NodeId(static_cast<std::uint32_t>(*node));
  return run;
}

}  // namespace

Result<model::Host, HostError> read_lsmem(std::string_view json) {
  const Json document = Json::parse(json, nullptr, false);
  if (document.is_discarded()) return fail(HostError{"", "invalid JSON"});
  const auto rows = document.is_object() ? document.find("memory") : document.end();
  if (!document.is_object() || rows == document.end() || !rows->is_array())
    return fail(HostError{"", "not the output of `lsmem --json`: no list `memory`"});

  model::Host host;
  std::uint64_t block_size = 0;
  std::vector<BlockRun> runs;
  for (const Json& row : *rows) {
    auto run = run_of(row, block_size);
    if (!run)
      return fail(HostError{"", fmt::format("row {} of lsmem: {}", runs.size() + 1, run.error())});
    runs.push_back(*run);
  }
  std::sort(runs.begin(), runs.end(),
            [](const BlockRun& a, const BlockRun& b) { return a.first < b.first; });
  std::set<model::NodeId> nodes;
  for (const BlockRun& run : runs) {
    if (!host.blocks.empty() && run.first < host.blocks.back().end())
      return fail(HostError{"", fmt::format("block {} is in two rows of lsmem", run.first)});
    if (run.zones.kind() != ValidZones::Kind::Unknown) host.facts.valid_zones = true;
    if (run.node) nodes.insert(*run.node);
    model::append_run(host.blocks, run);
  }
  host.block_size = model::Bytes(block_size);
  host.devices.emplace_back();
  for (const model::NodeId id : nodes) host.nodes.emplace_back().id = id;
  host.unread.push_back({"lsmem",
                         "does not report devices, zone spans, kernel settings, the kernel command "
                         "line or the machine"});
  finish(host);
  return host;
}

}  // namespace memonline::runtime
