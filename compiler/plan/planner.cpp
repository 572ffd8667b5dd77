// SPDX-License-Identifier: LGPL-2.1-or-later
// The pipeline (README.md) as one function, make_plan(): resolve, select, allocate, lower, defer to
// others (defer_conflicting), limit, order, boot, outcome and balance.
#include "compiler/plan/planner.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "compiler/kernel/model.hpp"
#include "compiler/model/facts.hpp"
#include "compiler/model/knob.hpp"
#include "compiler/plan/agents.hpp"
#include "compiler/plan/allocate.hpp"
#include "compiler/plan/boot.hpp"
#include "compiler/plan/configure.hpp"
#include "compiler/plan/dax_zone.hpp"
#include "compiler/plan/hotplug.hpp"
#include "compiler/plan/limit.hpp"
#include "compiler/plan/missing_facts.hpp"
#include "compiler/plan/order.hpp"
#include "compiler/plan/outcome.hpp"
#include "compiler/plan/prospect.hpp"
#include "compiler/plan/room.hpp"
#include "compiler/plan/select.hpp"
#include "compiler/plan/setting_users.hpp"
#include "compiler/plan/verdict.hpp"
#include "compiler/sema/resolve.hpp"

namespace memonline::plan {

using model::Host;
using model::Knob;

namespace {

std::string knob_now(const Host& host, Knob knob) {
  return model::knob_value(host.knobs, knob).value_or("");
}

// Appends the step that sets a knob, unless it says so already.
void set_knob(const Host& host, const HotplugPart& hotplug, Knob knob, const char* why,
              kernel::Model& model, std::vector<Step>& steps) {
  const auto wanted = hotplug.knobs.find(knob);
  if (wanted == hotplug.knobs.end()) return;
  const std::string now = knob_now(host, knob);
  if (now == wanted->second || !model.set_knob(knob, wanted->second)) return;
  Step step;
  step.action = SetKnob{knob, wanted->second, now, KnobScope::Stay};
  step.rule = hotplug.rule;
  step.why = why;
  steps.push_back(std::move(step));
}

// Whether new memory is to stay offline, and the kernel sees to it.
bool stays_offline(const HotplugPart& hotplug) {
  const auto wanted = hotplug.knobs.find(Knob::AutoOnlineBlocks);
  return hotplug.by == Onliner::Kernel && wanted != hotplug.knobs.end() &&
         wanted->second == "offline";
}

// The kernel must not online memory that is added while the plan runs by a setting that the policy
// does not require: then the setting is `offline` for as long as the plan runs, and the new memory
// is planned for afterwards. If the service handles hot-added memory, it holds the setting while it
// runs; a plan that left it `offline` would leave memory offline on hosts without the service.
void hold_back_new_memory(const Host& host, const HotplugPart& hotplug, std::vector<Step>& steps) {
  const Knob knob = Knob::AutoOnlineBlocks;
  const std::string now = knob_now(host, knob);
  const auto wanted = hotplug.knobs.find(knob);
  if (wanted == hotplug.knobs.end() || stays_offline(hotplug)) return;
  if (now.empty() || now == "offline" || !changes_memory(steps)) return;
  // Not if a driver or the platform relies on the kernel to online memory.
  if (needs_kernel_first(host)) return;
  const bool means_the_same =
      std::all_of(hotplug.knobs.begin(), hotplug.knobs.end(),
                  [&](const auto& set) { return knob_now(host, set.first) == set.second; });
  if (means_the_same) return;
  Step step;
  step.action = SetKnob{knob, "offline", now, KnobScope::Run};
  step.rule = hotplug.rule;
  step.why = "first, and while the plan runs, so that memory added meanwhile stays offline";
  steps.insert(steps.begin(), std::move(step));
}

// They decide plain `online` writes.
constexpr std::array kZoneKnobs{Knob::AutoMovableRatio, Knob::AutoMovableNumaAware,
                                Knob::OnlinePolicy};

// The settings for the zone of plain `online` writes come first; the one for hot-added memory comes
// last.
bool make_steps(const Allocation& allocation, const source::SourceSet& files, const Host& host,
                const HotplugPart& hotplug, kernel::Model& model, std::vector<Step>& steps,
                diag::Sink& sink, Work& work) {
  if (stays_offline(hotplug))
    set_knob(host, hotplug, Knob::AutoOnlineBlocks,
             "first, so that memory added meanwhile stays offline", model, steps);
  for (const Knob knob : kZoneKnobs)
    set_knob(host, hotplug, knob, "before the writes that it affects", model, steps);
  if (!order_writes(allocation, files, model, Room(host), steps, sink, work)) return false;
  const bool for_gpu =
      hotplug.by == Onliner::Corrected && has_user(host, SettingUser::Kind::Nvidia);
  if ((hotplug.by == Onliner::Kernel || for_gpu) && !stays_offline(hotplug))
    set_knob(host, hotplug, Knob::AutoOnlineBlocks, "last, when all other steps are done", model,
             steps);
  hold_back_new_memory(host, hotplug, steps);
  for (std::size_t i = 0; i < steps.size(); ++i)
    steps[i].number = static_cast<std::uint32_t>(i + 1);
  return true;
}

std::vector<PlanDiagnostic> placed_diagnostics(const diag::Sink& sink,
                                               const source::SourceSet& files) {
  std::vector<PlanDiagnostic> result;
  for (const diag::Diagnostic& d : sink.sorted()) {
    PlanDiagnostic placed{diag::name_of(d.code), d.severity, d.message, d.help, {}, 0, 0};
    if (d.span) {
      const source::SourceFile& file = files.at(d.span->file);
      const source::Place place = file.place(d.span->begin);
      placed.path = file.label();
      placed.line = place.line;
      placed.column = place.column;
    }
    result.push_back(std::move(placed));
  }
  return result;
}

// The member is called sha256, so its value is the bare digest.
std::string hex_of(const std::string& digest) {
  constexpr std::string_view kPrefix = "sha256:";
  return digest.rfind(kPrefix, 0) == 0 ? digest.substr(kPrefix.size()) : digest;
}

// The settings that decide zones are in place before any block is written.
Trials trials_for(const Host& host, const HotplugPart& hotplug, const source::SourceSet& files,
                  Work& work) {
  kernel::Model ready(host);
  for (const Knob knob : kZoneKnobs)
    if (const auto wanted = hotplug.knobs.find(knob); wanted != hotplug.knobs.end())
      (void)ready.set_knob(knob, wanted->second);
  return {
      std::move(ready), [&files, &work](const Allocation& allocation, const kernel::Model& from) {
        work.spend(from.state().runs.size());
        Trial trial{from, {}};
        std::vector<Step> steps;
        diag::Sink ignored;
        order_writes(allocation, files, trial.model, Room(), steps, ignored, work, &trial.stuck);
        return trial;
      }};
}

void report_no_blocks(const Host& host, diag::Sink& sink) {
  if (host.missing_blocks > 0) {
    sink.add(diag::Code::IncompleteCapture, std::nullopt,
             fmt::format("no memory blocks in this capture: nodes link to {} of them, but "
                         "/sys/devices/system/memory does not contain {}",
                         host.missing_blocks,
                         host.missing_blocks == 1 ? "it" : "them or their size"))
        .help = "capture the host with `memonline capture`, or add its /sys/devices/system/memory";
    return;
  }
  sink.add(diag::Code::NoHotplug, std::nullopt,
           "this host has no memory blocks: its kernel lacks memory hotplug, or /sys is not "
           "mounted")
      .help = "plan for another host with `--root`, or boot a kernel with CONFIG_MEMORY_HOTPLUG";
}

HostRef host_ref(const Host& host) {
  const model::Facts facts = model::facts_of(host);
  return {host.kernel,      std::string(model::era_name(facts.era)),
          facts.arch,       host.fingerprint,
          facts.block_size, model::lines_of(facts)};
}

Planned ended_early(const Work& work, diag::Sink& sink) {
  if (work.cancelled()) return {};
  sink.add(diag::Code::PlanTooMuchWork, std::nullopt,
           fmt::format("planning this policy takes more than {} steps of work", work.most()))
      .help = "write fewer rules, shares or limits: `each node` and `each dimm` replace many rules";
  return {};
}

}  // namespace

Planned make_plan(const sema::Policy& policy, const source::SourceSet& files, const Host& host,
                  diag::Sink& sink) {
  Work work(kMaxPlanWork);
  return make_plan(policy, files, host, sink, work);
}

Planned make_plan(const sema::Policy& policy, const source::SourceSet& files, const Host& present,
                  diag::Sink& sink, Work& work) {
  if (!present.has_hotplug()) {
    report_no_blocks(present, sink);
    return {};
  }
  work.spend(present.blocks.size());
  const sema::FlatPolicy flat = sema::resolve(policy, present, sink);
  ConfigurePart unconfigured(flat, present, work);
  Selection selection = select(flat, unconfigured.host(), sink, work);
  unconfigured.settle(selection);
  if (work.exhausted()) return ended_early(work, sink);
  const Host& host = unconfigured.host();
  diag::Sink while_planning;
  Allocation allocation = allocate(selection, flat, host, work);
  if (work.exhausted()) return ended_early(work, sink);
  report_unknown(allocation, flat, host, sink);

  Plan plan;
  const HotplugPart lowered = lower(flat, files, host, while_planning);
  plan.hotplug = defer_conflicting(lowered, flat, host);
  report_setting(plan.hotplug, host, while_planning);
  if (!flat.limits.empty())
    keep_limits(allocation, selection, flat, host, trials_for(host, plan.hotplug, files, work),
                while_planning, work);
  const std::vector<Finding> findings = std::exchange(allocation.findings, {});
  kernel::Model model(host);
  const bool possible =
      make_steps(allocation, files, host, plan.hotplug, model, plan.steps, while_planning, work);
  if (work.exhausted()) return ended_early(work, sink);
  // The service is not running yet at boot.
  BootPart boot = plan_boot(allocation, lowered, flat, host, while_planning);
  report_findings(findings, boot, flat, host, while_planning);
  plan.boot = std::move(boot.boot);
  Planned planned;
  if (possible) {
    unconfigured.add_steps(allocation, files, plan.steps, while_planning);
    if (work.exhausted()) return ended_early(work, sink);
    planned.outcome = unconfigured.proved(plan.steps, model.host(), while_planning);
    planned.outcome.fresh.clear();
    plan.outcome = outcome_of(planned.outcome, allocation.roundings);
    warn_of_kernel_dax(allocation, plan.steps, host, while_planning);
    check_balance(plan.outcome, planned.outcome, !flat.limits.empty(), plan.steps, while_planning);
    judge_offlining(host, plan, while_planning);
    note_room_unknown(plan.steps, host, while_planning);
  }
  if (while_planning.has_errors()) {  // causes, not what followed from them
    sink.append_errors(while_planning);
    return {};
  }
  sink.append(while_planning);

  plan.host = host_ref(present);
  for (const source::SourceFile& file : files)
    plan.policy.push_back({file.label(), hex_of(file.digest())});
  plan.skipped = skipped_of(allocation, files);
  place_diagnostics(plan, sink, files);
  plan.agents = competing_agents(host, &plan);
  plan.judgement = judge(host, plan, flat.limits.empty() ? Limits::None : Limits::Written);
  if (work.exhausted()) return ended_early(work, sink);
  planned.plan = std::move(plan);
  return planned;
}

void place_diagnostics(Plan& plan, const diag::Sink& sink, const source::SourceSet& files) {
  plan.diagnostics = placed_diagnostics(sink, files);
}

}  // namespace memonline::plan
