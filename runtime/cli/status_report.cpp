// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/status_report.hpp"

#include <utility>

#include "compiler/plan/agents.hpp"

namespace memonline::cli {

namespace {

Verdict verdict_of(const Compiled& compiled) {
  if (!compiled.policy)
    return compiled.sink.has_errors() ? Verdict::PolicyError : Verdict::NoPolicy;
  if (!compiled.plan) return Verdict::NoPlan;
  switch (compiled.plan->judgement.verdict) {
    case plan::Verdict::NothingJudged: return Verdict::NothingJudged;
    case plan::Verdict::Drift: return Verdict::Drift;
    case plan::Verdict::RebootPending: return Verdict::RebootPending;
    case plan::Verdict::PartlyJudged: return Verdict::PartlyJudged;
    case plan::Verdict::AsDesired: return Verdict::AsDesired;
  }
  return Verdict::NothingJudged;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::NoPolicy: return "no-policy";
    case Verdict::PolicyError: return "policy-error";
    case Verdict::NoPlan: return "no-plan";
    case Verdict::NothingJudged: return "nothing-judged";
    case Verdict::Drift: return "drift";
    case Verdict::RebootPending: return "reboot-pending";
    case Verdict::PartlyJudged: return "partly-judged";
    case Verdict::AsDesired: return "as-desired";
  }
  return "no-policy";
}

StatusReport make_status(const Compiled& compiled, BootOutcome boot) {
  StatusReport status{compiled, std::move(boot), {}, {}, {}, verdict_of(compiled), 0, false};
  const plan::Plan* plan = compiled.plan ? &*compiled.plan : nullptr;
  status.runs = plan::status_runs(*compiled.host, plan);
  if (plan != nullptr) {
    status.judged = plan::judged_blocks(*plan);
    status.steps = plan->steps.size();
    status.reboot = plan->boot.reboot_required;
  }
  status.agents = plan != nullptr ? plan->agents : plan::competing_agents(*compiled.host, nullptr);
  return status;
}

}  // namespace memonline::cli
