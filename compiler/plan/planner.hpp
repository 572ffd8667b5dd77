// SPDX-License-Identifier: LGPL-2.1-or-later
// The planner: a checked policy and a host in, a proved plan out. README.md describes its steps:
// resolve, select, allocate, lower, defer to others, limit, order, boot, outcome and balance.
#pragma once

#include <cstdint>
#include <optional>

#include "compiler/base/work.hpp"
#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/sema/policy.hpp"
#include "compiler/source/source.hpp"

namespace memonline::plan {

/// Steps of work that one plan, or one forecast with all its plans, may take: a second or two.
/// Rules for each of 4096 nodes take a quarter of it (tests/compiler/work_test.cpp).
inline constexpr std::uint64_t kMaxPlanWork = std::uint64_t{1} << 27U;

struct Planned {
  std::optional<Plan> plan;  ///< empty: the policy cannot be carried out here; `sink` says why
  model::Host outcome;       ///< the host as the kernel model leaves it after the last step
};

/// Runs all steps of the pipeline. Never writes, never guesses: a fact that the host does not
/// provide becomes a diagnostic. Diagnostics go to `sink` and into the plan.
Planned make_plan(const sema::Policy& policy, const source::SourceSet& files,
                  const model::Host& host, diag::Sink& sink);
/// The same with a budget that several plans share. Ends with ML0514 once it is spent, and without
/// a word where the work was cancelled.
Planned make_plan(const sema::Policy& policy, const source::SourceSet& files,
                  const model::Host& host, diag::Sink& sink, Work& work);

/// Puts all of `sink` into the plan, with their places in `files`.
void place_diagnostics(Plan& plan, const diag::Sink& sink, const source::SourceSet& files);

}  // namespace memonline::plan
