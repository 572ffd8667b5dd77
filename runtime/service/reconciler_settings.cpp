// SPDX-License-Identifier: LGPL-2.1-or-later
// The onlining of hot-added memory: sets the kernel settings that the policy requires, overrides
// udev rules, tracks memory that arrives; and restores settings and rules when the service exits. A
// part of reconciler.cpp.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/model/knob.hpp"
#include "runtime/host/udev_steer.hpp"
#include "runtime/service/reconciler.hpp"

namespace memonline::service {

using apply::Session;

namespace {

constexpr auto kPatienceToLetGo = std::chrono::seconds(1);

}  // namespace

// Before the final plan is made, the service sets the kernel settings that the policy requires;
// they are not steps of a plan.
bool Reconciler::hold_switches(Round& round, Session& session) {
  if (!round.plans.host) return false;
  online_block_ = some_online_block(*round.plans.host);
  std::map<model::Knob, std::string> wished;
  if (round.plans.plan) wished = round.plans.plan->hotplug.knobs;
  // Memory that is present before auto_online_blocks becomes `offline` was handled by the kernel.
  if (round.plans.plan) {
    if (round.plans.plan->hotplug.by == plan::Onliner::Kernel)
      arrivals_.end();
    else
      arrivals_.begin(*round.plans.host);
  }
  auto saved = arrivals_.save();
  auto held = saved ? lease_.hold(wished, session.port(), online_block_)
                    : Result<std::vector<std::string>, runtime::FileError>(fail(saved.error()));
  if (!held) {
    round.problem = held.error().message();
    return false;
  }
  say_who_onlines(round);
  round.said.insert(round.said.end(), held->begin(), held->end());
  return steer_udev(round) || !held->empty();
}

void Reconciler::say_who_onlines(Round& round) {
  if (!round.plans.plan) return;
  const plan::HotplugPart& hotplug = round.plans.plan->hotplug;
  std::string line = fmt::format("hot-added memory is handled by {}: {}",
                                 hotplug.by == plan::Onliner::Kernel ? "the kernel"
                                 : hotplug.by == plan::Onliner::Service
                                     ? "memonlined"
                                     : "the kernel, then corrected by memonlined",
                                 hotplug.why);
  if (!hotplug.rule.path.empty())
    line += fmt::format(" (`{}`, {}:{})", hotplug.rule.text, hotplug.rule.path, hotplug.rule.line);
  if (line == who_onlines_) return;
  who_onlines_ = line;
  round.said.push_back(std::move(line));
  for (const diag::Diagnostic& d : round.plans.sink.all()) {
    if (d.code != diag::Code::AutoOnlineOff && d.code != diag::Code::GpuNeedsSetting) continue;
    round.said.push_back(d.message);
    round.said.insert(round.said.end(), d.notes.begin(), d.notes.end());
  }
}

// Blocks that the remaining plan does not write are as the policy requires.
void Reconciler::settle_arrivals(Round& round) {
  if (!round.plans.host || !round.plans.plan) return;
  std::vector<model::BlockRange> pending;
  for (const plan::Step& step : round.plans.plan->steps)
    if (const model::WriteRun* run = plan::blocks_of(step))
      pending.push_back({run->low(), run->high()});
  arrivals_.settle(*round.plans.host, model::BlockSet(std::move(pending)));
  if (auto saved = arrivals_.save(); !saved) round.said.push_back(saved.error().message());
}

// Rules of the distribution would race with the service. If the policy leaves new memory unchanged,
// they stay enabled.
bool Reconciler::steer_udev(Round& round) {
  const bool wished = round.plans.plan && !round.plans.plan->hotplug.knobs.empty();
  if (wished == steers_udev_) return false;
  steers_udev_ = wished;
  if (!wished) {
    runtime::unsteer_udev(target_.root());
    return true;
  }
  auto steered = runtime::steer_udev(target_.root(), *round.plans.host);
  if (!steered) {
    round.said.push_back(steered.error().message());
    return true;
  }
  for (const std::string& file : *steered)
    round.said.push_back(
        fmt::format("{} would set memory states: overridden by a copy in /run/udev/rules.d", file));
  return true;
}

Round Reconciler::let_go(bool keep_switches) {
  Round round;
  runtime::unsteer_udev(target_.root());
  if (keep_switches) return round;
  arrivals_.end();
  (void)arrivals_.save();
  if (lease_.held().empty()) return round;
  // Reading a large machine would exceed the time limit for the exit.
  auto online = online_block_;
  if (!online)
    if (const auto host = target_.read()) online = some_online_block(*host);
  auto begun = target_.begin(kPatienceToLetGo);
  if (begun) {
    round.said = lease_.put_back(begun->port(), online);
    return round;
  }
  // Another run is changing memory. The settings are still ours to restore, but a run that has
  // changed one of them restores the value that it found.
  auto port = target_.port();
  if (port) {
    round.said = lease_.put_back(**port, online);
    if (const auto* held = std::get_if<apply::Held>(&begun.error()))
      round.said.push_back(fmt::format(
          "another run is changing memory ({}): the kernel settings were restored anyway",
          held->owner));
  } else {
    round.problem = fmt::format(
        "cannot restore the kernel settings: {}; the previous values are in {}/switches",
        port.error().message(), target_.run_directory());
  }
  return round;
}

HeldSettings Reconciler::held() const {
  HeldSettings settings;
  for (const auto& [knob, held] : lease_.held())
    settings.values[std::string(model::knob_name(knob))] = held.now;
  settings.deferred = lease_.deferred();
  return settings;
}

}  // namespace memonline::service
