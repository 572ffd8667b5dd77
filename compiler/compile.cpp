// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/compile.hpp"

#include <utility>

#include "compiler/language/settings.hpp"
#include "compiler/plan/planner.hpp"

namespace memonline {

Compilation compile(const sema::Policy& policy, const source::SourceSet& files,
                    const model::Host& host, const CompileRequest& request, diag::Sink earlier,
                    const Cancelled& cancelled) {
  Compilation result;
  result.diagnostics = std::move(earlier);
  if (request.unplug) {
    result.plan = plan::plan_unplug(*request.unplug, host, result.diagnostics);
    return result;
  }
  Work work(plan::kMaxPlanWork, cancelled);
  auto planned = plan::make_plan(policy, files, host, result.diagnostics, work);
  result.plan = std::move(planned.plan);
  result.outcome = std::move(planned.outcome);
  if (!result.plan || !request.add || (cancelled && cancelled())) return result;
  result.forecast =
      forecast::make_forecast(policy, files, host, *request.add, result.diagnostics, cancelled);
  plan::place_diagnostics(*result.plan, result.diagnostics, files);
  return result;
}

Compilation compile(const source::SourceSet& files, const model::Host& host,
                    const CompileRequest& request) {
  diag::Sink diagnostics;
  if (const auto policy = sema::analyse(files, diagnostics))
    return compile(*policy, files, host, request, std::move(diagnostics));
  Compilation failed;
  failed.diagnostics = std::move(diagnostics);
  return failed;
}

void allow_rezone(sema::Policy& policy) {
  policy.statements.emplace_back(sema::Setting{language::Rezone::Allowed, {}});
}

}  // namespace memonline
