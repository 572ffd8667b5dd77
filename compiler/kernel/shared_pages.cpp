// SPDX-License-Identifier: LGPL-2.1-or-later
// Whose the pages of blocks are that zones or nodes share, or that have holes. Boot lays zones out
// in their order and without overlap, and gives the pages of a hole to the zone of the memory that
// follows it; after the last memory, to the highest zone of its node.
#include <algorithm>
#include <iterator>

#include "compiler/kernel/memory_state.hpp"

namespace memonline::kernel {

using model::Zone;

namespace {

struct Owner {
  model::NodeId node;
  std::optional<Zone> zone;
};

class Sharing {
 public:
  Sharing(const MemoryState& state, const BootMap& map)
      : state_(state), boot_memory_(map.ram), section_pages_(map.section_pages) {}

  std::vector<SharedPages> find() {
    // From the top down, because the owner of a hole lies above it.
    for (auto at = state_.runs.rbegin(); at != state_.runs.rend(); ++at) {
      const auto& [first, run] = *at;
      if (state_.devices[run.device].origin == model::Origin::Hotplugged) continue;
      const Owner whole{MemoryState::node_id(run),
                        run.online() && run.zone_known ? std::optional(run.zone) : std::nullopt};
      if (!above_) above_ = Owner{whole.node, highest_zone(whole.node)};
      if (!run.online() || !run.shared()) {
        above_ = whole;
        continue;
      }
      for (std::uint64_t block = first + run.count; block-- > first;)
        add_block(state_.pages(block, 1), run, whole);
    }
    std::reverse(found_.begin(), found_.end());
    return std::move(found_);
  }

 private:
  [[nodiscard]] std::optional<Zone> highest_zone(model::NodeId node) const {
    const auto at = state_.nodes.find(node);
    for (std::size_t z = model::kZoneCount; at != state_.nodes.end() && z-- > 0;)
      if (at->second.zones.at(z).early > 0) return static_cast<Zone>(z);
    return std::nullopt;
  }

  // Borders inside the block: of zones, and of RAM.
  [[nodiscard]] std::vector<std::uint64_t> cuts_of(PageRange block) const {
    std::vector<std::uint64_t> cuts{block.begin, block.end};
    const auto cut = [&](std::uint64_t page) {
      if (page > block.begin && page < block.end) cuts.push_back(page);
    };
    for (const auto& [id, node] : state_.nodes)
      for (const ZoneState& zone : node.zones)
        if (!zone.empty()) cut(zone.span.begin), cut(zone.span.end);
    for (const PageRange& ram : boot_memory_) cut(ram.begin), cut(ram.end);
    std::sort(cuts.begin(), cuts.end());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    return cuts;
  }

  // Unknown without the firmware's map.
  [[nodiscard]] bool may_be_ram(PageRange part) const {
    return boot_memory_.empty() ||
           std::any_of(boot_memory_.begin(), boot_memory_.end(), [&](const PageRange& ram) {
             return ram.begin <= part.begin && part.end <= ram.end;
           });
  }

  void add_block(PageRange block, const StateRun& run, Owner whole) {
    const std::vector<std::uint64_t> cuts = cuts_of(block);
    for (std::size_t i = cuts.size() - 1; i-- > 0;) {
      const PageRange part{cuts[i], cuts[i + 1]};
      std::optional<Owner> owner;
      if (may_be_ram(part))
        owner = run.mixed || run.several_nodes ? owner_by_zones(block, part) : std::optional(whole);
      if (owner) {
        above_ = owner;
        found_.push_back({part, owner->node, owner->zone});
      } else {
        add_hole(part, *above_);
      }
    }
  }

  // Only in sections that have memory a hole has pages.
  void add_hole(PageRange hole, Owner owner) {
    const std::uint64_t section = section_pages_ == 0 ? state_.pages_per_block : section_pages_;
    const std::uint64_t low_end = (hole.begin + section - 1) / section * section;
    const std::uint64_t high_begin = hole.end / section * section;
    if (low_end >= high_begin) {
      found_.push_back({hole, owner.node, owner.zone});
      return;
    }
    if (high_begin < hole.end) found_.push_back({{high_begin, hole.end}, owner.node, owner.zone});
    if (hole.begin < low_end) found_.push_back({{hole.begin, low_end}, owner.node, owner.zone});
  }

  // Hot-added memory comes in whole blocks: a zone that begins or ends inside a block does so where
  // its pages do.
  [[nodiscard]] std::optional<Owner> owner_by_zones(PageRange block, PageRange part) const {
    std::optional<Owner> owner;
    std::size_t candidates = 0;
    for (const auto& [id, node] : state_.nodes)
      for (std::size_t z = 0; z < model::kZoneCount; ++z) {
        const PageRange span = node.zones.at(z).span;
        if (span.begin > part.begin || span.end < part.end) continue;
        const Owner candidate{id, static_cast<Zone>(z)};
        if (part.end < block.end && span.end == part.end) return candidate;
        if (part.begin > block.begin && span.begin == part.begin) return candidate;
        if (++candidates == 1) owner = candidate;
      }
    if (owner && candidates > 1) owner->zone = std::nullopt;
    return owner;
  }

  const MemoryState& state_;
  const std::vector<PageRange>& boot_memory_;
  std::uint64_t section_pages_;
  std::optional<Owner> above_;  // of the lowest memory above
  std::vector<SharedPages> found_;
};

}  // namespace

std::vector<SharedPages> shared_pages(const MemoryState& state, const BootMap& map) {
  return Sharing(state, map).find();
}

}  // namespace memonline::kernel
