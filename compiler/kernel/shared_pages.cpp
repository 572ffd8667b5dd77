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
      : state_(state), ram_(map.ram), section_pages_(map.section_pages) {
    std::sort(ram_.begin(), ram_.end(),
              [](const PageRange& a, const PageRange& b) { return a.begin < b.begin; });
    for (const auto& [id, node] : state.nodes)
      for (const ZoneState& zone : node.zones)
        if (!zone.empty()) borders_.insert(borders_.end(), {zone.span.begin, zone.span.end});
    for (const PageRange& ram : ram_) borders_.insert(borders_.end(), {ram.begin, ram.end});
    std::sort(borders_.begin(), borders_.end());
  }

  std::vector<SharedPages> find() {
    // From the top down, because the owner of a hole lies above it.
    for (auto at = state_.runs.rbegin(); at != state_.runs.rend(); ++at) {
      const auto& [first, run] = *at;
      if (state_.devices[run.device].origin == model::Origin::Hotplugged) continue;
      const Owner whole{MemoryState::node_id(run),
                        run.online() && run.zone_known ? std::optional(run.zone) : std::nullopt};
      if (!above_) above_ = after_last_memory(first, run);
      if (!run.online() || !run.shared()) {
        above_ = whole;
        continue;
      }
      add_run(state_.pages(first, run.count), run, whole);
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

  // The highest zone of the node with the last memory. Of nodes that share a block, that is not
  // the lowest, which the block is listed under.
  [[nodiscard]] Owner after_last_memory(std::uint64_t first, const StateRun& run) const {
    model::NodeId node = MemoryState::node_id(run);
    const PageRange pages = state_.pages(first, run.count);
    if (run.several_nodes) {
      const std::vector<std::uint64_t> cuts = cuts_of(pages);
      for (std::size_t i = cuts.size() - 1; i-- > 0;) {
        const PageRange part{cuts[i], cuts[i + 1]};
        if (!may_be_ram(part)) continue;
        if (const auto owner = owner_by_zones(run, part)) node = owner->node;
        break;
      }
    }
    return {node, highest_zone(node)};
  }

  // Borders of zones and of RAM inside the run, and the ends of the blocks that contain one:
  // between them, all pages are alike. The cost grows with borders, not with blocks.
  [[nodiscard]] std::vector<std::uint64_t> cuts_of(PageRange run) const {
    std::vector<std::uint64_t> cuts{run.begin, run.end};
    auto at = std::upper_bound(borders_.begin(), borders_.end(), run.begin);
    for (; at != borders_.end() && *at < run.end; ++at) {
      const std::uint64_t block = *at / state_.pages_per_block * state_.pages_per_block;
      cuts.insert(cuts.end(), {block, *at});
      if (*at > block) cuts.push_back(block + state_.pages_per_block);
    }
    std::sort(cuts.begin(), cuts.end());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    return cuts;
  }

  // Unknown without the firmware's map.
  [[nodiscard]] bool may_be_ram(PageRange part) const {
    const auto after =
        std::upper_bound(ram_.begin(), ram_.end(), part.begin,
                         [](std::uint64_t page, const PageRange& ram) { return page < ram.begin; });
    return ram_.empty() || (after != ram_.begin() && part.end <= std::prev(after)->end);
  }

  void add_run(PageRange pages, const StateRun& run, Owner whole) {
    const std::vector<std::uint64_t> cuts = cuts_of(pages);
    for (std::size_t i = cuts.size() - 1; i-- > 0;) {
      const PageRange part{cuts[i], cuts[i + 1]};
      std::optional<Owner> owner;
      if (may_be_ram(part))
        owner = run.mixed || run.several_nodes ? owner_by_zones(run, part) : std::optional(whole);
      if (owner) {
        above_ = owner;
        found_.push_back({part, owner->node, owner->zone});
      } else {
        add_hole(part, *above_);
      }
    }
  }

  // A hole has pages only in sections that contain memory.
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
  [[nodiscard]] std::optional<Owner> owner_by_zones(const StateRun& run, PageRange part) const {
    const bool ends_inside = part.end % state_.pages_per_block != 0;
    const bool begins_inside = part.begin % state_.pages_per_block != 0;
    std::optional<Owner> owner;
    std::size_t candidates = 0;
    for (const auto& [id, node] : state_.nodes) {
      if (!run.several_nodes && id != MemoryState::node_id(run)) continue;
      for (std::size_t z = 0; z < model::kZoneCount; ++z) {
        const PageRange span = node.zones.at(z).span;
        if (span.begin > part.begin || span.end < part.end) continue;
        const Owner candidate{id, static_cast<Zone>(z)};
        if ((ends_inside && span.end == part.end) || (begins_inside && span.begin == part.begin))
          return candidate;
        if (++candidates == 1) owner = candidate;
      }
    }
    if (owner && candidates > 1) owner->zone = std::nullopt;
    return owner;
  }

  const MemoryState& state_;
  std::vector<PageRange> ram_;  // ascending
  std::uint64_t section_pages_;
  std::vector<std::uint64_t> borders_;  // of zones and RAM, ascending
  std::optional<Owner> above_;          // of the lowest memory above
  std::vector<SharedPages> found_;
};

}  // namespace

std::vector<SharedPages> shared_pages(const MemoryState& state, const BootMap& map) {
  return Sharing(state, map).find();
}

}  // namespace memonline::kernel
