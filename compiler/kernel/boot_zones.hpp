// SPDX-License-Identifier: LGPL-2.1-or-later
// The effect of kernelcore=, movablecore= and movable_node at boot: mm/mm_init.c
// (mm/page_alloc.c before 6.4), find_zone_movable_pfns_for_nodes(); the same from 4.19 to 7.2
// (kernel rules 8.1 to 8.7).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "compiler/model/host.hpp"

namespace memonline::kernel {

/// Boot memory as memblock knows it, by node; nodes without memory are not in it.
struct BootNodeMemory {
  model::NodeId id;
  std::vector<model::PageRange> ranges;  ///< ascending, disjoint
  /// Where Movable begins with movable_node: the lowest page that the firmware calls hot-pluggable.
  /// Empty: there is none, or the node contains memory that the kernel needs early: then the kernel
  /// treats none of it as hot-pluggable (numa_clear_kernel_node_hotplug()).
  std::optional<std::uint64_t> hotpluggable_from = std::nullopt;
};
struct BootMemory {
  std::vector<BootNodeMemory> nodes;  ///< ascending ids
  /// The page at which each kernel zone ends; of a zone that this machine lacks, that of the one
  /// below. The last is the end of memory.
  std::array<std::uint64_t, model::kZoneCount> zone_ends{};
  std::uint64_t page_size = 4096;
  std::uint64_t max_order_pages = 1024;  ///< what the start of Movable is rounded to
  /// Whether hotpluggable_from can be trusted: x86-64 from 4.13 on (before, it takes
  /// CONFIG_MOVABLE_NODE; elsewhere, other code decides), and the firmware's table could be read.
  bool hotpluggable_known = false;
  [[nodiscard]] std::uint64_t pages() const;
};

/// The boot memory of a host. Empty nodes: the host does not show its firmware's map, or not which
/// node owns what.
BootMemory boot_memory_of(const model::Host& host);

/// kernelcore= or movablecore=: pages, or a percentage of all boot memory.
struct CoreAmount {
  std::uint64_t pages = 0;
  std::optional<std::uint64_t> percent;
};
/// As cmdline_parse_core() and memparse() read it; empty for what has no number in front, which the
/// kernel takes as 0. `kernelcore=mirror` is another thing: it goes by which memory is mirrored,
/// which no running system shows.
std::optional<CoreAmount> parse_core(std::string_view value, std::uint64_t page_size);

struct CoreRequest {
  std::optional<CoreAmount> kernelcore;
  std::optional<CoreAmount> movablecore;
  bool movable_node = false;  ///< the other two are ignored beside it
};

/// Present pages of each zone of a node after a boot with this request, as /proc/zoneinfo shows
/// them before any hotplug.
struct BootZones {
  model::NodeId id;
  std::uint64_t movable_start = 0;  ///< first page of Movable; 0: no Movable here
  std::array<std::uint64_t, model::kZoneCount> present{};
};
std::vector<BootZones> boot_zones(const BootMemory& memory, const CoreRequest& request);

}  // namespace memonline::kernel
