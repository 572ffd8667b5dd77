// SPDX-License-Identifier: LGPL-2.1-or-later
// When the service scans memory, and how it handles the results: one round after another, each for
// the most urgent pending cause. A part of service.cpp.
#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "compiler/render/plan.hpp"
#include "runtime/service/locked_memory.hpp"
#include "runtime/service/service.hpp"

namespace memonline::service {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr int kNotice = 5, kWarning = 4, kError = 3, kInfo = 6;
constexpr auto kLockAgain = milliseconds(250);
constexpr auto kQuiet = milliseconds(250);
constexpr auto kLongestBurst = std::chrono::seconds(30);

std::uint64_t onlined(const apply::Report& report) {
  std::uint64_t blocks = 0;
  for (const apply::StepReport& step : report.steps)
    if (step.kind == apply::Task::Kind::Online) blocks += step.done;
  return blocks;
}

/// The blocks that failed after all attempts, for a later retry.
std::vector<Failing> failing_of(const std::vector<apply::Report>& reports) {
  std::vector<Failing> failing;
  if (reports.empty()) return failing;
  for (const apply::StepReport& step : reports.back().steps)
    for (const apply::Finding& finding : step.findings) {
      const apply::Outcome outcome = finding.note.outcome;
      if (outcome == apply::Outcome::Done || outcome == apply::Outcome::Already ||
          outcome == apply::Outcome::Vanished)
        continue;
      failing.push_back({finding.blocks, finding.note.error, finding.text, step.rule});
    }
  return failing;
}

std::uint64_t count(const std::vector<Failing>& failing) {
  std::uint64_t blocks = 0;
  for (const Failing& one : failing) blocks += one.blocks.count();
  return blocks;
}

}  // namespace

void Service::want_round(Cause cause) {
  note_cause(cause);
  next();
}

void Service::note_cause(Cause cause) {
  if (ending_) return;
  if (cause == Cause::Events && !burst_began_) burst_began_ = steady_clock::now();
  // The more urgent cause wins; they are in that order.
  if (!wanted_ || cause < *wanted_) wanted_ = cause;
  // A reloaded policy is shown even while another run holds the lock.
  if (cause == Cause::Reload) lock_wait_.reset();
}

// A round would wait for the kernel's hotplug lock, polling it every 5 ms
// (lock_device_hotplug_sysfs()), and then find nothing to do.
void Service::let_kernel_finish() {
  if (view_->plan == nullptr || view_->plan->hotplug.by == plan::Onliner::Service) return;
  const auto now = steady_clock::now();
  // Not at each of its thousands of events.
  if (quiet_at_ && now + kQuiet - *quiet_at_ < kQuiet / 4) return;
  quiet_at_ =
      std::min<steady_clock::time_point>(now + kQuiet, burst_began_.value_or(now) + kLongestBurst);
}

bool Service::kernel_is_at_it() const { return quiet_at_ && wanted_ == Cause::Events; }

// If the policy allows rezoning, changes by other processes are corrected like all drift. Blocks
// that a client's job offlined stay offline: a DIMM may be about to be unplugged. Blocks of a job
// that is waiting for confirmation stay unchanged until that is decided.
model::BlockSet Service::left_alone() const {
  const model::BlockSet offline = rezones() ? left_alone_.offline_by_jobs() : left_alone_.offline();
  return confirming_ ? unite(offline, confirming_->blocks) : offline;
}

bool Service::rezones() const {
  return view_->plan != nullptr && policy_ != nullptr &&
         std::any_of(policy_->policy.statements.begin(), policy_->policy.statements.end(),
                     [](const auto& statement) {
                       const auto* setting = std::get_if<sema::Setting>(&statement);
                       return setting != nullptr &&
                              setting->value == decltype(setting->value)(sema::Rezone::Allowed);
                     });
}

void Service::start_round() {
  Order order;
  order.cause = *std::exchange(wanted_, std::nullopt);
  round_runs_ = true;
  const auto policy = policy_;
  const bool rezone = rezones();
  switch (order.cause) {
    case Cause::Reload: break;
    case Cause::Changed: order.writes = rezone; break;
    case Cause::Retry: order.writes = troubles_.is_written(); break;
    case Cause::Start:
      order.writes = !rested_ || rested_->policies == digests(policy_.get());
      break;
    case Cause::Events:
    case Cause::Lost: order.writes = true; break;
  }
  order.writes = order.writes && policy != nullptr;
  troubles_.trying(order.writes);
  if (order.cause == Cause::Retry) ++counters_.retries;
  order.burst = std::exchange(burst_began_, std::nullopt);
  quiet_at_.reset();
  order.mark = left_alone_.mark();
  order.lost = std::exchange(events_lost_, false);
  Since since{left_alone(), {}, std::exchange(removed_, {})};
  if (rested_)
    since.online = rested_->online;
  else if (order.lost && !rezone && known_ != nullptr)
    since.online = online_blocks(*known_);
  const auto failed = [this, order](const std::string& what) {
    finish_round(order, Round::of_problem(what));
  };
  writer_->post({}, failed, [this, order, policy, since](const Worker::Cancelled&) {
    auto round = std::make_shared<Round>(order.writes ? keeper_->settle(*policy, since)
                                                      : keeper_->look(policy.get(), since));
    keeper_->tell_hooks(*round);
    return [this, order, round] { finish_round(order, std::move(*round)); };
  });
}

void Service::finish_round(const Order& order, Round round) {
  finish_writes(round.reports);
  round_runs_ = false;
  if (round.held) held_ = std::move(*round.held);
  for (const std::string& line : round.said) listener_.say(kNotice, line, {});
  if (round.busy) {
    if (!wanted_ || order.cause < *wanted_) wanted_ = order.cause;
    events_lost_ = events_lost_ || order.lost;
    if (order.burst) burst_began_ = order.burst;
    wait_for_lock(*round.busy);
  } else {
    lock_wait_.reset();
    if (round.plans.host) rested_.reset();
    account(order, round);
  }
  for (const auto& [first, last] : round.found)
    for (model::BlockId block = first; block <= last; block = block + 1) was_taken_offline(block);
  if (round.plans.host) {
    known_ = round.plans.host;
    // The plan left blocks unchanged that it need not leave.
    if (left_alone_.compare(*known_, order.mark)) want_round(Cause::Changed);
    // The run had read the machine already: another process has changed one of its blocks.
    if (round.plans.seqnum != 0 && last_own_seqnum_ > round.plans.seqnum)
      want_round(Cause::Changed);
  }
  keep_left_alone();
  // Also reports changes that the round has already corrected: their uevents may arrive only
  // afterwards. If the kernel onlines first, most of these changes are its own.
  if (round.plans.plan == nullptr || round.plans.plan->hotplug.by != plan::Onliner::Corrected)
    name_what_others_did(round.before, left_alone_.mark());
  publish(round.plans, order.mark);
  if (!looked_) {
    remember_needed_code();
    return_memory();
    accept_growth();
  }
  looked_ = true;
  ++rounds_done_;
  next();
}

// The lock may be held for as long as a user takes to confirm `memonline apply --confirm`:
// meanwhile only the lock itself is polled.
void Service::wait_for_lock(const std::string& owner) {
  if (!lock_wait_ || lock_wait_->owner != owner)
    listener_.say(kInfo, fmt::format("another run is changing memory: {}; waiting", owner), {});
  lock_wait_ = LockWait{owner, steady_clock::now() + kLockAgain};
}

void Service::look_at_lock() {
  lock_wait_->at.reset();
  const auto failed = [this](const std::string&) {
    if (lock_wait_) lock_wait_->at = steady_clock::now() + kLockAgain;
  };
  writer_->post({}, failed, [this](const Worker::Cancelled&) {
    return [this, owner = keeper_->who_writes()] {
      if (!lock_wait_) return;
      if (owner) {
        wait_for_lock(*owner);
      } else {
        lock_wait_.reset();
        next();
      }
    };
  });
}

// Counts what was done, and records failures: for messages and retries.
void Service::account(const Order& order, const Round& round) {
  const std::vector<Failing> before = troubles_.failing();
  const std::string problem_before = troubles_.problem();
  // A failure to read the machine is temporary and retried; a plan that is impossible is not.
  const std::string problem =
      round.problem.empty() && !round.plans.host ? round.plans.problem : round.problem;
  if (order.writes)
    troubles_.wrote(failing_of(round.reports), problem, order.cause == Cause::Events,
                    steady_clock::now());
  else
    troubles_.looked(problem, steady_clock::now());
  if (!problem.empty() && problem != problem_before) listener_.say(kError, problem, {});
  if (!round.reports.empty()) counters_.failures += count(troubles_.failing());
  if (troubles_.failing() != before)
    for (const Failing& one : troubles_.failing())
      listener_.say(kWarning, fmt::format("{}: {}", render::blocks_text(one.blocks), one.text),
                    {one.blocks, one.rule, one.error});
  std::uint64_t blocks = 0;
  for (const apply::Report& report : round.reports) blocks += onlined(report);
  counters_.blocks_onlined += blocks;
  if (blocks == 0) return;
  if (order.burst)
    counters_.last_latency =
        std::chrono::duration_cast<milliseconds>(steady_clock::now() - *order.burst);
  listener_.say(kInfo, fmt::format("{} block{} onlined", blocks, blocks == 1 ? "" : "s"), {});
}

}  // namespace memonline::service
