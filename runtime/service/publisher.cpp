// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/publisher.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "compiler/diag/render.hpp"
#include "compiler/language/settings.hpp"
#include "compiler/render/plan.hpp"

namespace memonline::service {

State state_of(const View& view, const Shown& shown) {
  const bool reboot = view.plan && view.plan->boot.reboot_required;
  // Boot memory that drifts while a reboot is pending counts as reboot-required, not as drift.
  const auto drifts = [&](const plan::StatusRun& run) {
    const bool of_boot = view.host->devices.at(run.blocks.device).origin == model::Origin::Boot;
    return run.drift && !(reboot && of_boot);
  };
  const bool no_policy = shown.policy == nullptr && shown.loaded.sink.has_errors();
  const bool no_plan = shown.policy != nullptr && view.plan == nullptr;
  if (shown.applying) return State::Applying;
  if (shown.troubles.any() || no_policy || no_plan) return State::Failed;
  if ((view.plan && !view.plan->steps.empty()) || !view.left_alone.empty() ||
      std::any_of(view.runs.begin(), view.runs.end(), drifts))
    return State::Drift;
  return reboot ? State::RebootRequired : State::InSync;
}

Publisher::Publisher(Listener& listener, std::string user_offline, std::string boot)
    : listener_(listener), user_offline_(std::move(user_offline), std::move(boot)) {
  auto view = std::make_shared<View>();
  view->host = std::make_shared<model::Host>();
  view_ = std::move(view);
}

bool Publisher::rezones(const ReadyPolicy* policy) const {
  return view_->plan != nullptr && policy != nullptr &&
         std::any_of(policy->policy.statements.begin(), policy->policy.statements.end(),
                     [](const auto& statement) {
                       const auto* setting = std::get_if<sema::Setting>(&statement);
                       return setting != nullptr &&
                              setting->value == language::SettingValue(language::Rezone::Allowed);
                     });
}

bool Publisher::is_in_sync() const {
  return scanned_ != nullptr && view_->problems.empty() && view_->left_alone.empty() &&
         (view_->state == State::InSync || view_->state == State::RebootRequired);
}

void Publisher::replace(std::shared_ptr<const View> view) {
  const auto before = std::exchange(view_, std::move(view));
  listener_.view_changed(*before, *view_);
}

void Publisher::publish(const Plans& plans, std::uint64_t mark, const Shown& shown) {
  auto view = std::make_shared<View>(*view_);
  if (plans.host) view->host = plans.host;
  view->plan = plans.plan;
  view->runs = plan::status_runs(*view->host, view->plan.get());
  view->policy = shown.policy;
  view->problems = shown.loaded.sink.has_errors()
                       ? diag::to_text(shown.loaded.sink.sorted(), shown.loaded.shown)
                       : "";
  for (const std::string& problem : {plans.problem, shown.troubles.problem()})
    if (view->problems.empty()) view->problems = problem;
  view->failing = shown.troubles.failing();
  report_onlined_by_others(view->runs, mark);
  view->left_alone = user_offline_.sentences(plans.missed);
  view->left_alone.insert(view->left_alone.end(), held_.deferred.begin(), held_.deferred.end());
  view->switches = held_.values;
  view->counters = counters_;
  view->state = state_of(*view, shown);
  replace(std::move(view));
}

void Publisher::publish_state(const Shown& shown) {
  auto view = std::make_shared<View>(*view_);
  view->counters = counters_;
  view->state = state_of(*view, shown);
  replace(std::move(view));
}

// A client that learns that the job is done finds the machine as the job left it.
void Publisher::publish_host(std::shared_ptr<const model::Host> host) {
  scanned_ = host;
  auto view = std::make_shared<View>(*view_);
  view->host = std::move(host);
  view->runs = plan::status_runs(*view->host, view->plan.get());
  replace(std::move(view));
}

void Publisher::report_onlined_by_others(const std::vector<plan::StatusRun>& runs,
                                         std::uint64_t mark) {
  for (const std::string& line : user_offline_.look_at(runs, mark))
    listener_.say(kWarning, line + ", contrary to the policy", {});
}

void Publisher::offlined_by_others(model::BlockId block) {
  user_offline_.took_offline(block, UserOffline::By::Others);
  listener_.say(kNotice, model::block_name(block) + " was offlined by another process",
                {model::WriteRun{block, block}, {}, 0});
}

void Publisher::offlined_by_job(std::uint64_t job, const model::BlockSet& blocks) {
  for (const model::BlockRange& range : blocks) {
    for (const model::BlockId block : range)
      user_offline_.took_offline(block, UserOffline::By::Job);
    listener_.say(kNotice,
                  fmt::format("job {} offlined {}: left offline", job, model::range_name(range)),
                  {});
  }
}

void Publisher::save() {
  if (auto saved = user_offline_.save(); !saved) listener_.say(kError, saved.error().message(), {});
}

}  // namespace memonline::service
