// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/ready.hpp"

#include <utility>

#include <fmt/format.h>

#include "compiler/language/settings.hpp"
#include "compiler/plan/agents.hpp"
#include "compiler/plan/compare.hpp"
#include "compiler/plan/room.hpp"
#include "compiler/plan/verdict.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/sema/resolve.hpp"
#include "runtime/apply/plan_file.hpp"
#include "runtime/base/file.hpp"
#include "runtime/cli/apply_run.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/host/mode.hpp"

namespace memonline::cli {

namespace {

Ready from_policies(const ApplyOptions& options, diag::Sink& sink) {
  Ready ready;
  Where where = options.where;
  where.to_write = true;
  Compiled compiled = compile_for(where);
  sink.append(compiled.sink);
  ready.shown = std::move(compiled.policies.shown);
  ready.status = compiled.status;
  if (compiled.policy && compiled.host) {
    diag::Sink said;  // by the planner
    ready.write_boot = sema::resolve(*compiled.policy, *compiled.host, said)
                           .settings.is(language::BootParameters::Write);
  }
  ready.host = std::move(compiled.host);
  ready.plan = std::move(compiled.plan);
  return ready;
}

void add_stale(const ApplyOptions& options, const plan::Comparison& comparison, diag::Sink& sink) {
  auto& d =
      sink.add(diag::Code::PlanStale, std::nullopt,
               fmt::format("the host has changed since the plan `{}` was made", options.plan_file));
  d.notes = comparison.lines;
  d.help = "plan again, review the new plan, and apply it";
}

Ready from_file(const ApplyOptions& options, const std::optional<apply::Journal>& cut_short,
                diag::Sink& sink) {
  Ready ready;
  ready.status = ExitStatus::Usage;
  auto text = runtime::read_file(options.plan_file);
  if (!text) {
    sink.add(diag::Code::PlanUnreadable, std::nullopt, text.error().message());
    return ready;
  }
  auto plan = apply::read_plan(*text, options.plan_file);
  if (!plan) {
    ready.shown.emplace_back(options.plan_file, std::move(*text));
    sink.add(plan.error().code, plan.error().span, {}) = plan.error();
    return ready;
  }
  ready.status = ExitStatus::Failure;
  ready.host = load_host(options.where, sink);
  if (!ready.host) return ready;
  const plan::Comparison comparison = plan::compare(*plan, *ready.host);
  const bool ours = cut_short && cut_short->plan == plan->host.fingerprint;
  ready.fulfilled = comparison.fulfilled;
  if (!comparison.same && !comparison.fulfilled && !(comparison.on_the_way && ours)) {
    add_stale(options, comparison, sink);
    return ready;
  }
  // Free memory changes all the time, and is not among the facts of a plan.
  if (!comparison.fulfilled && !plan::check_room(plan->steps, *ready.host, sink)) return ready;
  ready.status = ExitStatus::Done;
  plan->agents = plan::competing_agents(*ready.host, &*plan);
  plan->judgement = plan::judge(*ready.host, *plan, plan::Limits::None);
  ready.plan = std::move(*plan);
  return ready;
}

// Only for a plan that writes something: agents race with its writes.
void report_agents(const ApplyOptions& options, Ready& ready, diag::Sink& sink) {
  plan::report_agents(ready.plan->agents, options.strict, plan::Settled::Note, ready.shown, sink);
  if (!sink.has_errors()) return;
  ready.plan.reset();
  ready.status = ExitStatus::Failure;
}

}  // namespace

AtBoot check_at_boot(const Where& where) {
  AtBoot at_boot;
  if (runtime::switched_off(where.root)) {
    at_boot.nothing = "nothing to do: memonline.mode=off is on the kernel command line\n";
    return at_boot;
  }
  Policies policies = load_policies(where);
  if (policies.none()) {
    at_boot.nothing = "nothing to do: no policy found\n";
    return at_boot;
  }
  at_boot.problems.append(policies.problems);
  (void)sema::analyse(policies.files, at_boot.problems);
  at_boot.shown = std::move(policies.shown);
  return at_boot;
}

Ready make_ready(const ApplyOptions& options, const std::optional<apply::Journal>& cut_short,
                 diag::Sink& sink) {
  Ready ready = options.plan_file.empty() ? from_policies(options, sink)
                                          : from_file(options, cut_short, sink);
  if (ready.plan && !ready.fulfilled && !ready.plan->steps.empty())
    report_agents(options, ready, sink);
  return ready;
}

}  // namespace memonline::cli
