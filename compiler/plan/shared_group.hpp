// SPDX-License-Identifier: LGPL-2.1-or-later
// One group of blocks, split among the shares of its rule: the amounts, the blocks that are online
// already, and the share that gets each offline block. Internal to compiler/plan.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/plan/allocate.hpp"
#include "compiler/plan/select.hpp"

namespace memonline::plan {

// One share of one group on its way through the allocation.
struct Claim {
  const sema::Share* share = nullptr;
  std::uint64_t asked = 0;   // blocks it means, by itself
  std::uint64_t count = 0;   // blocks it is promised
  std::uint64_t credit = 0;  // online already
  std::uint64_t paid = 0;    // offline blocks it gets
  std::uint64_t moved = 0;   // blocks to be re-zoned for it
  [[nodiscard]] std::uint64_t owed() const { return count - credit - paid - moved; }
  [[nodiscard]] bool wants(sema::Target target) const { return share->target == target; }
};

enum class Kind : std::uint8_t {
  Offline,
  Normal,
  Movable,
  UnknownZone,  ///< online; no share of a zone counts it
  Busy
};

// Neighboring blocks of one kind inside a group, with the decisions so far.
struct Part {
  model::BlockRun blocks;
  Kind kind = Kind::Offline;
  bool fixed = false;      // online, but can never be offlined
  Claim* claim = nullptr;  // offline: the share that gets it; online: that counts it
  bool rezone = false;
  const Claim* missed_by = nullptr;  // online and not counted: the share that lacks it
};

/// Parts cover the group in address order and point into `claims`, which therefore may be moved
/// but not copied.
struct SharedGroup {
  SharedGroup(const Group& shared, std::uint64_t blocks) : group(shared), size(blocks) {}
  SharedGroup(SharedGroup&&) = default;
  SharedGroup(const SharedGroup&) = delete;
  SharedGroup& operator=(const SharedGroup&) = delete;
  SharedGroup& operator=(SharedGroup&&) = delete;
  ~SharedGroup() = default;

  const Group& group;
  std::uint64_t size;
  std::vector<Part> parts;
  std::vector<Claim> claims;  ///< in the order the shares are written
};

/// The cost of splitting a group, in steps: every share visits every run, and cuts one.
inline std::uint64_t cost_of_sharing(const Group& group) {
  const std::uint64_t shares = group.rule->shares.size();
  return shares * (group.runs.size() + shares);
}

/// Steps 1 to 3 of "Allocation in full". `group` must outlive the result.
SharedGroup share_out(const Group& group, const sema::FlatPolicy& policy, const model::Host& host);

/// The claims in the order of their blocks along the addresses; null is what no share is owed.
std::vector<Claim*> in_layout_order(std::vector<Claim>& claims);

/// Whether the shares, as written, put a whole group of this many blocks online: there is no
/// `offline` or `keep` share, and the amounts, before rounding, leave nothing unassigned.
bool put_all_online(const sema::Rule& rule, std::uint64_t group, model::Bytes block_size);

/// Adds the group's decisions, and what is to be reported of them, to `into`.
void describe(const SharedGroup& shared, const sema::FlatPolicy& policy, const model::Host& host,
              Allocation& into);

/// `part` of `n`, in millionths of one percent, rounded up or down; less than a millionth of one
/// percent from a whole number is that number.
std::uint64_t percent_of(std::uint64_t n, std::uint64_t part, bool up);

}  // namespace memonline::plan
