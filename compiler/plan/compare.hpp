// SPDX-License-Identifier: LGPL-2.1-or-later
// Compares a plan with the present host: can it still be carried out, is it carried out already, or
// was a run of it interrupted? The cost is linear in the runs on both sides.
#pragma once

#include <string>
#include <vector>

#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"

namespace memonline::plan {

struct Comparison {
  /// Every fact is as the plan has it.
  bool same = false;
  /// Regardless of other changes: every block of every step is where the last step on it leaves it,
  /// every permanent kernel setting has its value, and block size and era are the same.
  bool fulfilled = false;
  /// Not the same, but the plan's own writes explain all differences, as after a run that was
  /// killed. The valid zones of offline blocks are not compared: they follow from their neighbors.
  bool on_the_way = false;
  /// The differences, for people (differences.hpp); empty if same.
  std::vector<std::string> lines;
};

Comparison compare(const Plan& plan, const model::Host& now);

}  // namespace memonline::plan
