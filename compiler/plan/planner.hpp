// SPDX-License-Identifier: LGPL-2.1-or-later
// The planner: a checked policy and a host in, a proved plan out.
#pragma once

#include <functional>
#include <optional>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/sema/policy.hpp"
#include "compiler/source/source.hpp"

namespace memonline::plan {

struct Planned {
  std::optional<Plan> plan;  ///< empty: the policy cannot be carried out here; `sink` says why
  model::Host outcome;       ///< the host as the kernel model leaves it after the last step
};

/// Polled between steps: the caller does not want the plan any more. Empty: it always does.
using Cancelled = std::function<bool()>;

/// Selects, allocates, compares, lowers, orders and proves. Never writes, never guesses: what the
/// host does not tell becomes a diagnostic. Diagnostics go to `sink` and into the plan. Cancelled,
/// it returns no plan, and `sink` has only what was found until then.
Planned make_plan(const sema::Policy& policy, const source::SourceSet& files,
                  const model::Host& host, diag::Sink& sink, const Cancelled& cancelled = {});

/// Puts all of `sink` into the plan, with their places in `files`.
void place_diagnostics(Plan& plan, const diag::Sink& sink, const source::SourceSet& files);

}  // namespace memonline::plan
