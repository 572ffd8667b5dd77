// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/room.hpp"

#include <algorithm>
#include <utility>

#include "compiler/kernel/memory_state.hpp"

namespace memonline::plan {

using model::Bytes;
using model::Host;
using model::NodeId;
using model::State;
using model::Zone;

namespace {

constexpr double kShareKept = 1.0 / 32;  // of what stays online

}  // namespace

Room::Room(const Host& host)
    : page_size_(static_cast<double>(host.page_size)),
      block_pages_(static_cast<double>(std::max<std::uint64_t>(host.pages_per_block(), 1))),
      other_nodes_(host.era >= model::Era::B) {
  read_pools(host);
  known_ = read_free(host);
}

// A pool for each zone of each node that has memory; without /proc/zoneinfo those of the blocks.
void Room::read_pools(const Host& host) {
  if (host.zone_spans_known) {
    for (const model::Node& node : host.nodes)
      for (std::size_t z = 0; z < static_cast<std::size_t>(Zone::Device); ++z) {
        const model::ZoneSpan& span = node.zones[z];
        const std::uint64_t pages = span.managed > 0 ? span.managed : span.present;
        if (pages == 0) continue;
        Pool pool{node.id, static_cast<Zone>(z)};
        pool.pages = static_cast<double>(pages);
        const auto whole = static_cast<double>(std::max(span.present, pages));
        pool.per_block = block_pages_ * pool.pages / whole;
        pools_.push_back(pool);
      }
    return;
  }
  for (const model::BlockRun& run : host.blocks) {
    if (run.state != State::Online) continue;
    const Zone zone = assumed_zone(kernel::zone_of(host, run));
    auto at = std::find_if(pools_.begin(), pools_.end(), [&](const Pool& pool) {
      return pool.node == run.node && pool.zone == zone;
    });
    if (at == pools_.end()) {
      at = pools_.insert(at, Pool{run.node, zone});
      at->per_block = block_pages_;
    }
    at->pages += static_cast<double>(run.count) * block_pages_;
  }
}

// Each zone's own figures where it reports them, else its share of the node's; MemAvailable, which
// knows of reserves and of all that is reclaimable, has the last word on the sum.
bool Room::read_free(const Host& host) {
  double sum = 0;
  double unknown = 0;  // pages of pools without figures
  std::vector<Pool*> without;
  for (Pool& pool : pools_) {
    const model::Node* node = pool.node ? host.find_node(*pool.node) : nullptr;
    const model::ZoneUse use =
        node ? node->use[static_cast<std::size_t>(pool.zone)] : model::ZoneUse{};
    const model::NodeUse memory = node ? node->memory : model::NodeUse{};
    pool.high = static_cast<double>(use.high.value_or(0));
    double of_node = 0;
    double of_node_kernel = 0;
    for (const Pool& other : pools_) {
      if (other.node != pool.node) continue;
      of_node += other.pages;
      if (model::is_kernel_zone(other.zone)) of_node_kernel += other.pages;
    }
    const auto pages = [&](const std::optional<Bytes>& value) {
      return static_cast<double>(value.value_or(Bytes(0)).value()) / page_size_;
    };
    if (!use.free && !memory.free) {
      without.push_back(&pool);
      unknown += pool.pages;
      continue;
    }
    const double share = pool.pages / of_node;
    pool.free = use.free ? static_cast<double>(*use.free) : pages(memory.free) * share;
    pool.free += use.file ? static_cast<double>(*use.file) : pages(memory.file) * share;
    if (model::is_kernel_zone(pool.zone))
      pool.free += pages(memory.slab) * pool.pages / of_node_kernel;
    pool.free = std::min(pool.free, pool.pages);
    sum += pool.free;
  }
  if (pools_.empty()) return false;
  if (!host.memory_available) return without.empty();
  const double available = static_cast<double>(host.memory_available->value()) / page_size_;
  if (!without.empty()) {
    const double rest = std::max(available - sum, 0.0);
    for (Pool* pool : without) {
      pool->free = std::min(rest * pool->pages / unknown, pool->pages);
      sum += pool->free;
    }
  }
  if (sum > available) {
    for (Pool& pool : pools_) pool.free *= available / sum;
    return true;
  }
  double used = 0;
  for (const Pool& pool : pools_) used += pool.pages - pool.free;
  const double reclaimable = std::min(available - sum, used);
  for (Pool& pool : pools_)
    if (used > 0) pool.free += reclaimable * (pool.pages - pool.free) / used;
  return true;
}

const Room::Pool* Room::source(const Leaving& leaving) const {
  const Pool* found = nullptr;
  for (const Pool& pool : pools_)
    if (pool.node == leaving.node && pool.zone == leaving.zone && pool.pages > 0 &&
        (found == nullptr || found->fresh))
      found = &pool;
  return found;
}

bool Room::can_leave_node(const Pool& from) const {
  return other_nodes_ && std::any_of(pools_.begin(), pools_.end(), [&](const Pool& other) {
           return other.node != from.node && other.pages > 0;
         });
}

bool Room::may_go(const Pool& from, const Pool& to, bool leaves_node) const {
  if (model::is_kernel_zone(from.zone) && !model::is_kernel_zone(to.zone)) return false;
  return !leaves_node || to.node != from.node;
}

double Room::used_of(const Leaving& leaving, const Pool& from, double pages) {
  if (leaving.used) return std::min(static_cast<double>(*leaving.used), pages);
  return (from.pages - from.free) * (pages / from.pages);
}

Bytes Room::bytes(double pages) const {
  return Bytes(static_cast<std::uint64_t>(std::max(pages, 0.0)) *
               static_cast<std::uint64_t>(page_size_));
}

Fit Room::judge(const Leaving& leaving) const {
  Fit fit;
  const Pool* from = known_ ? source(leaving) : nullptr;
  if (from == nullptr || leaving.count == 0) return fit;
  const double pages = std::min(static_cast<double>(leaving.count) * from->per_block, from->pages);
  const double share = pages / from->pages;
  const double moved = used_of(leaving, *from, pages);
  // What is free there goes as well.
  const double gone =
      leaving.used ? std::clamp(pages - moved, 0.0, from->free) : from->free * share;
  double free = -gone;  // of all that stays online
  double staying = -pages;
  double reserve = 0;
  double there = 0;
  double kept = 0;
  const bool is_kernel = model::is_kernel_zone(from->zone);
  const bool leaves_node = can_leave_node(*from);
  for (const Pool& pool : pools_) {
    const bool is_source = &pool == from;
    free += pool.free;
    staying += pool.pages;
    reserve += is_source && pages >= from->pages ? 0 : pool.high;
    if (pool.pages > 0 && pool.node != from->node && other_nodes_) fit.off_node = from->node;
    if (!may_go(*from, pool, leaves_node)) {
      fit.kernel_only =
          fit.kernel_only || (pool.pages > 0 && is_kernel && !model::is_kernel_zone(pool.zone));
      continue;
    }
    there += is_source ? std::max(pool.free - gone, 0.0) : pool.free;
    kept += is_source && pages >= from->pages ? 0 : pool.high;
    kept += (is_source ? pool.pages - pages : pool.pages) * kShareKept;
  }
  // The target of the pages keeps a reserve, and so does the host as a whole.
  reserve += staying * kShareKept;
  const double room = std::min(there - kept, free - reserve);
  fit.moved = bytes(moved + 0.999);  // a part of a page counts as one
  fit.room = bytes(room);
  fit.free = bytes(there);
  fit.reserve = bytes(std::max(there - room, 0.0));
  fit.fits = moved <= room || (moved < 1 && free >= reserve);
  return fit;
}

std::uint64_t Room::most(const Leaving& leaving) const {
  if (judge(leaving).fits) return leaving.count;
  std::uint64_t fits = 0;
  std::uint64_t too_much = leaving.count;
  while (too_much - fits > 1) {
    const std::uint64_t middle = fits + (too_much - fits) / 2;
    Leaving some{leaving.node, leaving.zone, middle};
    if (leaving.used) some.used = *leaving.used * middle / leaving.count;
    (judge(some).fits ? fits : too_much) = middle;
  }
  return fits;
}

void Room::take(const Leaving& leaving) {
  Pool* from = const_cast<Pool*>(source(leaving));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  if (from == nullptr) return;
  const double pages = std::min(static_cast<double>(leaving.count) * from->per_block, from->pages);
  const double share = pages / from->pages;
  double moved = used_of(leaving, *from, pages);
  from->free = leaving.used ? std::max(from->free - std::max(pages - moved, 0.0), 0.0)
                            : from->free * (1 - share);
  from->pages -= pages;
  const bool leaves_node = can_leave_node(*from);
  // The kernel tries the zones from the top down: Movable first.
  for (const bool kernel : {false, true}) {
    double there = 0;
    for (const Pool& pool : pools_)
      if (may_go(*from, pool, leaves_node) && model::is_kernel_zone(pool.zone) == kernel)
        there += pool.free;
    if (there <= 0) continue;
    const double part = std::min(moved, there);
    for (Pool& pool : pools_)
      if (may_go(*from, pool, leaves_node) && model::is_kernel_zone(pool.zone) == kernel)
        pool.free -= part * pool.free / there;
    moved -= part;
  }
}

void Room::give(const Leaving& arriving) {
  auto at = std::find_if(pools_.begin(), pools_.end(), [&](const Pool& pool) {
    return pool.fresh && pool.node == arriving.node && pool.zone == arriving.zone;
  });
  if (at == pools_.end()) {
    at = pools_.insert(at, Pool{arriving.node, arriving.zone, true});
    at->per_block = block_pages_;
  }
  at->pages += static_cast<double>(arriving.count) * block_pages_;
  at->free += static_cast<double>(arriving.count) * block_pages_;
}

}  // namespace memonline::plan
