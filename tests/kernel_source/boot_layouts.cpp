// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/kernel_source/boot_layouts.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "compiler/kernel/boot_zones.hpp"
#include "compiler/plan/sources.hpp"

namespace memonline::kernel_source {

namespace {

using kernel::BootMemory;
using model::NodeId;
using model::Zone;

BootMemory memory_of(const Boot& boot) {
  BootMemory memory;
  std::uint64_t end = 0;
  for (const ks_region& region : boot.regions) {
    const NodeId id(static_cast<std::uint32_t>(region.nid));
    if (memory.nodes.empty() || memory.nodes.back().id != id) memory.nodes.push_back({id, {}, {}});
    kernel::BootNodeMemory& node = memory.nodes.back();
    if (!node.ranges.empty() && node.ranges.back().end == region.begin)
      node.ranges.back().end = region.end;
    else
      node.ranges.push_back({region.begin, region.end});
    if (region.hotpluggable != 0 && !node.hotpluggable_from) node.hotpluggable_from = region.begin;
    end = region.end;
  }
  memory.zone_ends.fill(end);
  memory.zone_ends[static_cast<std::size_t>(Zone::Dma)] = std::min<std::uint64_t>(end, 4096);
  memory.zone_ends[static_cast<std::size_t>(Zone::Dma32)] =
      std::min<std::uint64_t>(end, 1UL << 20U);
  memory.hotpluggable_known = true;
  return memory;
}

std::optional<kernel::CoreAmount> amount(const std::string& value) {
  return value.empty() ? std::nullopt : kernel::parse_core(value, 4096);
}

std::optional<std::string> compare_layout(const ks_api& kernel, const Boot& boot) {
  start(kernel, boot);
  const BootMemory memory = memory_of(boot);
  const auto ours = kernel::boot_zones(
      memory, {amount(boot.kernelcore), amount(boot.movablecore), boot.movable_node});
  static constexpr std::array<Zone, 4> kZones{Zone::Dma, Zone::Dma32, Zone::Normal, Zone::Movable};
  for (const kernel::BootZones& node : ours) {
    const int nid = static_cast<int>(node.id.value());
    if (kernel.movable_start(nid) != node.movable_start)
      return fmt::format("{}node{}: the kernel begins Movable at page {}, the model at {}",
                         text_of(boot), nid, kernel.movable_start(nid), node.movable_start);
    for (std::size_t z = 0; z < kZones.size(); ++z) {
      ks_zone zone{};
      kernel.zone(nid, static_cast<int>(z), &zone);
      const std::uint64_t present = node.present[static_cast<std::size_t>(kZones[z])];
      if (zone.present != present)
        return fmt::format("{}node{} {}: the kernel has {} pages present, the model {}",
                           text_of(boot), nid, zone_name(kZones[z]), zone.present, present);
    }
  }
  return std::nullopt;
}

// Values as they are on real command lines, and cut or joined at random: below 64 bits, because up
// to 6.12 memparse() drops what is above, and 7.2 then takes the largest number.
std::string some_value(Random& random) {
  static constexpr std::array<std::string_view, 9> kNumbers{"0",   "1",  "7",    "50", "100",
                                                            "409", "0x", "0X1f", "077"};
  static constexpr std::array<std::string_view, 15> kUnits{"",  "",  "%", "K", "k",  "M",  "m", "G",
                                                           "g", "T", "t", "x", "K%", "Gg", "+"};
  std::string value;
  for (std::uint64_t i = below(random, 3); i > 0; --i) value += one_of(random, kNumbers);
  value += one_of(random, kUnits);
  if (value.size() < 4 && chance(random, 20))
    value = one_of(random, std::array{"1P", "7p", "1E", "3e"});
  return value;
}

std::optional<std::string> compare_parser(const ks_api& kernel, const std::string& value) {
  unsigned long pages = 0;
  unsigned long percent = 0;
  kernel.parse_core(value.c_str(), &pages, &percent);
  // What has no number in front is 0 to the kernel.
  const kernel::CoreAmount ours = kernel::parse_core(value, 4096).value_or(kernel::CoreAmount{});
  if (ours.percent.value_or(0) == percent && (percent != 0 || ours.pages == pages))
    return std::nullopt;
  return fmt::format("kernelcore={}: the kernel reads {} pages, {} %, the model {} pages, {} %",
                     value, pages, percent, ours.pages, ours.percent.value_or(0));
}

// Whether the blocks of a DIMM hold their own memory map where memmap_on_memory is on.
std::optional<std::string> compare_map(const ks_api& kernel, Random& random) {
  const std::uint64_t block_pages = std::uint64_t{512} << below(random, 13);
  const std::uint64_t blocks = 1 + below(random, 3);
  const int answer = kernel.supports_memmap(block_pages, blocks);
  if (answer < 0) return std::nullopt;
  model::Host host;
  host.arch = "x86_64";
  host.block_size = model::Bytes(block_pages * 4096);
  host.knobs.memmap_on_memory = "Y";
  host.facts.memmap_pages = std::string_view(kernel.version) != "6.1";  // from 6.8 on
  const bool ours = plan::holds_own_map(host, plan::Source::Dimm, blocks);
  if (ours == (answer != 0)) return std::nullopt;
  return fmt::format("{} blocks of {} pages: the kernel {} their own memory map, the model {}",
                     blocks, block_pages, answer != 0 ? "uses" : "does not use",
                     ours ? "uses it" : "does not");
}

}  // namespace

std::optional<std::string> boot_layout(const ks_api& kernel, Random& random, std::uint64_t& steps) {
  for (int i = 0; i < 4; ++i) {
    steps += 3;
    if (auto difference = compare_layout(kernel, random_boot(random))) return difference;
    if (auto difference = compare_parser(kernel, some_value(random))) return difference;
    if (auto difference = compare_map(kernel, random)) return difference;
  }
  return std::nullopt;
}

}  // namespace memonline::kernel_source
