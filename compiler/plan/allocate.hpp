// SPDX-License-Identifier: LGPL-2.1-or-later
// Allocate, a step of the pipeline: how many blocks of each group get each target, and which. Users
// rely on these rules; README.md describes them under "Allocation in full", parts 1 to 3, and
// property tests check them. Limits (part 4) are a later step: limit.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/work.hpp"
#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/findings.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/plan/select.hpp"
#include "compiler/sema/policy.hpp"

namespace memonline::plan {

/// The decision for a run of blocks.
struct Decision {
  model::BlockRun blocks;  ///< as the host shows them
  sema::Target target = sema::Target::Keep;
  bool change = false;                     ///< a write is needed to get there
  bool fixed = false;                      ///< online, and can never be offlined
  std::optional<source::SourceSpan> span;  ///< the share (or limit) that requires it; empty: none
  std::string reason;                      ///< why there is no write, where there is none
  Blocker blocker = Blocker::None;         ///< the same for the verdict
  std::string unknown;  ///< the fact without which it cannot be decided or judged; else empty
  bool whole = false;   ///< the shares, as written, put all of its group online
  bool fresh = false;   ///< is_correctable(): its present state does not count
  // Decided by the limits (limit.hpp):
  bool picked_movable = false;              ///< `auto`: the kernel would put it into Movable
  bool pinned = false;                      ///< `auto`: that zone is written, because of a limit
  bool cannot_be_normal = false;            ///< this kernel refuses it in a kernel zone
  const sema::Limit* refused_by = nullptr;  ///< the limit that keeps it out of Movable
};
inline constexpr std::string_view kUnknownZone = "zone";
inline constexpr std::string_view kUnknownState = "state";

/// Whether a share of the rule counts blocks by their zone.
bool asks_for_zones(const sema::Rule& rule);

/// How a percentage came out, for people: "80% would be 38.4".
struct Rounding {
  std::optional<model::NodeId> node;
  std::string text;
};

struct Allocation {
  std::vector<Decision> decisions;  ///< every block of the host once, ascending
  std::vector<Rounding> roundings;
  std::vector<Finding> findings;  ///< by group; they point into the policy
};

/// Parts 1 to 3 of "Allocation in full", for every group; the limits come later (limit.hpp).
Allocation allocate(const Selection& selection, const sema::FlatPolicy& policy,
                    const model::Host& host, Work& work);

/// Whether the blocks were hot-added a moment ago and are not assigned yet: then they
/// count as offline even if the kernel has onlined them.
bool is_correctable(const model::BlockRun& run, const model::Host& host);

/// The number of blocks `amount` means in a group of `group` blocks: normal rounds up, every other
/// target down.
std::uint64_t blocks_of(const sema::Amount& amount, sema::Target target, std::uint64_t group,
                        model::Bytes block_size);

}  // namespace memonline::plan
