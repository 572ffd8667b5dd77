// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/reconciler.hpp"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/compile.hpp"
#include "compiler/model/dax.hpp"
#include "compiler/plan/compare.hpp"
#include "compiler/plan/room.hpp"
#include "runtime/base/file.hpp"
#include "runtime/service/kept_lines.hpp"
#include "runtime/service/user_offline.hpp"

namespace memonline::service {

namespace {

using apply::Program;
using apply::Report;
using apply::RunDirectory;
using apply::Session;

// virtio-mem and Hyper-V wait until their memory is online, then add more (kernel rules 9.6, 9.7).
constexpr int kMaxRounds = 64;
constexpr model::Knob kGate = model::Knob::AutoOnlineBlocks;
constexpr auto kPatience = std::chrono::milliseconds(0);
// Another process that checks the lock holds it only for a moment.
constexpr auto kPatienceToUndo = std::chrono::seconds(5);

/// If no write failed, the machine is as the model predicted: each block was read back.
bool went_as_predicted(const Round& round) {
  return std::all_of(round.reports.begin(), round.reports.end(), [](const Report& report) {
    return report.result() == Report::Result::Complete;
  });
}

/// Of these blocks, those that a plan without exceptions would write.
model::BlockSet steps_in(const model::BlockSet& blocks, const ReadyPolicy& policy,
                         const model::Host& host) {
  const auto planned = compile(policy.policy, policy.files, host);
  if (!planned.plan) return {};
  std::vector<model::BlockRange> written;
  for (const plan::Step& step : planned.plan->steps)
    if (const model::WriteRun* run = plan::blocks_of(step))
      written.push_back({run->low(), run->high()});
  return intersect(model::BlockSet(std::move(written)), blocks);
}

}  // namespace

std::optional<model::BlockId> some_online_block(const model::Host& host) {
  for (const model::BlockRun& run : host.blocks)
    if (run.state == model::State::Online) return run.first;
  return std::nullopt;
}

Plans plan_now(Target& target, const ReadyPolicy* policy, const model::BlockSet& left_alone,
               const std::function<void(model::Host&)>& complete, const Cancelled& cancelled) {
  Plans plans;
  plans.seqnum = target.uevent_seqnum();
  auto host = target.read();
  if (!host) {
    plans.problem = fmt::format("{}: {}", host.error().path, host.error().message);
    return plans;
  }
  if (complete) complete(*host);
  plans.host = std::make_shared<model::Host>(std::move(*host));
  if (policy == nullptr) return plans;
  // What others released of a device, they released of all of it.
  const model::BlockSet alone = model::with_whole_devices(*plans.host, left_alone);
  const auto with_exceptions = alone.empty() ? nullptr : leaving_alone(*policy, alone);
  const ReadyPolicy& used = with_exceptions ? *with_exceptions : *policy;
  auto planned = compile(used.policy, used.files, *plans.host, {}, {}, cancelled);
  plans.sink = std::move(planned.diagnostics);
  if (!planned.plan) {
    plans.problem = "the policy cannot be applied to this machine";
    for (const diag::Diagnostic& d : plans.sink.all())
      if (d.severity == diag::Severity::Error) plans.problem = d.message;
    return plans;
  }
  plans.plan = std::make_shared<plan::Plan>(std::move(*planned.plan));
  if (with_exceptions && !(cancelled && cancelled()))
    plans.missed = steps_in(left_alone, *policy, *plans.host);
  return plans;
}

Reconciler::Reconciler(Target& target, PendingWrites& pending, const apply::Limits& limits)
    : target_(target),
      pending_(pending),
      limits_(limits),
      lease_(target.run_directory() + "/switches", boot_id()),
      arrivals_(target.run_directory() + "/arrivals", boot_id()) {}

Plans Reconciler::plan(const ReadyPolicy* policy, const model::BlockSet& left_alone) {
  const auto complete = [&](model::Host& host) {
    host.auto_online_before = lease_.before(kGate);
    const auto held = lease_.held().find(kGate);
    const bool kernel_first = held != lease_.held().end()
                                  ? held->second.now != "offline"
                                  : host.knobs.auto_online_blocks != "offline";
    host.fresh = arrivals_.fresh(host, !kernel_first, left_alone);
  };
  return plan_now(target_, policy, left_alone, complete, [this] { return pending_.stopping(); });
}

apply::Watch Reconciler::watch_undoing() {
  return {[this](const Program& program, apply::SharedProgress& shared) {
            pending_.begin(std::make_shared<Program>(program), shared,
                           PendingWrites::Ends::ByItself);
          },
          nullptr};
}

bool Reconciler::begin(Round& round, std::optional<Session>& session,
                       std::chrono::milliseconds patience) {
  auto begun = target_.begin(patience);
  if (!begun) {
    std::visit(overloaded{[&](const runtime::FileError& error) { round.problem = error.message(); },
                          [&](const apply::Held& held) { round.busy = held.owner; }},
               begun.error());
    return false;
  }
  session.emplace(std::move(*begun));
  if (session->has_to_undo()) pending_.undoing();
  auto recovered = session->recover(limits_, watch_undoing());
  if (!recovered) {
    round.problem = recovered.error().message();
    return false;
  }
  round.recovered = recovered->journal.has_value();
  round.said.insert(round.said.end(), recovered->lines.begin(), recovered->lines.end());
  return true;
}

bool Reconciler::carry_out(Round& round, Session& session, const plan::Plan& plan,
                           const model::Host& host, bool to_confirm, const apply::Limits& limits) {
  const auto program = std::make_shared<Program>(apply::program_of(plan, host));
  apply::Journal journal;
  journal.plan = plan.host.fingerprint;
  journal.block_size = program->block_size;
  journal.to_confirm = to_confirm;
  journal.knobs = apply::knobs_before(plan);
  journal.blocks = apply::blocks_before(plan, host);
  auto report = session.carry_out(
      *program, journal, limits,
      {[&](const Program&, apply::SharedProgress& shared) { pending_.begin(program, shared); },
       nullptr});
  if (!report) {
    round.problem = report.error().message();
    return false;
  }
  round.reports.push_back(std::move(*report));
  return true;
}

Round Reconciler::settle(const ReadyPolicy& policy, const Since& since) {
  Round round = settle_memory(policy, since);
  round.held = held();
  return round;
}

Round Reconciler::settle_memory(const ReadyPolicy& policy, const Since& since) {
  Round round;
  arrivals_.forget(since.removed);
  model::BlockSet alone = since.left_alone;
  std::optional<Session> session;
  if (!begin(round, session)) {
    round.plans = plan(&policy, alone);
    return round;
  }
  // The first round does not know an online block yet.
  if (!online_block_)
    if (const auto host = target_.read()) online_block_ = some_online_block(*host);
  for (int i = 0; i < kMaxRounds; ++i) {
    // One add creates all blocks of a device under the kernel's lock: after it, all are present.
    if (online_block_) (void)session->port().wait_for_adds(*online_block_);
    round.plans = plan(&policy, alone);
    // A cancelled plan lists no settings: they must not be restored because of that.
    if (pending_.stopping()) break;
    if (i == 0) {
      if (since.online && round.plans.host)
        round.found = taken_offline(*since.online, *round.plans.host);
      alone = unite(alone, round.found);
      if (hold_switches(round, *session) || !round.found.empty())
        round.plans = plan(&policy, alone);
    }
    if (!round.plans.plan || round.plans.plan->steps.empty() || pending_.stopping()) break;
    if (i == 0) round.before = plan::status_runs(*round.plans.host, round.plans.plan.get());
    const auto plans = round.plans;
    if (!carry_out(round, *session, *plans.plan, *plans.host, false, limits_)) break;
    if (went_as_predicted(round)) continue;
    round.plans = plan(&policy, alone);
    break;
  }
  settle_arrivals(round);
  return round;
}

Round Reconciler::look(const ReadyPolicy* policy, const Since& since) {
  Round round = look_at_memory(policy, since);
  round.held = held();
  return round;
}

Round Reconciler::look_at_memory(const ReadyPolicy* policy, const Since& since) {
  Round round;
  arrivals_.forget(since.removed);
  model::BlockSet alone = since.left_alone;
  round.plans = plan(policy, alone);
  if (pending_.stopping()) return round;
  if (since.online && round.plans.host) {
    round.found = taken_offline(*since.online, *round.plans.host);
    alone = unite(alone, round.found);
  }
  std::optional<Session> session;
  const bool begun = begin(round, session);
  const bool held = begun && hold_switches(round, *session);
  if (held || round.recovered || !round.found.empty()) round.plans = plan(policy, alone);
  return round;
}

Round Reconciler::apply(const plan::Plan& plan, std::optional<std::chrono::milliseconds> confirm,
                        const apply::Limits& limits) {
  Round round;
  std::optional<Session> session;
  if (!begin(round, session)) return round;
  round.plans = plan_now(target_, nullptr, {});
  if (!round.plans.host) {
    round.problem = round.plans.problem;
    return round;
  }
  const plan::Comparison comparison = plan::compare(plan, *round.plans.host);
  if (!comparison.same && !comparison.fulfilled) {
    round.stale = true;
    round.said.insert(round.said.end(), comparison.lines.begin(), comparison.lines.end());
    return round;
  }
  if (comparison.fulfilled || plan.steps.empty()) return round;
  // Free memory changes all the time, and is not among the facts that compare() checks.
  diag::Sink sink;
  if (!plan::check_room(plan.steps, *round.plans.host, sink)) {
    round.problem = sink.all().front().message;
    return round;
  }
  if (carry_out(round, *session, plan, *round.plans.host, confirm.has_value(), limits) && confirm) {
    auto run = apply::Unconfirmed::of(session->directory());
    if (run)
      round.to_confirm = {std::move(*run), *confirm, limits};
    else
      round.problem = run.error().message();
  }
  look_after(round);
  return round;
}

Round Reconciler::revert(const apply::Limits& limits) {
  Round round;
  std::optional<Session> session;
  if (!begin(round, session, kPatienceToUndo)) return round;
  const auto left = session->directory().read(RunDirectory::Which::Unconfirmed);
  if (!left || !*left) {
    round.problem = left ? "the recovery journal is missing" : left.error().message();
    return round;
  }
  auto undone = undo(round, *session, RunDirectory::Which::Unconfirmed, **left, limits);
  if (undone) round.undone = std::move(*undone);
  return round;
}

std::optional<Report> Reconciler::undo(Round& round, Session& session, RunDirectory::Which which,
                                       const apply::Journal& journal, const apply::Limits& limits) {
  round.plans = plan_now(target_, nullptr, {});
  pending_.undoing();
  auto report = session.undo(which, journal, limits, watch_undoing());
  look_after(round);
  if (report) return std::move(*report);
  round.problem = report.error().message();
  return std::nullopt;
}

Round Reconciler::undo(const apply::Limits& limits) {
  Round round;
  std::optional<Session> session;
  if (!begin(round, session)) return round;
  auto last = session->directory().read(RunDirectory::Which::Last);
  if (!last || !*last) {
    round.problem = last ? "nothing to undo" : last.error().message();
    round.nothing_to_undo = last.has_value();
    return round;
  }
  auto report = undo(round, *session, RunDirectory::Which::Last, **last, limits);
  if (report) round.reports.push_back(std::move(*report));
  return round;
}

// Blocks that a job offlined stay offline, whatever the policy requires.
void Reconciler::look_after(Round& round) {
  auto host = target_.read();
  if (!host) return;
  round.after = std::make_shared<model::Host>(std::move(*host));
  if (round.plans.host) round.taken = taken_offline(online_blocks(*round.plans.host), *round.after);
}

std::optional<std::string> Reconciler::who_writes() {
  const auto begun = target_.begin(kPatience);
  if (begun) return std::nullopt;
  const auto* held = std::get_if<apply::Held>(&begun.error());
  return held == nullptr ? std::nullopt : std::optional(held->owner);
}

void Reconciler::told_hooks_at(const model::BlockSet& online) { online_ = online.count(); }

void Reconciler::tell_hooks(Round& round) {
  const bool wrote = std::any_of(round.reports.begin(), round.reports.end(),
                                 [](const Report& report) { return report.blocks_done > 0; });
  std::optional<std::uint64_t> online;
  if (round.plans.host) online = online_blocks(*round.plans.host).count();
  const bool changed = online && online_ && *online != *online_;
  if (online) online_ = online;
  // A job only has the host from before its writes: the next round counts the online blocks.
  if (wrote && !round.plans.plan) online_.reset();
  if (!wrote && !changed) return;
  auto told = runtime::write_file(target_.run_directory() + "/memory-changed", "");
  if (!told) round.said.push_back(told.error().message());
}

}  // namespace memonline::service
