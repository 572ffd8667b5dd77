// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/uevents.hpp"

#include <algorithm>
#include <utility>

#include "compiler/model/dax.hpp"

namespace memonline::service {

namespace {

using Cause = RoundScheduler::Cause;

/// The run itself offlined the block again, because it ended up in another zone than predicted.
bool reverted(const std::vector<apply::Report>& reports, model::BlockId block) {
  for (const apply::Report& report : reports)
    for (const apply::StepReport& step : report.steps)
      for (const apply::Finding& finding : step.findings)
        if (finding.result.outcome == apply::Outcome::WrongZone && finding.blocks.low() <= block &&
            block <= finding.blocks.high())
          return true;
  return false;
}

}  // namespace

Uevents::Uevents(EventSource source, Listener& listener, PendingWrites& pending,
                 Publisher& publisher, RoundScheduler& rounds)
    : source_(std::move(source)),
      listener_(listener),
      pending_(pending),
      publisher_(publisher),
      rounds_(rounds) {}

// The caller starts a round only after this: a round that started at the first uevent could write
// to blocks whose uevents are not judged yet, and they would count as its own.
bool Uevents::take(RoundScheduler::Time now) {
  EventSource::Taken taken = source_.take();
  publisher_.counters().events += taken.events.size();
  for (const MemoryEvent& event : taken.events) judge(event, now);
  if (taken.waiting_dax) rounds_.want(Cause::Changed, now);
  if (taken.lost) {
    ++publisher_.counters().rescans;
    listener_.say(kNotice, "uevents lost; rescanning all memory blocks", {});
    rounds_.uevents_lost(now);
  }
  return taken.more;
}

void Uevents::finish_writes(const std::vector<apply::Report>& reports, RoundScheduler::Time now) {
  while (take(now)) {
  }
  pending_.forget();
  for (const model::BlockId block : std::exchange(undecided_, {}))
    if (!reverted(reports, block)) offlined_by_others(block, now);
  publisher_.save();
}

void Uevents::judge(const MemoryEvent& event, RoundScheduler::Time now) {
  using Action = MemoryEvent::Action;
  UserOffline& user_offline = publisher_.user_offline();
  const auto kernel_onlines = [&] {
    const auto& plan = publisher_.view()->plan;
    if (plan != nullptr && plan->hotplug.by != plan::Onliner::Service) rounds_.kernel_onlines(now);
  };
  if (event.action == Action::Add || event.action == Action::Remove) {
    // What others have deconfigured or unbound stays so until they configure or bind it again.
    const auto& scanned = publisher_.scanned();
    const bool returned =
        event.action == Action::Remove && scanned != nullptr &&
        (scanned->configures_standby || model::dax_with(*scanned, event.block) != nullptr);
    if (!returned) user_offline.forget(event.block);
    if (event.action == Action::Remove) rounds_.block_removed(event.block);
    if (event.action == Action::Add) kernel_onlines();
    rounds_.want(event.action == Action::Add ? Cause::Events : Cause::Changed, now);
    return;
  }
  const bool ours = pending_.is_ours(event);
  if (ours) last_own_ = event.seqnum;
  if (event.action == Action::Offline) {
    if (ours) return;
    if (pending_.may_revert(event))
      undecided_.push_back(event.block);
    else
      offlined_by_others(event.block, now);
    return;
  }
  const bool was_left_offline = user_offline.forget(event.block);
  if (ours) return;
  if (rounds_.kernel_is_onlining()) kernel_onlines();
  user_offline.brought_online(event.block);
  // The kernel itself may have onlined some blocks of memory that was just added.
  const auto& scanned = publisher_.scanned();
  const model::BlockRun* known = scanned == nullptr ? nullptr : scanned->find_block(event.block);
  if (was_left_offline || (known != nullptr && known->state != model::State::Online))
    rounds_.want(Cause::Changed, now);
}

void Uevents::offlined_by_others(model::BlockId block, RoundScheduler::Time now) {
  publisher_.offlined_by_others(block);
  rounds_.want(Cause::Changed, now);
}

}  // namespace memonline::service
