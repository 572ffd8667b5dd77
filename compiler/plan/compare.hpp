// SPDX-License-Identifier: LGPL-2.1-or-later
// A plan held against a host as it is now: may it still be carried out, is it carried out already,
// or was a run of it ended on its way? The cost is that of the runs on both sides.
#pragma once

#include <string>
#include <vector>

#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"

namespace memonline::plan {

struct Comparison {
  /// Every fact is as the plan has it.
  bool same = false;
  /// Whatever else changed: every block of every step is where the last step on it leaves it,
  /// every knob that is to stay says so, and the plan speaks of the same blocks (block size, era).
  bool fulfilled = false;
  /// Not the same, but what differs is what the plan's own writes explain: what a run leaves that
  /// was killed. What offline blocks offer is not looked at, it follows from their neighbors.
  bool on_the_way = false;
  /// The differences, for people (differences.hpp); empty if same.
  std::vector<std::string> lines;
};

Comparison compare(const Plan& plan, const model::Host& now);

}  // namespace memonline::plan
