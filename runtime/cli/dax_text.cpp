// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/dax_text.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/model/dax.hpp"
#include "runtime/cli/table.hpp"

namespace memonline::cli {

namespace {

using model::DaxDevice;
using model::Host;

std::vector<Cell> row_of(const DaxDevice& device, const Host& host) {
  return {device.name,
          device.size > model::Bytes(0) ? model::human(device.size) : "-",
          device.node ? fmt::format("{}", *device.node) : "-",
          {or_dash(device.driver), device.is_system_ram() ? Tint::None : Tint::Attention},
          or_dash(device.region),
          or_dash(fmt::format("{}", fmt::join(device.memory_devices, ","))),
          device.node ? or_dash(std::string(model::tier_of(host, *device.node))) : "-",
          or_dash(device.state)};
}

std::string tiers_text(const Host& host) {
  if (host.memory_tiers.empty()) return "";
  std::vector<std::string> tiers;
  for (const model::MemoryTier& tier : host.memory_tiers) {
    std::vector<std::string> nodes;
    for (const model::NodeId node : tier.nodes) nodes.push_back(fmt::format("node{}", node));
    tiers.push_back(fmt::format("{} ({})", tier.name, fmt::join(nodes, ", ")));
  }
  return fmt::format("Memory tiers, fastest first: {}; demotion between them is {}.\n",
                     fmt::join(tiers, ", "),
                     !host.demotion   ? "unknown"
                     : *host.demotion ? "enabled"
                                      : "disabled");
}

}  // namespace

std::string dax_to_text(const Host& host, bool colored) {
  if (host.dax_devices.empty()) return "";
  std::vector<std::vector<Cell>> rows;
  rows.reserve(host.dax_devices.size());
  for (const DaxDevice& device : host.dax_devices) rows.push_back(row_of(device, host));
  std::string text = "\n" + table({{"DAX DEVICE"},
                                   {"SIZE", true},
                                   {"NODE", true},
                                   {"DRIVER"},
                                   {"REGION"},
                                   {"MEMORY DEVICE"},
                                   {"TIER"},
                                   {"LAST WRITTEN"}},
                                  rows, colored);
  for (const DaxDevice& device : host.dax_devices)
    if (const auto note = model::not_system_ram(host, device)) text += *note + "\n";
  return text + tiers_text(host);
}

}  // namespace memonline::cli
