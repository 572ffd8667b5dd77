// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/model/dax.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace memonline::model {

const DaxDevice* find_dax(const Host& host, std::string_view name) {
  const auto at = std::find_if(host.dax_devices.begin(), host.dax_devices.end(),
                               [&](const DaxDevice& device) { return device.name == name; });
  return at == host.dax_devices.end() ? nullptr : &*at;
}

std::string_view tier_of(const Host& host, NodeId node) {
  for (const MemoryTier& tier : host.memory_tiers)
    if (std::find(tier.nodes.begin(), tier.nodes.end(), node) != tier.nodes.end()) return tier.name;
  return {};
}

std::string dax_summary(const Host& host, const DaxDevice& device) {
  std::vector<std::string> parts;
  if (device.size > Bytes(0)) parts.push_back(human(device.size));
  if (!device.driver.empty()) parts.push_back("driver " + device.driver);
  if (!device.region.empty()) parts.push_back(device.region);
  for (const std::string& memory : device.memory_devices) parts.push_back(memory);
  if (device.node)
    if (const std::string_view tier = tier_of(host, *device.node); !tier.empty())
      parts.emplace_back(tier);
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::optional<std::string> not_system_ram(const DaxDevice& device) {
  if (device.is_system_ram()) return std::nullopt;
  // Without a size, the device's directory could not be read, and nor could its driver.
  if (device.driver.empty() && device.size == Bytes(0)) return std::nullopt;
  return fmt::format(
      "{} is not system RAM ({}): `daxctl reconfigure-device --mode=system-ram --no-online {}` "
      "adds its memory offline; the policy then applies to it.",
      device.name, device.driver.empty() ? "no driver" : "driver " + device.driver, device.name);
}

}  // namespace memonline::model
