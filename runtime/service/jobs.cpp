// SPDX-License-Identifier: LGPL-2.1-or-later
// Jobs of clients: one after another, between the rounds of the service itself. A part of
// service.cpp.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "compiler/plan/compare.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/service/service.hpp"

namespace memonline::service {

using std::chrono::steady_clock;

namespace {

constexpr int kNotice = 5;

auto refused(Refused::Why why, std::string message) {
  return fail(Refused{why, std::move(message)});
}

auto too_many(std::uint32_t uid) {
  return refused(Refused::Why::Busy,
                 uid == 0 ? fmt::format("too many jobs (limit {})", Service::kMostJobs)
                          : fmt::format("too many jobs (limit {} for uid {}, {} for all users)",
                                        Service::kMostJobsOfUser, uid, Service::kMostJobs));
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

}  // namespace

Job& Service::add_job(Job::Kind kind, std::uint32_t uid) {
  Job job;
  job.id = next_job_++;
  job.kind = kind;
  job.uid = uid;
  jobs_.push_back(std::move(job));
  listener_.job_added(jobs_.back());
  if (!progress_at_) progress_at_ = steady_clock::now() + kProgressEvery;
  const View before = *view_;
  publish_state();
  listener_.view_changed(before, *view_);
  return jobs_.back();
}

// Root's jobs are counted separately, so that other users cannot use up its share.
bool Service::full(std::uint32_t uid) const {
  std::size_t own = 0, all = 0;
  for (const Job& job : jobs_) {
    if (job.stage == Job::Stage::Done || (job.uid == 0) != (uid == 0)) continue;
    ++all;
    if (job.uid == uid) ++own;
  }
  return all >= kMostJobs || (uid != 0 && own >= kMostJobsOfUser);
}

std::optional<std::uint32_t> Service::owner_of(std::uint64_t id) const {
  for (const Job& job : jobs_)
    if (job.id == id && job.stage != Job::Stage::Done) return job.uid;
  return std::nullopt;
}

Job* Service::find_job(std::uint64_t id) {
  const auto job =
      std::find_if(jobs_.begin(), jobs_.end(), [&](const Job& one) { return one.id == id; });
  return job == jobs_.end() ? nullptr : &*job;
}

void Service::apply(const std::string& digest, const ApplyWishes& wishes,
                    const Answer<std::uint64_t>& answer) {
  const auto known = wishes.plan ? wishes.plan : plans_.find(digest);
  if (known == nullptr) {
    answer(refused(Refused::Why::UnknownPlan,
                   "no recent plan has this digest: request the plan again"));
    return;
  }
  if (full(wishes.who.uid)) {
    answer(too_many(wishes.who.uid));
    return;
  }
  reader_of(wishes.who)
      .post(wishes.who, failing(answer),
            [this, known, wishes, answer](const Worker::Cancelled&) -> Worker::Done {
              const auto refuse = [&answer](Refused::Why why, const std::string& problem) {
                return [answer, why, problem] { answer(refused(why, problem)); };
              };
              auto read = plan_in(*known);
              if (!read) return refuse(Refused::Why::Failed, read.error());
              const auto host = target_->read();
              if (!host) return refuse(Refused::Why::Failed, host.error().message);
              const auto plan = std::make_shared<const plan::Plan>(std::move(*read));
              if (const auto comparison = plan::compare(*plan, *host);
                  !comparison.same && !comparison.fulfilled) {
                std::string problem = "the machine has changed since this plan was made";
                for (const std::string& line : comparison.lines) problem += "\n" + line;
                return refuse(Refused::Why::Stale, problem);
              }
              return [this, plan, wishes, answer] {
                // Another request may have reached the limit meanwhile.
                if (full(wishes.who.uid)) {
                  answer(too_many(wishes.who.uid));
                  return;
                }
                apply::Limits limits = limits_;
                if (wishes.deadline) limits.offline_deadline = *wishes.deadline;
                Job& job = add_job(Job::Kind::Apply, wishes.who.uid);
                job.steps = plan->steps.size();
                const std::uint64_t id = job.id;
                post_job(id, wishes.who, [this, plan, wishes, limits] {
                  return keeper_->apply(*plan, wishes.confirm, limits);
                });
                answer(id);
              };
            });
}

void Service::undo(std::uint32_t uid, const Answer<std::uint64_t>& answer) {
  if (full(uid)) {
    answer(too_many(uid));
    return;
  }
  const std::uint64_t id = add_job(Job::Kind::Undo, uid).id;
  post_job(id, {uid, {}}, [this] { return keeper_->undo(limits_); });
  answer(id);
}

// A job outlives the connection that started it.
void Service::post_job(std::uint64_t id, const Requester& who, std::function<Round()> work) {
  waiting_jobs_.push(who, {id, std::move(work)});
  next();
}

// The writer does one thing at a time: the round after a job must know which blocks it offlined.
// Hot-added memory comes before jobs, and jobs come before another scan.
void Service::next() {
  if (ending_ || round_runs_ || current_job_ != 0) return;
  const bool round = wanted_ && !lock_wait_ && !kernel_is_at_it();
  if (confirming_ && confirming_->over)
    take_back();
  else if (round && *wanted_ <= Cause::Retry)
    start_round();
  else if (!waiting_jobs_.empty() && !confirming_)
    begin_job();
  else if (round)
    start_round();
}

void Service::begin_job() {
  auto [id, work] = std::move(waiting_jobs_.pop()->second);
  current_job_ = id;
  const auto failed = [this, id = id](const std::string& what) {
    finish_job(id, Round::of_problem(what));
  };
  writer_->post({}, failed, [this, id = id, work = std::move(work)](const Worker::Cancelled&) {
    auto round = std::make_shared<Round>(work());
    keeper_->tell_hooks(*round);
    return [this, id, round] { finish_job(id, std::move(*round)); };
  });
}

void Service::finish_job(std::uint64_t id, Round round) {
  finish_writes(round.reports);
  note_outcome(id, round);
  if (round.to_confirm)
    await_word(id, std::move(round));
  else
    end_job(id, round);
}

// The state of the machine after a job, and the blocks that it offlined.
void Service::note_outcome(std::uint64_t id, const Round& round) {
  flight_.clear();
  for (const std::string& line : round.said) listener_.say(kNotice, line, {});
  if (round.after) {
    known_ = round.after;
    // A client that learns that the job is done finds the machine as the job left it.
    auto view = std::make_shared<View>(*view_);
    view->host = round.after;
    view->runs = plan::status_runs(*view->host, view->plan.get());
    const auto before = std::exchange(view_, std::move(view));
    listener_.view_changed(*before, *view_);
  }
  for (const auto& [first, last] : round.taken) {
    for (model::BlockId block = first; block <= last; block = block + 1)
      left_alone_.took_offline(block, LeftAlone::By::Job);
    listener_.say(
        kNotice,
        fmt::format("job {} offlined {}: left offline", id, render::blocks_text({first, last})),
        {});
  }
  keep_left_alone();
  current_job_ = 0;
}

void Service::end_job(std::uint64_t id, const Round& round) {
  Job* job = find_job(id);
  if (job == nullptr) return;
  job->stage = Job::Stage::Done;
  job->undone_at.reset();
  job->result = result_of(round);
  show_report(*job, round);
  job->undone = round.undone;
  const auto failed = [&](Job::Failure failure, std::string error) {
    job->failure = failure;
    job->error = std::move(error);
  };
  if (round.busy)
    failed(Job::Failure::AnotherRun,
           fmt::format("another run is changing memory: {}", *round.busy));
  if (round.stale) failed(Job::Failure::Stale, "the machine has changed since this plan was made");
  if (!round.problem.empty())
    failed(round.nothing_to_undo ? Job::Failure::NothingToUndo : Job::Failure::Other,
           round.problem);
  done_at_[id] = steady_clock::now();
  listener_.say(kNotice, fmt::format("job {}: {}", id, result_name(job->result)), {});
  listener_.job_changed(*job);
  drop_old_jobs();
  want_round(Cause::Changed);
}

void Service::show_report(Job& job, const Round& round) {
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

Result<std::uint64_t, Refused> Service::cancel(std::uint64_t id) {
  Job* job = find_job(id);
  if (job == nullptr || job->stage == Job::Stage::Done)
    return refused(Refused::Why::Nothing, fmt::format("job {} is done or does not exist", id));
  job->stage = Job::Stage::Cancelling;
  job->undone_at.reset();
  const auto dropped = waiting_jobs_.remove_if(
      [&](const std::string&, const WaitingJob& waiting) { return waiting.first == id; });
  if (!dropped.empty()) {
    Round round;
    round.cancelled = true;
    end_job(id, round);
    return id;
  }
  if (current_job_ == id) flight_.stop();
  listener_.job_changed(*job);
  if (confirming_ && confirming_->job == id) {
    confirming_->over = true;
    next();
  }
  return id;
}

void Service::show_progress() {
  progress_at_.reset();
  for (Job& job : jobs_) {
    if (job.id != current_job_) continue;
    const Flight::Progress now = flight_.progress();
    if (job.stage == Job::Stage::Queued && now.steps > 0) job.stage = Job::Stage::Running;
    if (now.steps > 0) {
      job.blocks = now.blocks;
      job.blocks_done = now.blocks_done;
      job.steps = now.steps;
      job.steps_done = now.steps_done;
      job.step = now.step;
    }
    listener_.job_changed(job);
  }
  // A round of the service itself that takes this long is shown, too.
  if (round_runs_ && flight_.progress().steps > 0 && view_->state != State::Applying) {
    const View before = *view_;
    publish_state();
    listener_.view_changed(before, *view_);
  }
  if (current_job_ != 0 || round_runs_) progress_at_ = steady_clock::now() + kProgressEvery;
}

void Service::drop_old_jobs() {
  const auto now = steady_clock::now();
  while (!done_at_.empty()) {
    const auto oldest = done_at_.begin();  // ids ascend with time
    if (done_at_.size() <= kKeptJobs && oldest->second + kKeptFor > now) break;
    const std::uint64_t id = oldest->first;
    done_at_.erase(oldest);
    jobs_.remove_if([&](const Job& job) { return job.id == id; });
    listener_.job_removed(id);
  }
}

}  // namespace memonline::service
