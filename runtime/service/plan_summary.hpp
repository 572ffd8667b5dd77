// SPDX-License-Identifier: LGPL-2.1-or-later
// What a plan would change, in the few words of an authorization dialog.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "compiler/plan/plan.hpp"

namespace memonline::service {

struct PlanSummary {
  std::uint64_t steps = 0;
  std::uint64_t bytes = 0;        ///< of the blocks that are written, each block once
  std::set<model::NodeId> nodes;  ///< that these blocks are on
};
PlanSummary summarize(const plan::Plan& plan);

/// Does nothing but offline memory, all or nothing, and release it: if it fails, all is as it was
/// before, and another attempt begins as the first one did.
bool is_unplug(const plan::Plan& plan);

std::string nodes_text(const PlanSummary& summary);  ///< "0, 2"
/// "change 16 GiB of memory on nodes 0, 2 in 3 steps".
std::string summary_text(const PlanSummary& summary);

}  // namespace memonline::service
