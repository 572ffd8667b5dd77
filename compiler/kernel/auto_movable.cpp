// SPDX-License-Identifier: LGPL-2.1-or-later
// memory_hotplug.online_policy=auto-movable, kernels from 5.15 on: mm/memory_hotplug.c,
// auto_movable_zone_for_pfn(), auto_movable_can_online_movable(),
// auto_movable_stats_account_group(). All numbers are pages and divisions truncate, as there.
#include <algorithm>

#include "compiler/kernel/rules.hpp"

namespace memonline::kernel {

using model::Zone;

namespace {

struct Stats {
  std::int64_t kernel_early = 0;
  std::int64_t movable = 0;
};

Stats stats_of(const NodeState& node) {
  Stats stats;
  for (std::size_t z = 0; z < model::kZoneCount; ++z) {
    const ZoneState& zone = node.zones[z];
    if (zone.present == 0) continue;  // for_each_populated_zone()
    if (static_cast<Zone>(z) == Zone::Movable) {
      stats.movable += static_cast<std::int64_t>(zone.present);
    } else if (static_cast<Zone>(z) != Zone::Device) {
      stats.kernel_early +=
          static_cast<std::int64_t>(zone.early) - static_cast<std::int64_t>(zone.cma);
      stats.movable += static_cast<std::int64_t>(zone.cma);
    }
  }
  return stats;
}

// How many more pages may become Movable in a scope: negative if none. `groups` are the dynamic
// groups of the scope other than the current one.
std::int64_t room(Stats stats, const std::vector<const GroupState*>& groups,
                  const GroupState& current, std::int64_t ratio) {
  std::int64_t required_kernel = 0;
  std::int64_t in_groups = 0;
  for (const GroupState* group : groups) {
    const auto movable = static_cast<std::int64_t>(group->movable);
    required_kernel +=
        std::max<std::int64_t>(0, movable * 100 / ratio - static_cast<std::int64_t>(group->kernel));
    in_groups += movable;
  }
  if (stats.kernel_early <= required_kernel) return -1;
  stats.kernel_early -= required_kernel;
  stats.movable -= in_groups;
  if (current.kind == GroupState::Kind::Dynamic)
    stats.kernel_early += static_cast<std::int64_t>(current.kernel);
  return ratio * stats.kernel_early / 100 - stats.movable;
}

std::vector<const GroupState*> other_dynamic_groups(const MemoryState& state, std::uint32_t device,
                                                    std::optional<model::NodeId> only_node) {
  std::vector<const GroupState*> groups;
  for (std::uint32_t i = 0; i < state.groups.size(); ++i) {
    if (i == device || state.groups[i].kind != GroupState::Kind::Dynamic) continue;
    // A device has one node; any of its runs has it.
    const auto on_node = [&](const auto& entry) {
      return entry.second.device == i && entry.second.node == only_node;
    };
    if (!only_node || std::any_of(state.runs.begin(), state.runs.end(), on_node))
      groups.push_back(&state.groups[i]);
  }
  return groups;
}

// The least n in [1, most] for which enough(n) is true, as it is for all above; `most` if there is
// none.
template <class Enough>
std::uint64_t fewest(std::uint64_t most, Enough enough) {
  std::uint64_t low = 1;
  while (low < most) {
    const std::uint64_t middle = low + (most - low) / 2;
    if (enough(middle))
      most = middle;
    else
      low = middle + 1;
  }
  return low;
}

}  // namespace

Chosen choose_auto_movable(const MemoryState& state, const StateRun& run, Piece piece) {
  const NodeState& node = state.node_of(run);
  const Zone kernel = state.kernel_zone(node, state.pages(piece.first, piece.count));
  const GroupState& group = state.groups[run.device];
  if (state.ratio == 0) return {kernel, piece.count};

  const auto per_block = static_cast<std::int64_t>(state.pages_per_block);
  std::int64_t need = per_block;
  if (group.kind == GroupState::Kind::Static) {
    if (group.kernel > 0) return {kernel, piece.count};  // one kernel block binds the whole device
    need = static_cast<std::int64_t>(group.max_pages) - static_cast<std::int64_t>(group.movable);
  }

  Stats all;
  for (const auto& [id, each] : state.nodes) {
    const Stats stats = stats_of(each);
    all.kernel_early += stats.kernel_early;
    all.movable += stats.movable;
  }
  const Stats own = stats_of(node);
  const auto others = other_dynamic_groups(state, run.device, std::nullopt);
  const bool by_node = state.numa_aware && run.node;
  const auto others_of_node = by_node ? other_dynamic_groups(state, run.device, run.node)
                                      : std::vector<const GroupState*>{};
  const auto ratio = static_cast<std::int64_t>(state.ratio);
  const bool early = state.devices[run.device].origin == model::Origin::Boot;
  // The room after so many more kernel blocks of this run. Boot memory makes room (kernel
  // rule 5.8), and so does a dynamic group for itself.
  const auto room_after = [&](std::uint64_t kernel_blocks) {
    const std::int64_t pages = static_cast<std::int64_t>(kernel_blocks) * per_block;
    GroupState grown = group;
    grown.kernel += static_cast<std::uint64_t>(pages);
    const auto with = [&](Stats stats) {
      if (early) stats.kernel_early += pages;
      return stats;
    };
    std::int64_t room_left = room(with(all), others, grown, ratio);
    if (by_node) room_left = std::min(room_left, room(with(own), others_of_node, grown, ratio));
    return room_left;
  };
  const std::int64_t free = room_after(0);

  if (group.kind == GroupState::Kind::Static) {
    if (need <= free) return {Zone::Movable, piece.count};
    // The kernel zone is that of as many pages as the device still needs, from this block on
    // (kernel rule 5.9). The next block finds the device bound, and gets the zone of its own pages.
    const std::uint64_t next = piece.descending ? piece.end() - 1 : piece.first;
    const std::uint64_t begin = state.pages(next, 1).begin;
    return {state.kernel_zone(node, {begin, begin + static_cast<std::uint64_t>(need)}), 1};
  }
  if (need <= free)
    return {Zone::Movable, std::min(piece.count, static_cast<std::uint64_t>(free / per_block))};
  if (!early && group.kind != GroupState::Kind::Dynamic) return {kernel, piece.count};
  // As many as it takes until the next block may be Movable.
  return {kernel, fewest(piece.count, [&](std::uint64_t n) { return need <= room_after(n); })};
}

}  // namespace memonline::kernel
