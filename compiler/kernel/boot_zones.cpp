// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/kernel/boot_zones.hpp"

#include <algorithm>
#include <charconv>

#include "compiler/kernel/memory_state.hpp"

namespace memonline::kernel {

using model::PageRange;
using model::Zone;

namespace {

std::size_t index(Zone zone) { return static_cast<std::size_t>(zone); }

std::uint64_t rounded_up(std::uint64_t pages, std::uint64_t unit) {
  return (pages + unit - 1) / unit * unit;
}

/// The node that owns a page, by its block; where nodes share the block, by the zones' spans.
std::optional<model::NodeId> node_of(const model::Host& host, std::uint64_t pfn) {
  const model::BlockRun* run = host.find_block(model::BlockId(pfn / host.pages_per_block()));
  if (run == nullptr) return std::nullopt;
  if (!run->several_nodes) return run->node;
  for (const model::Node& node : host.nodes)
    for (const model::ZoneSpan& zone : node.zones)
      if (zone.contains(model::Pfn(pfn))) return node.id;
  return run->node;
}

void add_range(BootMemory& memory, model::NodeId id, PageRange range) {
  const auto at = std::lower_bound(
      memory.nodes.begin(), memory.nodes.end(), id,
      [](const BootNodeMemory& node, model::NodeId wanted) { return node.id < wanted; });
  const auto node =
      at != memory.nodes.end() && at->id == id ? at : memory.nodes.insert(at, {id, {}, {}});
  if (!node->ranges.empty() && node->ranges.back().end == range.begin)
    node->ranges.back().end = range.end;
  else
    node->ranges.push_back(range);
}

// Pages at which another node may begin: borders of blocks, and of zones inside a block.
std::uint64_t next_border(const model::Host& host, std::uint64_t pfn) {
  std::uint64_t next = (pfn / host.pages_per_block() + 1) * host.pages_per_block();
  for (const model::Node& node : host.nodes)
    for (const model::ZoneSpan& zone : node.zones)
      for (const std::uint64_t border : {zone.pages().begin, zone.pages().end})
        if (!zone.empty() && border > pfn) next = std::min(next, border);
  return next;
}

bool meet(const PageRange& a, const PageRange& b) { return a.begin < b.end && b.begin < a.end; }

// The first MiB, which the kernel keeps to itself (arch/x86/kernel/setup.c), its image, and the
// ramdisk. The kernel avoids hot-pluggable memory for its image
// (arch/x86/boot/compressed/acpi.c, from 5.1 on), so its present location is sufficient.
bool holds_early_memory(const model::Host& host, const BootNodeMemory& node) {
  const PageRange first_mib{0, (std::uint64_t{1} << 20U) / host.page_size};
  return std::any_of(node.ranges.begin(), node.ranges.end(), [&](const PageRange& range) {
    return meet(range, first_mib) ||
           std::any_of(host.early_memory.begin(), host.early_memory.end(),
                       [&](const PageRange& early) { return meet(range, early); });
  });
}

void note_hotpluggable(const model::Host& host, BootMemory& memory) {
  memory.hotpluggable_known =
      host.hotpluggable_memory && host.arch == "x86_64" && host.era >= model::Era::B;
  if (!memory.hotpluggable_known) return;
  for (BootNodeMemory& node : memory.nodes) {
    if (holds_early_memory(host, node)) continue;
    for (const PageRange& range : node.ranges)
      for (const PageRange& hot : *host.hotpluggable_memory)
        if (meet(range, hot) && !node.hotpluggable_from)
          node.hotpluggable_from = std::max(range.begin, hot.begin);
  }
}

// x86-64: arch/x86/mm/init.c, zone_sizes_init(). On other architectures the present zones show it:
// one ends where the next begins.
std::array<std::uint64_t, model::kZoneCount> zone_ends_of(const model::Host& host,
                                                          std::uint64_t end) {
  std::array<std::uint64_t, model::kZoneCount> ends{};
  ends.fill(end);
  if (host.arch == "x86_64") {
    ends[index(Zone::Dma)] = std::min<std::uint64_t>(end, 4096);
    ends[index(Zone::Dma32)] = std::min<std::uint64_t>(end, std::uint64_t{1} << 20U);
    return ends;
  }
  for (std::size_t zone = 0; zone < index(Zone::Movable); ++zone)
    for (const model::Node& node : host.nodes)
      for (std::size_t above = zone + 1; above < index(Zone::Movable); ++above)
        if (!node.zones.at(above).empty())
          ends.at(zone) = std::min(ends.at(zone), node.zones.at(above).pages().begin);
  return ends;
}

std::uint64_t pages_between(const BootNodeMemory& node, std::uint64_t first, std::uint64_t end) {
  std::uint64_t pages = 0;
  for (const PageRange& range : node.ranges) {
    const std::uint64_t from = std::max(range.begin, first);
    const std::uint64_t to = std::min(range.end, end);
    if (from < to) pages += to - from;
  }
  return pages;
}

struct KernelcoreSplit {
  const BootMemory& memory;
  std::uint64_t usable_start;  // the first page of the zone that Movable is cut from
  std::vector<std::uint64_t> starts;

  // One pass over the nodes; what of `required` is left.
  std::uint64_t pass(std::uint64_t required, std::uint64_t nodes) {
    std::uint64_t share = required / nodes;
    for (std::size_t i = 0; i < memory.nodes.size(); ++i) {
      if (required < share) share = required / nodes;
      std::uint64_t left = share;
      for (const PageRange& range : memory.nodes[i].ranges) {
        std::uint64_t from = std::max(range.begin, starts[i]);
        if (from >= range.end) continue;
        if (from < usable_start) {
          const std::uint64_t below = std::min(range.end, usable_start) - from;
          left -= std::min(below, left);
          required -= std::min(below, required);
          if (range.end <= usable_start) {
            starts[i] = range.end;
            continue;
          }
          from = usable_start;
        }
        const std::uint64_t size = std::min(range.end - from, left);
        starts[i] = from + size;
        required -= std::min(size, required);
        left -= size;
        if (left == 0) break;
      }
    }
    return required;
  }
};

std::uint64_t required_kernelcore(const BootMemory& memory, std::uint64_t total,
                                  const CoreRequest& request) {
  const auto pages_of = [&](const std::optional<CoreAmount>& amount) {
    if (!amount) return std::uint64_t{0};
    return amount->percent ? total * 100 * *amount->percent / 10000 : amount->pages;
  };
  std::uint64_t core = pages_of(request.kernelcore);
  if (const std::uint64_t movable = pages_of(request.movablecore); movable > 0)
    core = std::max(core, total - std::min(total, rounded_up(movable, memory.max_order_pages)));
  return core;
}

}  // namespace

std::uint64_t BootMemory::pages() const {
  std::uint64_t sum = 0;
  for (const BootNodeMemory& node : nodes)
    for (const PageRange& range : node.ranges) sum += range.end - range.begin;
  return sum;
}

BootMemory boot_memory_of(const model::Host& host) {
  BootMemory memory;
  memory.page_size = host.page_size;
  memory.max_order_pages = host.max_order_pages;
  if (!host.has_hotplug() || host.boot_memory.empty()) return memory;
  for (const PageRange& range : host.boot_memory)
    for (std::uint64_t at = range.begin; at < range.end;) {
      const std::uint64_t next = std::min(range.end, next_border(host, at));
      // A page of no block: above what the kernel took (mem=).
      if (const auto node = node_of(host, at)) add_range(memory, *node, {at, next});
      at = next;
    }
  std::uint64_t end = 0;
  for (const BootNodeMemory& node : memory.nodes) end = std::max(end, node.ranges.back().end);
  memory.zone_ends = zone_ends_of(host, end);
  note_hotpluggable(host, memory);
  return memory;
}

std::optional<CoreAmount> parse_core(std::string_view value, std::uint64_t page_size) {
  int base = 10;
  std::string_view digits = value;
  if (digits.substr(0, 2) == "0x" || digits.substr(0, 2) == "0X") {
    base = 16;
    digits.remove_prefix(2);
  } else if (digits.size() > 1 && digits.front() == '0') {
    base = 8;
  }
  std::uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (error != std::errc{}) return std::nullopt;
  const char unit = end == digits.data() + digits.size() ? '\0' : *end;
  if (unit == '%') return CoreAmount{0, number};
  constexpr std::string_view kUnits = "KMGTPE";
  const char upper = unit >= 'a' && unit <= 'z' ? static_cast<char>(unit - 'a' + 'A') : unit;
  if (const auto at = kUnits.find(upper); upper != '\0' && at != std::string_view::npos)
    number <<= 10U * (at + 1);
  return CoreAmount{number / page_size, std::nullopt};
}

std::vector<BootZones> boot_zones(const BootMemory& memory, const CoreRequest& request) {
  // Movable is cut from the highest kernel zone that has pages (find_usable_zone_for_movable()).
  std::size_t highest = index(Zone::Normal);
  const auto begins = [&](std::size_t zone) {
    return zone == 0 ? std::uint64_t{0} : memory.zone_ends.at(zone - 1);
  };
  while (highest > 0 && memory.zone_ends.at(highest) <= begins(highest)) --highest;
  KernelcoreSplit split{memory, begins(highest),
                        std::vector<std::uint64_t>(memory.nodes.size(), 0)};
  const std::uint64_t total = memory.pages();
  std::uint64_t required = request.movable_node ? 0 : required_kernelcore(memory, total, request);
  const bool wanted = request.movable_node || (required > 0 && required < total);
  for (std::size_t i = 0; request.movable_node && i < memory.nodes.size(); ++i) {
    const BootNodeMemory& node = memory.nodes[i];
    split.starts[i] = node.hotpluggable_from.value_or(node.ranges.back().end);
  }
  for (std::size_t nodes = memory.nodes.size(); required > 0 && wanted && nodes > 0;) {
    required = split.pass(required, nodes);
    if (--nodes == 0 || required <= nodes) break;
  }
  std::vector<BootZones> result;
  for (std::size_t i = 0; i < memory.nodes.size(); ++i) {
    const BootNodeMemory& node = memory.nodes[i];
    BootZones zones{node.id, rounded_up(split.starts[i], memory.max_order_pages), {}};
    const std::uint64_t end = node.ranges.back().end;
    if (!wanted || zones.movable_start >= end) zones.movable_start = 0;
    const std::uint64_t cut = zones.movable_start == 0 ? end : zones.movable_start;
    for (std::size_t zone = 0; zone <= highest; ++zone)
      zones.present.at(zone) =
          pages_between(node, begins(zone), std::min(memory.zone_ends.at(zone), cut));
    zones.present[index(Zone::Movable)] = pages_between(node, cut, end);
    result.push_back(zones);
  }
  return result;
}

}  // namespace memonline::kernel
