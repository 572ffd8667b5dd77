// SPDX-License-Identifier: LGPL-2.1-or-later
// What clients have done: one job after the other, between the rounds of the service itself. A part
// of service.cpp.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "compiler/plan/compare.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/service/service.hpp"

namespace memonline::service {

using std::chrono::steady_clock;

namespace {

constexpr int kNotice = 5, kError = 3;
constexpr std::chrono::milliseconds kLookForWord{500};

auto refused(Refused::Why why, std::string message) {
  return fail(Refused{why, std::move(message)});
}

auto too_many() {
  return refused(Refused::Why::Busy, fmt::format("{} jobs wait already", Service::kMostJobs));
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

bool Service::full() const {
  return static_cast<std::size_t>(std::count_if(jobs_.begin(), jobs_.end(), [](const Job& job) {
           return job.stage != Job::Stage::Done;
         })) >= kMostJobs;
}

Job* Service::find_job(std::uint64_t id) {
  const auto job =
      std::find_if(jobs_.begin(), jobs_.end(), [&](const Job& one) { return one.id == id; });
  return job == jobs_.end() ? nullptr : &*job;
}

void Service::apply(const std::string& digest, const ApplyWishes& wishes,
                    const Answer<std::uint64_t>& answer) {
  const auto known = plans_.find(digest);
  if (known == nullptr) {
    answer(refused(Refused::Why::UnknownPlan,
                   "no plan with this digest was made lately; ask for one"));
    return;
  }
  if (full()) {
    answer(too_many());
    return;
  }
  reader_->post(failing(answer), [this, plan = known, wishes, answer] {
    auto host = target_->read();
    std::string problem;
    bool stale = false;
    if (!host) {
      problem = host.error().message;
    } else if (const auto comparison = plan::compare(*plan, *host);
               !comparison.same && !comparison.fulfilled) {
      stale = true;
      problem = "the machine has changed since this plan was made";
      for (const std::string& line : comparison.lines) problem += "\n" + line;
    }
    return [this, plan, wishes, answer, problem, stale] {
      if (!problem.empty()) {
        answer(refused(stale ? Refused::Why::Stale : Refused::Why::Failed, problem));
        return;
      }
      // Others may have been quicker meanwhile.
      if (full()) {
        answer(too_many());
        return;
      }
      apply::Limits limits = limits_;
      if (wishes.deadline) limits.offline_deadline = *wishes.deadline;
      Job& job = add_job(Job::Kind::Apply, wishes.uid);
      job.steps = plan->steps.size();
      const std::uint64_t id = job.id;
      post_job(id, [this, plan, wishes, limits] {
        return keeper_->apply(*plan, wishes.confirm, limits);
      });
      answer(id);
    };
  });
}

void Service::undo(std::uint32_t uid, const Answer<std::uint64_t>& answer) {
  if (full()) {
    answer(too_many());
    return;
  }
  const std::uint64_t id = add_job(Job::Kind::Undo, uid).id;
  post_job(id, [this] { return keeper_->undo(limits_); });
  answer(id);
}

void Service::post_job(std::uint64_t id, std::function<Round()> work) {
  waiting_jobs_.emplace_back(id, std::move(work));
  next();
}

// One thing at a time for the writer: what a job took offline must be known to the round after it.
// Memory that came goes before jobs, and they before another look.
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
  auto [id, work] = std::move(waiting_jobs_.front());
  waiting_jobs_.pop_front();
  current_job_ = id;
  const auto failed = [this, id = id](const std::string& what) {
    finish_job(id, Round::of_problem(what));
  };
  writer_->post(failed, [this, id = id, work = std::move(work)] {
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

// How the machine is after a job, and what it took offline.
void Service::note_outcome(std::uint64_t id, const Round& round) {
  flight_.clear();
  for (const std::string& line : round.said) listener_.say(kNotice, line, {});
  if (round.after) {
    known_ = round.after;
    // Who hears that the job is done finds the machine as it left it.
    auto view = std::make_shared<View>(*view_);
    view->host = round.after;
    view->runs = plan::status_runs(*view->host, view->plan.get());
    const auto before = std::exchange(view_, std::move(view));
    listener_.view_changed(*before, *view_);
  }
  for (const auto& [first, last] : round.taken) {
    for (std::uint64_t block = first; block <= last; ++block)
      left_alone_.took_offline(model::BlockId(block), LeftAlone::By::Job);
    listener_.say(kNotice,
                  fmt::format("job {} took {} offline: left so", id,
                              render::blocks_text({model::BlockId(first), model::BlockId(last)})),
                  {});
  }
  keep_left_alone();
  current_job_ = 0;
}

void Service::end_job(std::uint64_t id, const Round& round) {
  Job* job = find_job(id);
  if (job == nullptr) return;
  job->stage = Job::Stage::Done;
  job->result = result_of(round);
  show_report(*job, round);
  job->undone = round.undone;
  if (round.busy) job->error = fmt::format("another run is changing memory: {}", *round.busy);
  if (round.stale) job->error = "the machine has changed since this plan was made";
  if (!round.problem.empty()) job->error = round.problem;
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

// ---- what is to be confirmed ----

// The writer is free meanwhile: memory that comes is settled, and is no part of what is undone.
// Further jobs wait.
void Service::await_word(std::uint64_t id, Round round) {
  const Round::ToConfirm wanted = *std::exchange(round.to_confirm, std::nullopt);
  BlockRanges blocks;
  for (const apply::BlocksBefore& before : wanted.run->journal().blocks)
    blocks = united(blocks, {{before.first.value(), before.last.value()}});
  Job& job = *find_job(id);
  const bool over = job.stage == Job::Stage::Cancelling;
  if (!over) job.stage = Job::Stage::Confirming;
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

Result<std::uint64_t, Refused> Service::confirm() {
  if (!confirming_ || confirming_->over)
    return refused(Refused::Why::Nothing, "no job waits to be confirmed");
  if (auto kept = confirming_->wanted.run->keep(); !kept)
    return refused(Refused::Why::Failed, kept.error().message());
  const Confirming confirmed = *std::exchange(confirming_, std::nullopt);
  end_job(confirmed.job, confirmed.round);
  return confirmed.job;
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
  if (left > left.zero()) {
    confirming_->look_at = now + std::min<runtime::BootClock::duration>(left, kLookForWord);
    return;
  }
  confirming_->over = true;
  next();
}

void Service::take_back() {
  current_job_ = confirming_->job;
  const auto failed = [this](const std::string& what) {
    finish_taking_back(Round::of_problem(what));
  };
  writer_->post(failed, [this, limits = confirming_->wanted.limits] {
    auto undone = std::make_shared<Round>(keeper_->take_back(limits));
    keeper_->tell_hooks(*undone);
    return [this, undone] { finish_taking_back(*undone); };
  });
}

// Where it was not undone, its journal is still there: the next round does it.
void Service::finish_taking_back(const Round& undone) {
  finish_writes({});
  Confirming taken_back = *std::exchange(confirming_, std::nullopt);
  note_outcome(taken_back.job, undone);
  taken_back.round.undone = undone.undone;
  taken_back.round.problem = undone.problem;
  taken_back.round.busy = undone.busy;
  end_job(taken_back.job, taken_back.round);
}

Result<std::uint64_t, Refused> Service::cancel(std::uint64_t id) {
  Job* job = find_job(id);
  if (job == nullptr || job->stage == Job::Stage::Done)
    return refused(Refused::Why::Nothing, fmt::format("job {} is done or was never there", id));
  job->stage = Job::Stage::Cancelling;
  if (std::erase_if(waiting_jobs_, [&](const auto& waiting) { return waiting.first == id; }) > 0) {
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
  // A round of our own that takes this long is to be seen, too.
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
