// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/model/dax.hpp"

#include <algorithm>
#include <charconv>
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

std::optional<std::uint32_t> dimm_number(std::string_view name) {
  constexpr std::string_view kDimm = "dimm";
  std::uint32_t number = 0;
  if (!name.starts_with(kDimm) || name.size() == kDimm.size()) return std::nullopt;
  const char* const end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + kDimm.size(), end, number);
  return error == std::errc{} && stop == end ? std::optional(number) : std::nullopt;
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

namespace {

bool is_possible(const Host& host, NodeId node) {
  return host.possible_nodes.empty() ||
         std::any_of(
             host.possible_nodes.begin(), host.possible_nodes.end(),
             [&](const auto& range) { return range.first <= node && node <= range.second; });
}

bool has_block_in(const Host& host, const BlockRange& range) {
  const auto after =
      std::partition_point(host.blocks.begin(), host.blocks.end(),
                           [&](const BlockRun& run) { return run.last() < range.first; });
  return after != host.blocks.end() && after->first <= range.last;
}

// What the kernel would refuse.
std::optional<NotBindable> refused(const Host& host, const DaxDevice& device) {
  if (!device.node)
    return NotBindable{"it has no node (target_node), and kmem requires one",
                       "update the firmware, which assigns the node"};
  if (!is_possible(host, *device.node))
    return NotBindable{fmt::format("this host has no node{}", *device.node),
                       "the kernel refuses memory for a node that was not possible at boot"};
  for (const BlockRange& range : device.blocks) {
    if (has_block_in(host, range))
      return NotBindable{"memory blocks exist at its addresses",
                         "`memonline status` lists them with their devices"};
    if (host.address_limit > 0 && host.address_of(range.last) >= host.address_limit)
      return NotBindable{"its addresses are beyond what the kernel can map",
                         "place it below in the firmware's settings"};
  }
  return std::nullopt;
}

}  // namespace

bool touches(const BlockSet& blocks, const std::vector<BlockRange>& ranges) {
  const auto& all = blocks.ranges();
  return std::any_of(ranges.begin(), ranges.end(), [&](const BlockRange& range) {
    const auto at = std::partition_point(
        all.begin(), all.end(), [&](const BlockRange& one) { return one.last < range.first; });
    return at != all.end() && at->first <= range.last;
  });
}

BlockSet with_whole_devices(const Host& host, const BlockSet& blocks) {
  std::vector<BlockRange> all = blocks.ranges();
  for (const DaxDevice& device : host.dax_devices)
    if (!device.is_system_ram() && touches(blocks, device.blocks))
      all.insert(all.end(), device.blocks.begin(), device.blocks.end());
  return BlockSet(std::move(all));
}

BlockSet without_blocks(const Host& host) {
  std::vector<BlockRange> all = host.standby;
  for (const DaxDevice& device : host.dax_devices)
    if (!device.is_system_ram()) all.insert(all.end(), device.blocks.begin(), device.blocks.end());
  return BlockSet(std::move(all));
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
  if (auto why = refused(host, device)) return why;
  if (host.kmem == false)
    return NotBindable{"the driver kmem is not loaded",
                       "run `modprobe kmem` as root; to load it at boot, use /etc/modules-load.d"};
  return std::nullopt;
}

BlockSet bindable_blocks(const Host& host) {
  std::vector<BlockRange> all;
  for (const DaxDevice& device : host.dax_devices)
    if (!device.is_system_ram() && !not_bindable(host, device))
      all.insert(all.end(), device.blocks.begin(), device.blocks.end());
  return BlockSet(std::move(all));
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

std::optional<std::string> not_system_ram(const Host& host, const DaxDevice& device) {
  if (device.is_system_ram()) return std::nullopt;
  // Without a size, the device's directory could not be read, and nor could its driver.
  if (device.driver.empty() && device.size == Bytes(0)) return std::nullopt;
  if (const auto why = not_bindable(host, device); why && device.driver.empty())
    return fmt::format("{} is not system RAM (no driver), and cannot become it now: {}; {}",
                       device.name, why->why, why->help);
  if (device.driver.empty())
    return fmt::format(
        "{} is not system RAM (no driver): a rule such as `{} system-ram: movable` binds it to "
        "kmem and onlines it; `daxctl reconfigure-device --mode=system-ram --no-online {}` only "
        "adds its memory, offline",
        device.name, device.name, device.name);
  return fmt::format(
      "{} is not system RAM (driver {}), and a program may use /dev/{} (see `fuser -v`); if none "
      "does, `daxctl reconfigure-device --mode=system-ram --no-online {}` adds its memory offline, "
      "and the policy applies to it",
      device.name, device.driver, device.name, device.name);
}

}  // namespace memonline::model
