// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/status_report.hpp"

#include <algorithm>
#include <utility>

#include "compiler/sema/resolve.hpp"

namespace memonline::cli {

namespace {

/// A policy that is a limit alone selects no block and is judged all the same.
bool has_limits(const Compiled& compiled) {
  diag::Sink reported_when_planning;
  return !sema::resolve(*compiled.policy, *compiled.host, reported_when_planning).limits.empty();
}

Verdict verdict_of(const StatusReport& status) {
  const Compiled& compiled = status.compiled;
  if (!compiled.policy)
    return compiled.sink.has_errors() ? Verdict::PolicyError : Verdict::NoPolicy;
  if (!compiled.plan) return Verdict::NoPlan;
  const bool drifts = std::any_of(status.runs.begin(), status.runs.end(),
                                  [](const plan::StatusRun& run) { return run.drift; });
  if (drifts || status.steps > 0 || plan::exceeds_limit(*compiled.plan)) return Verdict::Drift;
  if (status.judged.selected > status.judged.unknown) return Verdict::AsDesired;
  return has_limits(compiled) ? Verdict::AsDesired : Verdict::NothingJudged;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::NoPolicy: return "no-policy";
    case Verdict::PolicyError: return "policy-error";
    case Verdict::NoPlan: return "no-plan";
    case Verdict::NothingJudged: return "nothing-judged";
    case Verdict::Drift: return "drift";
    case Verdict::AsDesired: return "as-desired";
  }
  return "no-policy";
}

StatusReport make_status(const Compiled& compiled, BootOutcome boot) {
  StatusReport status{compiled, std::move(boot), {}, {}, Verdict::NoPolicy, 0, false};
  const plan::Plan* plan = compiled.plan ? &*compiled.plan : nullptr;
  status.runs = plan::status_runs(*compiled.host, plan);
  if (plan != nullptr) {
    status.judged = plan::judged_blocks(*compiled.host, *plan);
    status.steps = plan->steps.size();
    status.reboot = plan->boot.reboot_required;
  }
  status.verdict = verdict_of(status);
  return status;
}

}  // namespace memonline::cli
