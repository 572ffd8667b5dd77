// SPDX-License-Identifier: LGPL-2.1-or-later
// Step 2 of planning: which rule governs each block. A block belongs to the first rule that
// selects it; `each` splits what a rule selected into groups by node or device. A block that lacks
// a fact which a rule asks for may or may not be selected by it: it is kept, and no later rule
// takes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/base/work.hpp"
#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/sema/policy.hpp"

namespace memonline::plan {

/// The blocks that the shares of one rule split as one amount, in address order.
struct Group {
  const sema::Rule* rule = nullptr;
  std::vector<model::BlockRun> runs;
  [[nodiscard]] std::uint64_t blocks() const;
};

/// Blocks of which the host does not show enough to decide whether the rule selects them.
struct Undecided {
  const sema::Rule* rule = nullptr;
  model::BlockRun blocks;
  std::string fact;  ///< what is unknown: "driver", "origin", "node", "CPU list of the node"
  std::string also;  ///< what the rule's `except` lacks besides; empty: nothing
};

struct Selection {
  std::vector<Group> groups;                ///< by rule, then by lowest address
  std::vector<Undecided> undecided;         ///< by rule, then by address: kept
  std::vector<model::BlockRun> unselected;  ///< no rule selects them: kept
};

/// Groups point into `policy`, which must outlive them. Notes rules that name what this host does
/// not have, and warns once of all undecided blocks.
Selection select(const sema::FlatPolicy& policy, const model::Host& host, diag::Sink& sink,
                 Work& work);

}  // namespace memonline::plan
