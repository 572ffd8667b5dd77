// SPDX-License-Identifier: LGPL-2.1-or-later
// Room for the pages that must move before memory is offlined: the used pages of the blocks
// compared with the memory that is free or reclaimable at their target. The value follows the steps
// of a plan.
//
// Sources: mm/memory_hotplug.c, do_migrate_range() (4.13 on: while another node has memory, pages
// move to other nodes only); mm/migrate.c, alloc_migration_target(), and include/linux/gfp.h,
// GFP_ZONE_TABLE (pages of a kernel zone move to kernel zones only, Movable ones anywhere);
// mm/page_alloc.c, si_mem_available().
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"

namespace memonline::plan {

/// Blocks of one zone on one node.
struct Leaving {
  std::optional<model::NodeId> node;
  model::Zone zone = model::Zone::Normal;
  std::uint64_t count = 0;
  /// Their pages in use that cannot be reclaimed, where the contents of all were read. Otherwise
  /// those of the zone are taken to be spread evenly.
  std::optional<std::uint64_t> used = std::nullopt;
};

/// Where blocks of an unknown zone are judged to be: in a kernel zone, whose pages can go to fewer
/// places.
inline model::Zone assumed_zone(std::optional<model::Zone> zone) {
  return zone.value_or(model::Zone::Normal);
}

/// The room that offlining some blocks needs, and the room that exists.
struct Fit {
  bool fits = true;
  model::Bytes moved;                     ///< in use in those blocks
  model::Bytes room;                      ///< for it elsewhere, the reserve taken off
  model::Bytes free;                      ///< free or reclaimable where it may go
  model::Bytes reserve;                   ///< what has to stay free there
  bool kernel_only = false;               ///< it may only go to kernel zones
  std::optional<model::NodeId> off_node;  ///< it may only go to other nodes than this one
};

class Room {
 public:
  Room() = default;  ///< not known
  explicit Room(const model::Host& host);

  /// The host reports enough to judge by; otherwise everything fits.
  [[nodiscard]] bool known() const { return known_; }
  /// The cost of judging: the zones of all nodes.
  [[nodiscard]] std::size_t size() const { return pools_.size(); }
  [[nodiscard]] Fit judge(const Leaving& leaving) const;
  /// How many of these blocks fit at once.
  [[nodiscard]] std::uint64_t most(const Leaving& leaving) const;
  /// The blocks are offlined: their used pages are elsewhere now.
  void take(const Leaving& leaving);
  /// Blocks come online, empty.
  void give(const Leaving& arriving);

 private:
  struct Pool {
    std::optional<model::NodeId> node;
    model::Zone zone = model::Zone::Normal;
    bool fresh = false;  ///< onlined by an earlier step
    double per_block = 0;
    double pages = 0;
    double free = 0;  ///< free or reclaimable
    double high = 0;
  };
  void read_pools(const model::Host& host);
  [[nodiscard]] bool read_free(const model::Host& host);
  [[nodiscard]] const Pool* source(const Leaving& leaving) const;
  /// Whether pages of the pool can move to another node.
  [[nodiscard]] bool can_leave_node(const Pool& from) const;
  [[nodiscard]] bool may_go(const Pool& from, const Pool& to, bool leaves_node) const;
  /// Of `pages` pages of `from` that leave, those that must move.
  [[nodiscard]] static double used_of(const Leaving& leaving, const Pool& from, double pages);
  [[nodiscard]] model::Bytes bytes(double pages) const;

  std::vector<Pool> pools_;
  double page_size_ = 4096;
  double block_pages_ = 1;
  bool known_ = false;
  bool other_nodes_ = false;  ///< this kernel moves pages to other nodes where there are some
};

/// The first step that offlines more than fits, if the steps are carried out in their order on
/// `host`; blocks that are as their step leaves them count as done.
struct Shortage {
  const Step* step = nullptr;
  Fit fit;
  std::uint64_t fitting = 0;  ///< blocks of the step that would fit
};
std::optional<Shortage> shortage_of(const std::vector<Step>& steps, const model::Host& host);

/// The error for it (ML0544), with the numbers and a remedy.
diag::Diagnostic& report_shortage(const model::WriteRun& run, const Fit& fit, std::uint64_t fitting,
                                  model::Bytes block_size,
                                  const std::optional<source::SourceSpan>& span, diag::Sink& sink);
/// For plans that were made earlier, and for undoing: false, with the error, if a step does not
/// fit.
bool check_room(const std::vector<Step>& steps, const model::Host& host, diag::Sink& sink);
/// The note (ML0545) that room could not be checked, if a step offlines memory.
void note_room_unknown(const std::vector<Step>& steps, const model::Host& host, diag::Sink& sink);

}  // namespace memonline::plan
