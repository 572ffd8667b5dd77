// SPDX-License-Identifier: LGPL-2.1-or-later
// The one entry point for making plans: policies and a host in, a plan and diagnostics out. The
// command line, the service, the summary of a fleet and the library all use it.
#pragma once

#include <optional>

#include "compiler/base/work.hpp"
#include "compiler/diag/diagnostic.hpp"
#include "compiler/forecast/forecast.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/plan/unplug.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/sema/policy.hpp"
#include "compiler/source/source.hpp"

namespace memonline {

/// What to plan besides what the policy requires. At most one of the two.
struct CompileRequest {
  /// Plan only what to offline for this, whatever the policy requires.
  std::optional<plan::UnplugRequest> unplug = {};
  /// Also predict the result of adding this memory.
  std::optional<forecast::AddRequest> add = {};
};

struct Compilation {
  std::optional<plan::Plan> plan;  ///< empty: impossible, or cancelled; `diagnostics` says why
  model::Host outcome;             ///< the host after the plan, if there is one; not of an unplug
  std::optional<forecast::Forecast> forecast;  ///< of `add`, if it is possible
  diag::Sink diagnostics;                      ///< these are also in the plan
};

/// Plans for a policy that was analysed before. `earlier`: the diagnostics of that.
Compilation compile(const sema::Policy& policy, const source::SourceSet& files,
                    const model::Host& host, const CompileRequest& request = {},
                    diag::Sink earlier = {}, const Cancelled& cancelled = {});

/// Analyses the policies, then plans.
Compilation compile(const source::SourceSet& files, const model::Host& host,
                    const CompileRequest& request = {});

/// Lets the policy change the zone of online blocks, as if it ended with `set rezone = allowed`.
void allow_rezone(sema::Policy& policy);

}  // namespace memonline
