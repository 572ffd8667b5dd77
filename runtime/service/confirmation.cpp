// SPDX-License-Identifier: LGPL-2.1-or-later
// Jobs whose changes stay only if they are confirmed in time: waiting for confirmation, extending
// the time, and undoing a job that was not confirmed. A part of service.cpp.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "runtime/service/service.hpp"

namespace memonline::service {

using std::chrono::steady_clock;

namespace {

constexpr int kError = 3;
constexpr std::chrono::milliseconds kLookForWord{500};

auto nothing(std::string message) {
  return fail(Refused{Refused::Why::Nothing, std::move(message)});
}

}  // namespace

// The writer is free meanwhile: it onlines memory that arrives, which is not part of what is
// undone. Further jobs wait.
void Service::await_word(std::uint64_t id, Round round) {
  const Round::ToConfirm wanted = *std::exchange(round.to_confirm, std::nullopt);
  model::BlockSet blocks;
  for (const apply::BlocksBefore& before : wanted.run->journal().blocks)
    blocks.add({before.first, before.last});
  Job& job = *find_job(id);
  const bool over = job.stage == Job::Stage::Cancelling;
  if (!over) {
    job.stage = Job::Stage::Confirming;
    job.undone_at = runtime::BootClock::now() + wanted.within;
  }
  show_report(job, round);
  confirming_ = Confirming{id,
                           wanted,
                           std::move(round),
                           std::move(blocks),
                           over,
                           runtime::BootClock::now() + wanted.within,
                           steady_clock::now() + std::min(kLookForWord, wanted.within)};
  listener_.job_changed(job);
  want_round(Cause::Changed);
}

std::optional<std::uint64_t> Service::confirming() const {
  if (!confirming_ || confirming_->over) return std::nullopt;
  return confirming_->job;
}

Result<std::uint64_t, Refused> Service::confirm(std::optional<std::uint64_t> job) {
  const auto waits = confirming();
  if (!waits) return nothing("no job is waiting for confirmation");
  if (job && *job != *waits)
    return nothing(fmt::format("job {} is no longer waiting for confirmation", *job));
  if (auto kept = confirming_->wanted.run->keep(); !kept)
    return fail(Refused{Refused::Why::Failed, kept.error().message()});
  const Confirming confirmed = *std::exchange(confirming_, std::nullopt);
  end_job(confirmed.job, confirmed.round);
  return confirmed.job;
}

// As with NetworkManager's checkpoints, the time counts from now.
Result<std::uint64_t, Refused> Service::adjust_timeout(std::uint64_t id,
                                                       std::chrono::milliseconds time) {
  if (confirming() != id) return nothing(fmt::format("job {} is not waiting for confirmation", id));
  confirming_->until = runtime::BootClock::now() + time;
  confirming_->look_at = steady_clock::now() + std::min(kLookForWord, time);
  Job& job = *find_job(id);
  job.undone_at = confirming_->until;
  listener_.job_changed(job);
  return id;
}

void Service::look_for_word() {
  const auto now = steady_clock::now();
  if (!confirming_ || confirming_->over || now < confirming_->look_at) return;
  if (confirming_->wanted.run->is_confirmed()) {
    const auto confirmed = confirm();
    if (!confirmed) listener_.say(kError, confirmed.error().message, {});
  }
  if (!confirming_) return;
  // The loop's timer stops while the machine is suspended, and fires soon after that.
  const auto left = confirming_->until - runtime::BootClock::now();
  if (left > runtime::BootClock::duration::zero()) {
    confirming_->look_at = now + std::min<runtime::BootClock::duration>(left, kLookForWord);
    return;
  }
  confirming_->over = true;
  find_job(confirming_->job)->undone_at.reset();
  next();
}

void Service::take_back() {
  current_job_ = confirming_->job;
  const auto failed = [this](const std::string& what) {
    finish_taking_back(Round::of_problem(what));
  };
  writer_->post({}, failed, [this, limits = confirming_->wanted.limits](const Worker::Cancelled&) {
    auto undone = std::make_shared<Round>(keeper_->take_back(limits));
    keeper_->tell_hooks(*undone);
    return [this, undone] { finish_taking_back(*undone); };
  });
}

// If undoing it failed, its recovery journal still exists, and the next round undoes it.
void Service::finish_taking_back(const Round& undone) {
  finish_writes({});
  Confirming taken_back = *std::exchange(confirming_, std::nullopt);
  note_outcome(taken_back.job, undone);
  taken_back.round.undone = undone.undone;
  taken_back.round.problem = undone.problem;
  taken_back.round.busy = undone.busy;
  end_job(taken_back.job, taken_back.round);
}

}  // namespace memonline::service
