// SPDX-License-Identifier: LGPL-2.1-or-later
// A plan from a file, carried out later than it was made, perhaps on another host, perhaps after it
// was edited. Anything that is not exactly a plan is refused.
//
// The schema's number changes when an older program would misread a plan: then older and newer
// programs refuse each other's (ML0732), and a new plan is made. Members are added without that:
// programs ignore those that they do not know, and refuse a plan without one that they need
// (ML0733).
#pragma once

#include <cstddef>
#include <string_view>

#include "compiler/base/result.hpp"
#include "compiler/diag/diagnostic.hpp"
#include "compiler/plan/plan.hpp"

namespace memonline::apply {

inline constexpr std::size_t kMaxPlanSize = std::size_t{16} << 20U;
/// Levels that its lists and objects nest, with room for what later versions add.
inline constexpr int kMaxPlanDepth = 32;
/// Values and names in it: twenty for each of 50,000 steps.
inline constexpr std::size_t kMaxPlanValues = 1'500'000;

/// The plan that render::plan_to_json wrote (JSON, schema memonline.plan/1): rendering it again
/// gives the same bytes. `label` is what messages call the file. Members it does not know are
/// ignored. Else one of ML0730 to ML0738, the first that is wrong; a place in it is one in file 0
/// of a SourceSet that holds `json`.
Result<plan::Plan, diag::Diagnostic> read_plan(std::string_view json, std::string_view label);

}  // namespace memonline::apply
