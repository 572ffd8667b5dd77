// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/model/dax.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace memonline::model {

bool is_dax_name(std::string_view name) {
  constexpr std::size_t kMost = 30;  // DAX_NAME_LEN
  if (!name.starts_with("dax") || name.size() > kMost) return false;
  const auto is_number = [](std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return '0' <= c && c <= '9'; });
  };
  name.remove_prefix(3);
  const std::size_t dot = name.find('.');
  return dot != std::string_view::npos && is_number(name.substr(0, dot)) &&
         is_number(name.substr(dot + 1));
}

const DaxDevice* find_dax(const Host& host, std::string_view name) {
  const auto at = std::find_if(host.dax_devices.begin(), host.dax_devices.end(),
                               [&](const DaxDevice& device) { return device.name == name; });
  return at == host.dax_devices.end() ? nullptr : &*at;
}

const DaxDevice* dax_with(const Host& host, BlockId block) {
  for (const DaxDevice& device : host.dax_devices)
    for (const BlockRange& range : device.blocks)
      if (range.contains(block)) return &device;
  return nullptr;
}

std::optional<NotBindable> not_bindable(const Host& host, const DaxDevice& device) {
  if (device.is_system_ram()) return std::nullopt;
  if (!device.driver.empty())
    return NotBindable{
        fmt::format("its driver is {}, and a program may use /dev/{}", device.driver, device.name),
        fmt::format("if no program uses it, unbind it as root: `echo {} "
                    ">/sys/bus/dax/drivers/{}/unbind`",
                    device.name, device.driver)};
  if (device.size == Bytes(0))
    return NotBindable{"its files in /sys cannot be read",
                       "run memonline as root, or capture the host as root"};
  if (device.blocks.empty() && device.size >= host.block_size * 2)
    return NotBindable{"its addresses cannot be read",
                       "run memonline as root, or capture the host as root"};
  if (device.blocks.empty())
    return NotBindable{fmt::format("it holds no whole memory block ({})", human(host.block_size)),
                       "create a larger device: see daxctl-create-device(1)"};
  if (!device.node)
    return NotBindable{"it has no node (target_node), and kmem requires one",
                       "update the firmware, which assigns the node"};
  if (host.kmem == false)
    return NotBindable{"the driver kmem is not loaded",
                       "run `modprobe kmem` as root; to load it at boot, use /etc/modules-load.d"};
  return std::nullopt;
}

BlockSet bindable_blocks(const Host& host) {
  BlockSet blocks;
  for (const DaxDevice& device : host.dax_devices)
    if (!device.is_system_ram() && !not_bindable(host, device))
      for (const BlockRange& range : device.blocks) blocks.add(range);
  return blocks;
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
  if (device.driver.empty())
    return fmt::format(
        "{} is not system RAM (no driver): a rule such as `{} system-ram: movable` binds it to "
        "kmem and onlines it; `daxctl reconfigure-device --mode=system-ram --no-online {}` only "
        "adds its memory, offline",
        device.name, device.name, device.name);
  return fmt::format(
      "{} is not system RAM (driver {}): `daxctl reconfigure-device --mode=system-ram --no-online "
      "{}` adds its memory offline; the policy then applies to it",
      device.name, device.driver, device.name);
}

}  // namespace memonline::model
