// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/dax_devices.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/model/dax.hpp"
#include "runtime/host/text.hpp"

namespace memonline::runtime {

namespace {

constexpr const char* kDevices = "sys/bus/dax/devices";
constexpr std::size_t kMaxDevices = 4096;
constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 50U;
constexpr std::uint64_t kMaxAddress = std::uint64_t{1} << 56U;
constexpr std::uint64_t kMaxNodes = 1024;  // MAX_NUMNODES where it is largest
constexpr std::uint64_t kMaxWays = 16;     // CXL_DECODER_MAX_INTERLEAVE

/// Where a link in `directory` leads: "a/b" and "../c/d" give "a/c/d". Empty: no link.
std::string behind(const Tree& tree, const std::string& directory, std::string_view name) {
  const auto link = tree.link(fmt::format("{}/{}", directory, name).c_str());
  if (!link) return "";
  std::vector<std::string_view> parts;
  const std::string joined = fmt::format("{}/{}", directory, *link);
  std::string_view rest = joined;
  while (!rest.empty()) {
    const std::string_view part = take_until(rest, '/');
    if (part == ".." && !parts.empty())
      parts.pop_back();
    else if (!part.empty() && part != "." && part != "..")
      parts.push_back(part);
  }
  return fmt::format("{}", fmt::join(parts, "/"));
}

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string word_in(const Tree& tree, const std::string& path) {
  const auto text = tree.attribute(path.c_str());
  return text ? ascii_only(trimmed(*text)) : std::string();
}

/// The first part of the path that is called `prefix` and a number, with all before it.
std::string up_to(std::string_view path, std::string_view prefix) {
  for (std::size_t end = path.find('/'); end != std::string_view::npos;
       end = path.find('/', end + 1))
    if (number_after(prefix, last_part(path.substr(0, end))))
      return std::string(path.substr(0, end));
  return "";
}

/// The memory devices that a CXL region interleaves, in its order.
std::vector<std::string> memory_devices_of(const Tree& tree, const std::string& region) {
  std::vector<std::string> found;
  for (std::uint64_t way = 0; way < kMaxWays; ++way) {
    const std::string decoder = word_in(tree, fmt::format("{}/target{}", region, way));
    if (decoder.empty() || decoder.find('/') != std::string::npos) break;
    const std::string path = behind(tree, "sys/bus/cxl/devices", decoder);
    const std::string device =
        behind(tree, path.substr(0, std::min(path.rfind('/'), path.size())), "uport");
    if (!device.empty()) found.push_back(ascii_only(last_part(device)));
  }
  return found;
}

/// Whole blocks of the device's ranges, as kmem adds them (dax_kmem_range(), drivers/dax/kmem.c).
std::vector<model::BlockRange> blocks_of(const Tree& tree, const std::string& path,
                                         model::Bytes block_size) {
  model::BlockSet blocks;
  if (block_size == model::Bytes(0)) return {};
  for (std::uint64_t i = 0; i < kMaxDevices; ++i) {
    const auto bound = [&](std::string_view name) {
      return hexadecimal(word_in(tree, fmt::format("{}/mapping{}/{}", path, i, name)));
    };
    const auto first = bound("start");
    const auto last = bound("end");
    if (!first || !last || *first > *last || *last > kMaxAddress) break;
    if (const auto part = model::blocks_within(*first, *last, block_size)) blocks.add(*part);
  }
  return blocks.ranges();
}

model::DaxDevice device_at(const Tree& tree, const std::string& name, model::Bytes block_size) {
  model::DaxDevice device;
  device.name = ascii_only(name);
  std::string path = behind(tree, kDevices, name);
  if (path.empty()) path = fmt::format("{}/{}", kDevices, name);
  device.driver = ascii_only(last_part(behind(tree, path, "driver")));
  const auto size = decimal(word_in(tree, path + "/size"));
  if (size && *size <= kMaxBytes) device.size = model::Bytes(*size);
  const auto node = decimal(word_in(tree, path + "/target_node"));
  if (node && *node < kMaxNodes) device.node = model::NodeId(static_cast<std::uint32_t>(*node));
  device.state = word_in(tree, path + "/state");
  device.blocks = blocks_of(tree, path, block_size);
  const std::string own_map = word_in(tree, path + "/memmap_on_memory");
  if (own_map == "0" || own_map == "1") device.own_map = own_map == "1";
  if (const std::string region = up_to(path, "region"); !region.empty()) {
    device.region = ascii_only(last_part(region));
    device.memory_devices = memory_devices_of(tree, region);
  }
  return device;
}

void read_tiers(const Tree& tree, model::Host& host) {
  constexpr const char* kTiers = "sys/devices/virtual/memory_tiering";
  std::vector<std::uint64_t> numbers;
  (void)tree.visit(kTiers, [&](std::string_view name) {
    if (const auto number = number_after("memory_tier", name)) numbers.push_back(*number);
  });
  std::sort(numbers.begin(), numbers.end());
  for (const std::uint64_t number : numbers) {
    const std::string nodes =
        word_in(tree, fmt::format("{}/memory_tier{}/nodelist", kTiers, number));
    model::MemoryTier tier{fmt::format("memory_tier{}", number), {}};
    for (const std::uint32_t node : list_of(nodes)) tier.nodes.emplace_back(node);
    if (!tier.nodes.empty()) host.memory_tiers.push_back(std::move(tier));
  }
  const std::string demotion = word_in(tree, "sys/kernel/mm/numa/demotion_enabled");
  if (demotion == "true" || demotion == "false") host.demotion = demotion == "true";
}

}  // namespace

void read_dax_devices(const Tree& tree, model::Host& host) {
  std::vector<std::string> names;
  (void)tree.visit(kDevices, [&](std::string_view name) {
    if (model::is_dax_name(name) && names.size() < kMaxDevices) names.emplace_back(name);
  });
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return std::pair(a.size(), a) < std::pair(b.size(), b);
  });
  for (const std::string& name : names)
    host.dax_devices.push_back(device_at(tree, name, host.block_size));
  // Blocks of the device are proof of its driver where a capture lacks the device's own files.
  for (model::DaxDevice& dax : host.dax_devices)
    if (dax.driver.empty() &&
        std::any_of(host.devices.begin(), host.devices.end(), [&](const model::Device& device) {
          return device.kind == model::Device::Kind::Dax && device.name == dax.name;
        }))
      dax.driver = "kmem";
  if (host.dax_devices.empty()) return;
  read_tiers(tree, host);
  if (tree.exists("sys/bus/dax/drivers")) host.kmem = tree.exists("sys/bus/dax/drivers/kmem");
}

}  // namespace memonline::runtime
