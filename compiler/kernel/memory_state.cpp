// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/kernel/memory_state.hpp"

#include <algorithm>
#include <iterator>

#include "compiler/model/zone_evidence.hpp"

namespace memonline::kernel {

using model::State;
using model::ValidZones;
using model::Zone;

namespace {

std::uint64_t rounded_up(std::uint64_t pages, std::uint64_t unit) {
  return (pages + unit - 1) / unit * unit;
}

}  // namespace

void ZoneState::extend(PageRange r) {
  if (empty()) {
    span = r;
  } else {
    span.begin = std::min(span.begin, r.begin);
    span.end = std::max(span.end, r.end);
  }
}

void MemoryState::split_at(std::uint64_t block) {
  auto after = runs.upper_bound(block);
  if (after == runs.begin()) return;
  auto at = std::prev(after);
  const std::uint64_t offset = block - at->first;
  if (offset == 0 || offset >= at->second.count) return;
  StateRun tail = at->second;
  tail.count -= offset;
  at->second.count = offset;
  runs.emplace_hint(after, block, tail);
}

void MemoryState::merge_around(std::uint64_t first, std::uint64_t end) {
  auto at = runs.upper_bound(first);
  if (at != runs.begin()) at = std::prev(at);
  if (at != runs.begin()) at = std::prev(at);
  while (at != runs.end() && at->first <= end) {
    const auto next = std::next(at);
    if (next == runs.end()) break;
    if (at->first + at->second.count == next->first && at->second.same_kind(next->second)) {
      at->second.count += next->second.count;
      runs.erase(next);
    } else {
      at = next;
    }
  }
}

std::vector<std::uint64_t> MemoryState::boundaries(const NodeState& node, std::uint64_t first,
                                                   std::uint64_t end) const {
  std::vector<std::uint64_t> cuts;
  const auto cut = [&](std::uint64_t block) {
    if (block > first && block < end) cuts.push_back(block);
  };
  for (const ZoneState& zone : node.zones) {
    if (zone.empty()) continue;
    for (const std::uint64_t page : {zone.span.begin, zone.span.end}) {
      cut(page / pages_per_block);
      cut((page + pages_per_block - 1) / pages_per_block);
    }
  }
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  return cuts;
}

// Blocks of an unknown node belong to a separate node.
model::NodeId MemoryState::node_id(const StateRun& run) {
  return run.node.value_or(model::NodeId(0xffffffff));
}

const NodeState& MemoryState::node_of(const StateRun& run) const { return nodes.at(node_id(run)); }

NodeState& MemoryState::node_of(const StateRun& run) { return nodes[node_id(run)]; }

std::optional<ValidZones> MemoryState::zones_of_pages(std::uint64_t block) const {
  const PageRange range = pages(block, 1);
  const SharedPages* first = nullptr;
  for (auto at = shared_from(range.begin); at != shared.end() && at->pages.begin < range.end;
       ++at) {
    // The kernel checks one page in 1024, and does not compare the first one with the span.
    std::uint64_t low = rounded_up(std::max(at->pages.begin, range.begin), kLargestOrder);
    const std::uint64_t high =
        (std::min(at->pages.end, range.end) - 1) / kLargestOrder * kLargestOrder;
    if (low > high) continue;
    if (!at->zone) return std::nullopt;
    if (first == nullptr) {
      first = &*at;
      low += kLargestOrder;
    }
    const PageRange span = nodes.at(at->node)[*at->zone].span;
    const bool inside = low > high || (low >= span.begin && high < span.end);
    if (at->node != first->node || at->zone != first->zone || !inside)
      return ValidZones(ValidZones::Kind::None);
  }
  if (first == nullptr) return std::nullopt;
  return ValidZones{*first->zone};
}

std::vector<SharedPages>::const_iterator MemoryState::shared_from(std::uint64_t page) const {
  return std::lower_bound(
      shared.begin(), shared.end(), page,
      [](const SharedPages& part, std::uint64_t wanted) { return part.pages.end <= wanted; });
}

template <class Visit>
bool MemoryState::visit_pages(std::uint64_t first, const StateRun& run, model::NodeId node,
                              Zone zone, Visit visit) const {
  const PageRange range = pages(first, run.count);
  if (!run.online()) return false;
  const auto part = shared_from(range.begin);
  if (!run.shared() || part == shared.end() || part->pages.begin >= range.end) {
    const bool its = run.mixed || !run.zone_known || run.zone == zone;
    return node_id(run) == node && its && visit(range);
  }
  bool any = false;
  for (auto at = part; at != shared.end() && at->pages.begin < range.end; ++at)
    if (at->node == node && at->zone.value_or(zone) == zone) any |= visit(at->pages);
  return any;
}

std::optional<std::uint64_t> MemoryState::first_online(model::NodeId node, Zone zone,
                                                       PageRange within) const {
  std::uint64_t lowest = within.end;
  const auto visit = [&](PageRange range) {
    const std::uint64_t begin = rounded_up(std::max(range.begin, within.begin), subsection_pages);
    if (begin >= std::min(range.end, within.end)) return false;
    lowest = std::min(lowest, begin);
    return true;
  };
  auto at = runs.upper_bound(within.begin / pages_per_block);
  if (at != runs.begin()) --at;
  for (; at != runs.end() && at->first * pages_per_block < within.end; ++at)
    if (visit_pages(at->first, at->second, node, zone, visit)) return lowest;
  return std::nullopt;
}

std::optional<std::uint64_t> MemoryState::end_online(model::NodeId node, Zone zone,
                                                     PageRange within) const {
  std::uint64_t highest = within.begin;
  const auto visit = [&](PageRange range) {
    const std::uint64_t end = std::min(range.end, within.end) / subsection_pages * subsection_pages;
    if (end <= std::max(range.begin, within.begin)) return false;
    highest = std::max(highest, end);
    return true;
  };
  auto at = runs.lower_bound(rounded_up(within.end, pages_per_block) / pages_per_block);
  while (at != runs.begin()) {
    --at;
    if ((at->first + at->second.count) * pages_per_block <= within.begin) break;
    if (visit_pages(at->first, at->second, node, zone, visit)) return highest;
  }
  return std::nullopt;
}

Zone MemoryState::kernel_zone(const NodeState& node, PageRange range) const {
  for (Zone zone : {Zone::Dma, Zone::Dma32})
    if (node[zone].intersects(range)) return zone;
  return Zone::Normal;
}

namespace {

// The zone of equal blocks by `valid_zones` or, without it, by the spans.
std::optional<Zone> zone_in(const ValidZones& zones) {
  if (zones.kind() == ValidZones::Kind::Listed) return zones[0];
  if (zones.kind() == ValidZones::Kind::None) return Zone::Normal;
  return std::nullopt;
}

}  // namespace

std::optional<Zone> zone_of(const model::Host& host, const model::BlockRun& run) {
  if (run.zones.kind() != ValidZones::Kind::Unknown) return zone_in(run.zones);
  const auto parts = model::zone_parts(host, run);
  return parts.size() == 1 ? zone_in(parts.front().zones) : std::nullopt;
}

bool may_be_movable(const model::Host& host, const model::BlockRun& run) {
  return zone_of(host, run).value_or(Zone::Movable) == Zone::Movable;
}

GroupState group_of(const model::Device& device) {
  GroupState group;
  if (device.kind == model::Device::Kind::Dimm || device.kind == model::Device::Kind::Dax)
    group.kind = GroupState::Kind::Static;
  if (device.kind == model::Device::Kind::VirtioMem) group.kind = GroupState::Kind::Dynamic;
  return group;
}

namespace {

// Boot pages are not exported: what is present in a zone less the hot-added blocks online in it.
void count_early(MemoryState& state) {
  for (auto& [id, node] : state.nodes)
    for (ZoneState& zone : node.zones) zone.early = zone.present;
  for (const auto& [first, run] : state.runs) {
    if (!run.online() || !run.zone_known ||
        state.devices[run.device].origin != model::Origin::Hotplugged)
      continue;
    ZoneState& zone = state.node_of(run)[run.zone];
    zone.early -= std::min(zone.early, run.count * state.pages_per_block);
  }
}

// A run whose zone only the spans show, cut where they begin and end.
std::vector<model::BlockRun> alike(const model::Host& host, const model::BlockRun& run) {
  if (run.zones.kind() != ValidZones::Kind::Unknown) return {run};
  std::vector<model::BlockRun> pieces;
  for (const model::ZonePart& part : model::zone_parts(host, run)) {
    pieces.push_back(run);
    pieces.back().first = part.first;
    pieces.back().count = part.count;
    if (run.state == State::Online) pieces.back().zones = part.zones;
  }
  return pieces;
}

void add_run(MemoryState& state, const model::Host& host, const model::BlockRun& block_run) {
  StateRun run;
  run.count = block_run.count;
  run.node = block_run.node;
  run.several_nodes = block_run.several_nodes;
  run.device = block_run.device;
  run.state = block_run.state;
  run.holes = block_run.holes;
  run.mixed = block_run.zones.kind() == ValidZones::Kind::None;
  if (block_run.state == State::Online || model::is_era_a(host.era)) {
    const auto zone = zone_of(host, block_run);
    run.zone = zone.value_or(Zone::Normal);
    run.zone_known = zone.has_value() || !run.online();
  }
  const std::uint64_t first = block_run.first.value();
  const std::uint64_t pages = run.count * state.pages_per_block;
  NodeState& node = state.node_of(run);
  if (!host.zone_spans_known && run.online() && !run.mixed && run.zone_known) {
    node[run.zone].extend(state.pages(first, run.count));
    node[run.zone].present += pages;
    node[run.zone].managed += pages;
  }
  GroupState& group = state.groups[run.device];
  group.max_pages += pages;
  if (run.online() && run.zone_known)
    (run.zone == Zone::Movable ? group.movable : group.kernel) += pages;
  state.runs.emplace(first, run);
}

// From 5.5 to 5.14 `valid_zones` depends on the pages (kernel rule 4.9). If it contradicts the
// computed owners, the owners are unknown.
void forget_contradicted(MemoryState& state) {
  const std::uint64_t size = state.pages_per_block;
  std::optional<std::uint64_t> contradicted;
  for (SharedPages& part : state.shared) {
    const std::uint64_t block = part.pages.begin / size;
    const auto after = state.runs.upper_bound(block);
    if (after == state.runs.begin()) continue;
    const StateRun& run = std::prev(after)->second;
    // Once a part is forgotten, the others of its block no longer show the contradiction. All
    // blocks of a part that consists of whole blocks are alike.
    if (contradicted != block) {
      const auto zones = state.zones_of_pages(block);
      if (!zones || (zones->kind() == ValidZones::Kind::None) == run.mixed) continue;
      contradicted = block;
    }
    part.node = MemoryState::node_id(run);
    part.zone = std::nullopt;
  }
}

}  // namespace

MemoryState state_of(const model::Host& host) {
  MemoryState state;
  state.pages_per_block = std::max<std::uint64_t>(host.pages_per_block(), 1);
  state.subsection_pages = std::max<std::uint64_t>((std::uint64_t{2} << 20U) / host.page_size, 1);
  state.era = host.era;
  state.movable_node = host.movable_node();
  state.auto_movable = host.knobs.online_policy == "auto-movable";
  state.ratio = host.knobs.auto_movable_ratio.value_or(301);
  state.numa_aware = host.knobs.auto_movable_numa_aware.value_or(true);
  state.devices = host.devices;
  for (const model::Device& device : host.devices) state.groups.push_back(group_of(device));
  for (const model::Node& node : host.nodes) {
    NodeState& into = state.nodes[node.id];
    if (!host.zone_spans_known) continue;
    for (std::size_t z = 0; z < model::kZoneCount; ++z) {
      const model::ZoneSpan& from = node.zones[z];
      into.zones[z] = {from.pages(), from.present, 0, from.cma, from.managed};
    }
  }
  for (const model::BlockRun& block_run : host.blocks)
    for (const model::BlockRun& part : alike(host, block_run)) add_run(state, host, part);
  count_early(state);
  // SECTION_SIZE_BITS of arch/x86/include/asm/sparsemem.h
  const std::uint64_t section =
      host.arch == "x86_64" ? (std::uint64_t{1} << 27U) / host.page_size : 0;
  // Elsewhere, which sections were absent at boot is not known.
  const std::vector<PageRange> boot = section > 0 ? host.boot_memory : std::vector<PageRange>();
  if (host.zone_spans_known) state.shared = shared_pages(state, {boot, section});
  if (host.era == model::Era::C2) forget_contradicted(state);
  return state;
}

}  // namespace memonline::kernel
