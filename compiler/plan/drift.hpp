// SPDX-License-Identifier: LGPL-2.1-or-later
// A host beside the plan for it: which blocks are not as the policy wants them, and what the plan
// says of one block.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"

namespace memonline::plan {

/// A run of the host, cut where drift begins or ends.
struct StatusRun {
  model::BlockRun blocks;
  bool drift = false;
};

/// Whether a block is not as a target ("movable", "offline") says.
bool differs(const model::BlockRun& run, const std::string& wanted);

/// Runs of the host that overlap `blocks`, with the part of each that does, its end excluded.
using VisitRun =
    std::function<void(const model::BlockRun& run, model::BlockId first, model::BlockId end)>;
void visit_runs(const model::Host& host, const model::BlockRange& blocks, const VisitRun& visit);

/// Without a plan nothing drifts.
std::vector<StatusRun> status_runs(const model::Host& host, const plan::Plan* plan);

/// Blocks that a rule selects, or may select, and that cannot be compared with it.
struct Unjudged {
  model::BlockRange blocks;
  std::string fact;  ///< what the host does not show of them: "driver", "zone"
};

/// How many blocks can be compared with what the policy says of them.
struct Judged {
  std::uint64_t selected = 0;  ///< blocks that a rule selects, or may select
  std::uint64_t unknown = 0;   ///< of these, blocks of which the host does not show enough
  std::vector<Unjudged> unjudged;
};
Judged judged_blocks(const plan::Plan& plan);

/// The zone a run is in, as the kernel spells it: "Movable", "none" for blocks that span zones;
/// empty for blocks that are not online or of unknown zone. Where an old kernel lists two names,
/// the first is the zone (show_valid_zones, 3.18 to 4.13).
std::optional<std::string> zone_text(const model::BlockRun& run);

/// The blocks a step writes, or nullptr: the step is about something else.
const model::WriteRun* blocks_of(const plan::Step& step);

}  // namespace memonline::plan
