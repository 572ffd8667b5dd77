// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/job_queue.hpp"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

namespace memonline::service {

namespace {

auto nothing(std::string message) {
  return fail(Refused{Refused::Why::Nothing, std::move(message)});
}

Job::Result result_of(const Round& round) {
  if (!round.problem.empty() || round.stale || round.busy) return Job::Result::Failed;
  if (round.cancelled) return Job::Result::Cancelled;
  if (round.undone) return Job::Result::Undone;
  bool some = round.reports.empty();
  bool all = true;
  for (const apply::Report& report : round.reports) {
    if (report.ended == apply::Ended::Interrupted) return Job::Result::Cancelled;
    all = all && report.result() == apply::Report::Result::Complete;
    some = some || report.result() != apply::Report::Result::Failed;
  }
  if (all) return Job::Result::Done;
  return some ? Job::Result::Partial : Job::Result::Failed;
}

void show_report(Job& job, const Round& round) {
  job.step.clear();
  if (round.reports.empty()) return;
  const apply::Report& report = round.reports.back();
  job.blocks = report.blocks;
  job.blocks_done = report.blocks_done;
  job.steps = report.steps.size();
  job.steps_done = static_cast<std::uint64_t>(
      std::count_if(report.steps.begin(), report.steps.end(),
                    [](const apply::StepReport& step) { return step.complete(); }));
  job.report = report;
}

void show_failure(Job& job, const Round& round) {
  const auto failed = [&](Job::Failure failure, std::string error) {
    job.failure = failure;
    job.error = std::move(error);
  };
  if (round.busy)
    failed(Job::Failure::AnotherRun,
           fmt::format("another run is changing memory: {}", *round.busy));
  if (round.stale) failed(Job::Failure::Stale, "the machine has changed since this plan was made");
  if (!round.problem.empty())
    failed(round.nothing_to_undo ? Job::Failure::NothingToUndo : Job::Failure::Other,
           round.problem);
}

/// The blocks that stayed online because they are in use, as the report names the first of them;
/// empty: the job failed for another reason as well, which another attempt would meet again.
std::string in_use(const Round& round) {
  if (round.busy) return fmt::format("another run is changing memory: {}", *round.busy);
  if (!round.problem.empty() || round.stale || round.undone || round.reports.empty()) return {};
  std::string first;
  for (const apply::StepReport& step : round.reports.back().steps) {
    // What could not be reclaimed is not in the way.
    if (step.kind == apply::Task::Kind::Reclaim) continue;
    for (const apply::Finding& finding : step.findings) {
      const apply::Outcome outcome = finding.result.outcome;
      const bool consequence = outcome == apply::Outcome::NotTried ||
                               outcome == apply::Outcome::Already ||
                               (outcome == apply::Outcome::TakenBack && finding.result.put_back);
      if (consequence) continue;
      const int error = finding.result.error;
      const bool passes = outcome == apply::Outcome::Deadline || error == EBUSY ||
                          error == EAGAIN || error == ENOMEM || error == EINTR;
      if (step.kind != apply::Task::Kind::Offline || !passes) return {};
      if (first.empty())
        first = fmt::format("{}: {}", model::range_name(finding.blocks), finding.text);
    }
  }
  return first;
}

}  // namespace

std::optional<std::uint32_t> JobQueue::owner_of(std::uint64_t id) const {
  for (const Job& job : jobs_)
    if (job.id == id && job.stage != Job::Stage::Done) return job.uid;
  return std::nullopt;
}

bool JobQueue::is_open() const {
  return std::any_of(jobs_.begin(), jobs_.end(), [](const Job& job) {
    return job.stage != Job::Stage::Done && job.stage != Job::Stage::Waiting;
  });
}

Job* JobQueue::find(std::uint64_t id) {
  const auto job =
      std::find_if(jobs_.begin(), jobs_.end(), [&](const Job& one) { return one.id == id; });
  return job == jobs_.end() ? nullptr : &*job;
}

// Root's jobs are counted separately, so that other users cannot use up its share.
std::optional<Refused> JobQueue::limit_reached(std::uint32_t uid) const {
  std::size_t own = 0, all = 0;
  for (const Job& job : jobs_) {
    if (job.stage == Job::Stage::Done || (job.uid == 0) != (uid == 0)) continue;
    ++all;
    if (job.uid == uid) ++own;
  }
  if (all < kMaxJobs && (uid == 0 || own < kMaxJobsOfUser)) return std::nullopt;
  return Refused{Refused::Why::Busy,
                 uid == 0 ? fmt::format("too many jobs (limit {})", kMaxJobs)
                          : fmt::format("too many jobs (limit {} for uid {}, {} for all users)",
                                        kMaxJobsOfUser, uid, kMaxJobs)};
}

// A job outlives the connection that started it.
std::uint64_t JobQueue::add(Job::Kind kind, const Requester& who, std::uint64_t steps, Work work) {
  Job job;
  job.id = next_id_++;
  job.kind = kind;
  job.uid = who.uid;
  jobs_.push_back(std::move(job));
  listener_.job_added(jobs_.back());
  jobs_.back().steps = steps;
  waiting_.push(who, {jobs_.back().id, std::move(work)});
  return jobs_.back().id;
}

void JobQueue::let_retry(std::uint64_t id, const Requester& who, Work work,
                         std::chrono::milliseconds time, Time now) {
  retries_.insert_or_assign(id, Retry{who, std::move(work), now + time});
}

bool JobQueue::postpone(Job& job, const Round& round, Time now) {
  const auto found = retries_.find(job.id);
  if (found == retries_.end() || job.stage == Job::Stage::Cancelling) return false;
  Retry& retry = found->second;
  const std::string why = in_use(round);
  if (why.empty()) return false;
  ++job.attempts;
  if (now >= retry.until) {
    listener_.say(
        kNotice,
        fmt::format("job {}: no more retries after attempt {}: {}", job.id, job.attempts, why), {});
    return false;
  }
  retry.at = std::min<Time>(now + retry.pause, retry.until);
  const auto pause = std::chrono::ceil<std::chrono::seconds>(*retry.at - now);
  retry.pause = std::min(retry.pause * 2, kLongestPause);
  job.stage = Job::Stage::Waiting;
  show_report(job, round);
  job.error =
      fmt::format("attempt {} failed: {}; next attempt in {} s", job.attempts, why, pause.count());
  listener_.say(kInfo, fmt::format("job {}: {}", job.id, job.error), {});
  listener_.job_changed(job);
  return true;
}

void JobQueue::resume(Time now) {
  for (auto& [id, retry] : retries_) {
    if (!retry.at || *retry.at > now) continue;
    retry.at.reset();
    Job& job = *find(id);
    job.stage = Job::Stage::Queued;
    job.error.clear();
    waiting_.push(retry.who, {id, retry.work});
    listener_.job_changed(job);
  }
}

bool JobQueue::can_start() const { return current_ == 0 && !unconfirmed_ && !waiting_.empty(); }

std::pair<std::uint64_t, JobQueue::Work> JobQueue::start() {
  Waiting next = std::move(waiting_.pop()->second);
  current_ = next.first;
  return next;
}

void JobQueue::end(std::uint64_t id, const Round& round, Time now) {
  Job* job = find(id);
  if (job == nullptr || postpone(*job, round, now)) return;
  retries_.erase(id);
  job->stage = Job::Stage::Done;
  job->undone_at.reset();
  job->result = result_of(round);
  show_report(*job, round);
  job->undone = round.undone;
  show_failure(*job, round);
  done_at_[id] = now;
  listener_.say(kNotice, fmt::format("job {}: {}", id, result_name(job->result)), {});
  listener_.job_changed(*job);
  drop_old(now);
}

Result<JobQueue::Cancelled, Refused> JobQueue::cancel(std::uint64_t id, Time now) {
  Job* job = find(id);
  if (job == nullptr || job->stage == Job::Stage::Done)
    return nothing(fmt::format("job {} is done or does not exist", id));
  job->stage = Job::Stage::Cancelling;
  job->undone_at.reset();
  const auto dropped = waiting_.remove_if(
      [&](const std::string&, const Waiting& waiting) { return waiting.first == id; });
  const auto retry = retries_.find(id);
  const bool waits = retry != retries_.end() && retry->second.at;
  if (waits) job->error.clear();
  if (!dropped.empty() || waits) {
    Round round;
    round.cancelled = true;
    end(id, round, now);
    return Cancelled::Ended;
  }
  listener_.job_changed(*job);
  if (!unconfirmed_ || unconfirmed_->job != id) return Cancelled::Stops;
  unconfirmed_->over = true;
  return Cancelled::Reverts;
}

void JobQueue::await_confirmation(std::uint64_t id, Round round, Now now) {
  Job& job = *find(id);
  Unconfirmed waits;
  waits.job = id;
  waits.run = *std::exchange(round.to_confirm, std::nullopt);
  for (const apply::BlocksBefore& before : waits.run.run->journal().blocks)
    waits.blocks.add({before.first, before.last});
  waits.over = job.stage == Job::Stage::Cancelling;
  waits.until = now.boot + waits.run.within;
  waits.look_at = now.steady + std::min(kLookForConfirmation, waits.run.within);
  if (!waits.over) {
    job.stage = Job::Stage::Confirming;
    job.undone_at = waits.until;
  }
  show_report(job, round);
  waits.round = std::move(round);
  unconfirmed_ = std::move(waits);
  listener_.job_changed(job);
}

std::optional<std::uint64_t> JobQueue::confirming() const {
  if (!unconfirmed_ || unconfirmed_->over) return std::nullopt;
  return unconfirmed_->job;
}

Result<std::uint64_t, Refused> JobQueue::confirm(std::optional<std::uint64_t> job, Time now) {
  const auto waits = confirming();
  if (!waits) return nothing("no job is waiting for confirmation");
  if (job && *job != *waits)
    return nothing(fmt::format("job {} is no longer waiting for confirmation", *job));
  if (auto kept = unconfirmed_->run.run->keep(); !kept)
    return fail(Refused{Refused::Why::Failed, kept.error().message()});
  const Unconfirmed confirmed = *std::exchange(unconfirmed_, std::nullopt);
  end(confirmed.job, confirmed.round, now);
  return confirmed.job;
}

// As with NetworkManager's checkpoints, the time counts from now.
Result<std::uint64_t, Refused> JobQueue::adjust_timeout(std::uint64_t id,
                                                        std::chrono::milliseconds time, Now now) {
  if (confirming() != id) return nothing(fmt::format("job {} is not waiting for confirmation", id));
  unconfirmed_->until = now.boot + time;
  unconfirmed_->look_at = now.steady + std::min(kLookForConfirmation, time);
  Job& job = *find(id);
  job.undone_at = unconfirmed_->until;
  listener_.job_changed(job);
  return id;
}

std::optional<std::string> JobQueue::look_for_confirmation(Now now) {
  if (!confirming() || now.steady < unconfirmed_->look_at) return std::nullopt;
  std::optional<std::string> problem;
  if (unconfirmed_->run.run->is_confirmed())
    if (const auto confirmed = confirm(std::nullopt, now.steady); !confirmed)
      problem = confirmed.error().message;
  if (!unconfirmed_) return problem;
  // The loop's timer stops while the machine is suspended, and fires soon after that.
  const auto left = unconfirmed_->until - now.boot;
  if (left > runtime::BootClock::duration::zero()) {
    unconfirmed_->look_at =
        now.steady + std::min<runtime::BootClock::duration>(left, kLookForConfirmation);
    return problem;
  }
  unconfirmed_->over = true;
  find(unconfirmed_->job)->undone_at.reset();
  return problem;
}

apply::Limits JobQueue::start_reverting() {
  current_ = unconfirmed_->job;
  return unconfirmed_->run.limits;
}

// If undoing it failed, its recovery journal still exists, and the next round undoes it.
std::pair<std::uint64_t, Round> JobQueue::reverted(const Round& undone) {
  Unconfirmed reverted = *std::exchange(unconfirmed_, std::nullopt);
  reverted.round.undone = undone.undone;
  reverted.round.problem = undone.problem;
  reverted.round.busy = undone.busy;
  return {reverted.job, std::move(reverted.round)};
}

std::optional<apply::Limits> JobQueue::abandon() {
  if (!unconfirmed_) return std::nullopt;
  return std::exchange(unconfirmed_, std::nullopt)->run.limits;
}

const model::BlockSet& JobQueue::unconfirmed_blocks() const {
  static const model::BlockSet none;
  return unconfirmed_ ? unconfirmed_->blocks : none;
}

void JobQueue::show_progress(const PendingWrites::Progress& progress) {
  Job* job = current_ == 0 ? nullptr : find(current_);
  if (job == nullptr) return;
  if (progress.steps > 0) {
    if (job->stage == Job::Stage::Queued) job->stage = Job::Stage::Running;
    job->blocks = progress.blocks;
    job->blocks_done = progress.blocks_done;
    job->steps = progress.steps;
    job->steps_done = progress.steps_done;
    job->step = progress.step;
  }
  listener_.job_changed(*job);
}

void JobQueue::drop_old(Time now) {
  while (!done_at_.empty()) {
    // A job that was tried again ends after jobs that began later.
    const auto oldest =
        std::min_element(done_at_.begin(), done_at_.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    if (done_at_.size() <= kKeptJobs && oldest->second + kKeptFor > now) break;
    const std::uint64_t id = oldest->first;
    done_at_.erase(oldest);
    jobs_.remove_if([&](const Job& job) { return job.id == id; });
    listener_.job_removed(id);
  }
}

std::optional<JobQueue::Time> JobQueue::due() const {
  std::optional<Time> at;
  if (confirming()) at = unconfirmed_->look_at;
  for (const auto& [id, retry] : retries_)
    if (retry.at && (!at || *retry.at < *at)) at = retry.at;
  for (const auto& [id, done] : done_at_)
    if (!at || done + kKeptFor < *at) at = done + kKeptFor;
  return at;
}

}  // namespace memonline::service
