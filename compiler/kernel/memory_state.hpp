// SPDX-License-Identifier: LGPL-2.1-or-later
// The state of the kernel's memory on which zone decisions depend: blocks as runs, the
// span and the present pages of each zone of each node, the groups devices form. Rules read it;
// only Model changes it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "compiler/model/host.hpp"

namespace memonline::kernel {

using model::PageRange;

/// MAX_ORDER_NR_PAGES with pages of 4 KiB.
inline constexpr std::uint64_t kLargestOrder = 1024;

/// struct zone: the span is the hull with its holes, present what is online in it
/// (include/linux/mmzone.h).
struct ZoneState {
  PageRange span;  ///< begin == end: empty
  std::uint64_t present = 0;
  std::uint64_t early = 0;  ///< present pages of boot memory (present_early_pages, 5.15+)
  std::uint64_t cma = 0;
  std::uint64_t managed = 0;
  [[nodiscard]] bool empty() const { return span.begin == span.end; }
  /// zone_intersects(): by span, not by what is present.
  [[nodiscard]] bool intersects(PageRange r) const {
    return !empty() && r.begin < span.end && r.end > span.begin;
  }
  void extend(PageRange r);
};

struct NodeState {
  std::array<ZoneState, model::kZoneCount> zones{};
  [[nodiscard]] const ZoneState& operator[](model::Zone z) const {
    return zones[static_cast<std::size_t>(z)];
  }
  [[nodiscard]] ZoneState& operator[](model::Zone z) { return zones[static_cast<std::size_t>(z)]; }
};

/// Blocks of one node, device, state and zone.
struct StateRun {
  std::uint64_t count = 1;
  std::optional<model::NodeId> node;
  bool several_nodes = false;
  std::uint32_t device = 0;
  model::State state = model::State::Offline;
  bool mixed = false;                      ///< valid_zones says `none`
  bool holes = false;                      ///< part of each block is not RAM
  model::Zone zone = model::Zone::Normal;  ///< online: where it is; offline in era A: bound to it
  bool zone_known = true;                  ///< false: `zone` is a guess, and nothing counts it
  [[nodiscard]] bool online() const { return state == model::State::Online; }
  /// Its pages may be of several zones: those of holes belong to the zone of what follows.
  [[nodiscard]] bool shared() const { return mixed || several_nodes || holes; }
  [[nodiscard]] bool same_kind(const StateRun& o) const {
    return node == o.node && several_nodes == o.several_nodes && device == o.device &&
           state == o.state && mixed == o.mixed && holes == o.holes && zone == o.zone &&
           zone_known == o.zone_known;
  }
};

/// The owner of some pages of blocks that have holes or that several zones share. Such a block
/// never goes offline (from 5.5 on), so this never changes.
struct SharedPages {
  PageRange pages;
  model::NodeId node;
  std::optional<model::Zone> zone;  ///< empty: the host does not show it
};

/// A memory group (drivers/base/memory.c, 5.15+) by device: static for DIMMs and dax devices, whose
/// whole size is known, dynamic for virtio-mem, whose unit is taken to be one block.
struct GroupState {
  enum class Kind : std::uint8_t { None, Static, Dynamic } kind = Kind::None;
  std::uint64_t max_pages = 0;
  std::uint64_t kernel = 0;  ///< present pages in kernel zones
  std::uint64_t movable = 0;
};

struct MemoryState {
  std::map<std::uint64_t, StateRun> runs;  ///< by first block id
  std::map<model::NodeId, NodeState> nodes;
  std::vector<SharedPages> shared;  ///< ascending, disjoint; empty if the zone spans are unknown
  std::vector<model::Device> devices;
  std::vector<GroupState> groups;  ///< by device index
  std::uint64_t pages_per_block = 32768;
  std::uint64_t subsection_pages = 512;  ///< 2 MiB (include/linux/mmzone.h, SUBSECTION_SHIFT)
  model::Era era = model::Era::D;
  bool movable_node = false;
  bool auto_movable = false;
  std::uint64_t ratio = 301;
  bool numa_aware = true;

  [[nodiscard]] PageRange pages(std::uint64_t first, std::uint64_t count) const {
    return {first * pages_per_block, (first + count) * pages_per_block};
  }
  /// Splits so that a run starts at `block` (no effect where there is none or one already).
  void split_at(std::uint64_t block);
  /// Joins equal neighbors around [first, end).
  void merge_around(std::uint64_t first, std::uint64_t end);
  /// Block ids in (first, end) where a zone of the node starts or ends, ascending: between them
  /// every block answers alike. A boundary inside a block separates that block.
  [[nodiscard]] std::vector<std::uint64_t> boundaries(const NodeState& node, std::uint64_t first,
                                                      std::uint64_t end) const;
  /// The first of `shared` that ends after the page.
  [[nodiscard]] std::vector<SharedPages>::const_iterator shared_from(std::uint64_t page) const;
  [[nodiscard]] static model::NodeId node_id(const StateRun& run);
  [[nodiscard]] const NodeState& node_of(const StateRun& run) const;
  [[nodiscard]] NodeState& node_of(const StateRun& run);
  /// The first online page of a zone in `within`, and the page after the last, as the kernel finds
  /// them: it looks at the first, or the last page of each subsection
  /// (kernel rule 7.5). Pages that the host does not show
  /// count for each zone that spans them.
  [[nodiscard]] std::optional<std::uint64_t> first_online(model::NodeId node, model::Zone zone,
                                                          PageRange within) const;
  [[nodiscard]] std::optional<std::uint64_t> end_online(model::NodeId node, model::Zone zone,
                                                        PageRange within) const;
  /// What `valid_zones` says up to 5.17 of an online block whose pages the host shows: their zone
  /// if it is one and spans them all, holes included (mm/memory_hotplug.c, test_pages_in_a_zone()).
  /// Empty: not known.
  [[nodiscard]] std::optional<model::ValidZones> zones_of_pages(std::uint64_t block) const;
  /// Calls visit(range) for each part of an online run that is in the zone; returns whether any
  /// call did.
  template <class Visit>
  bool visit_pages(std::uint64_t first, const StateRun& run, model::NodeId node, model::Zone zone,
                   Visit visit) const;
  /// First of DMA, DMA32 whose span the range meets, else Normal (default_kernel_zone_for_pfn).
  [[nodiscard]] model::Zone kernel_zone(const NodeState& node, PageRange range) const;
};

/// The firmware's map as far as it is known.
struct BootMap {
  const std::vector<PageRange>& ram;  ///< empty: unknown
  std::uint64_t section_pages = 0;    ///< in which the memory map is made; 0: unknown
};
/// Whose the pages of shared blocks are, ascending (mm/mm_init.c, memmap_init(); before 6.4 in
/// mm/page_alloc.c).
std::vector<SharedPages> shared_pages(const MemoryState& state, const BootMap& map);

/// The empty group that blocks of a device form.
GroupState group_of(const model::Device& device);

/// The state that a host shows. Unknown spans are the hulls of the online blocks.
MemoryState state_of(const model::Host& host);

/// The zone an online run of a host is in, `none` counted as a kernel zone; for an offline run in
/// era A the zone it was bound to when it was added. Empty: the host does not show it, or it
/// differs within the run.
std::optional<model::Zone> zone_of(const model::Host& host, const model::BlockRun& run);

/// Whether an online run may be in Movable for all that is known: what a limit has to count.
bool may_be_movable(const model::Host& host, const model::BlockRun& run);

}  // namespace memonline::kernel
