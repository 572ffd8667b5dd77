// SPDX-License-Identifier: LGPL-2.1-or-later
// What clients ask of the service: plans, jobs, another look. The other half of service.cpp.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "compiler/diag/render.hpp"
#include "compiler/plan/compare.hpp"
#include "compiler/plan/planner.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/apply/plan_file.hpp"
#include "runtime/base/digest.hpp"
#include "runtime/service/service.hpp"

namespace memonline::service {

using std::chrono::steady_clock;

namespace {

auto refused(Refused::Why why, std::string message) {
  return fail(Refused{why, std::move(message)});
}

auto too_many() {
  return refused(Refused::Why::Busy, fmt::format("{} jobs wait already", Service::kMostJobs));
}

/// A plan made for a client, before it is known whether it is asked for.
struct Made {
  PlanAnswer answer;
  std::shared_ptr<const plan::Plan> plan;
};

Made make(Target& target, const PlanWishes& wishes, std::shared_ptr<const ReadyPolicy> policy) {
  Made made;
  const auto end = [&](const diag::Sink& sink, const source::SourceSet& shown) -> Made& {
    made.answer.diagnostics = diag::to_json(sink.sorted(), shown);
    for (const diag::Diagnostic& d : sink.all())
      if (made.answer.problem.empty() && d.severity == diag::Severity::Error)
        made.answer.problem = fmt::format("{}: {}", diag::name_of(d.code), d.message);
    return made;
  };
  if (wishes.policy) {
    LoadedPolicy loaded = check_text("<bus>", *wishes.policy);
    made.answer.policy_invalid = !loaded.ready;
    if (!loaded.ready) return end(loaded.sink, loaded.shown);
    policy = loaded.ready;
  }
  if (!policy && !wishes.unplug) {
    made.answer.problem = "there is no policy in force";
    made.answer.policy_invalid = true;
    return made;
  }
  if (wishes.offline && policy) {
    auto changed = std::make_shared<ReadyPolicy>(*policy);
    changed->policy.statements.emplace_back(sema::Setting{sema::Rezone::Allowed, {}});
    policy = std::move(changed);
  }
  static const source::SourceSet no_files;
  const source::SourceSet& shown = policy ? policy->shown : no_files;
  diag::Sink sink;
  if (policy) sink.append(policy->warnings);
  auto host = target.read();
  if (!host) {
    made.answer.problem = fmt::format("{}: {}", host.error().path, host.error().message);
    return made;
  }
  std::optional<plan::Plan> plan;
  std::optional<forecast::Forecast> forecast;
  if (wishes.unplug) {
    plan = plan::plan_unplug(*wishes.unplug, *host, sink);
  } else {
    plan = plan::make_plan(policy->policy, policy->files, *host, sink).plan;
    if (plan && wishes.add) {
      forecast = forecast::make_forecast(policy->policy, policy->files, *host, *wishes.add, sink);
      if (!forecast) return end(sink, shown);
      plan::place_diagnostics(*plan, sink, policy->files);
    }
  }
  if (!plan) return end(sink, shown);
  made.answer.document = render::plan_to_json(*plan, forecast ? &*forecast : nullptr);
  made.answer.digest = runtime::sha256_of(*made.answer.document);
  made.answer.steps = plan->steps.size();
  made.answer.reboot_required = plan->boot.reboot_required;
  made.answer.diagnostics = diag::to_json(sink.sorted(), shown);
  made.plan = std::make_shared<plan::Plan>(std::move(*plan));
  return made;
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

// ---- questions ----

void Service::check(std::string text, Answer<std::string> answer) {
  reader_->post([text = std::move(text), answer = std::move(answer)] {
    LoadedPolicy loaded = check_text("<bus>", text);
    std::string json = diag::to_json(loaded.sink.sorted(), loaded.shown);
    return [answer, json = std::move(json)] { answer(json); };
  });
}

void Service::plan(PlanWishes wishes, Answer<PlanAnswer> answer) {
  reader_->post([this, wishes = std::move(wishes), policy = policy_, answer = std::move(answer)] {
    auto made = std::make_shared<Made>(make(*target_, wishes, policy));
    return [this, made, uid = wishes.uid, answer] {
      if (made->plan) plans_.keep(uid, made->answer.digest, made->plan);
      answer(made->answer);
    };
  });
}

void Service::submit(std::uint32_t uid, std::string document, Answer<std::string> answer) {
  reader_->post([this, uid, document = std::move(document), answer = std::move(answer)] {
    auto plan = apply::read_plan(document, "<bus>");
    std::string digest = runtime::sha256_of(document);
    std::shared_ptr<const plan::Plan> made;
    Refused wrong{Refused::Why::PlanInvalid, {}};
    if (plan)
      made = std::make_shared<plan::Plan>(std::move(*plan));
    else
      wrong.message = fmt::format("{}: {}", diag::name_of(plan.error().code), plan.error().message);
    return [this, uid, made, wrong, digest = std::move(digest), answer] {
      if (!made) {
        answer(fail(wrong));
        return;
      }
      plans_.keep(uid, digest, made);
      answer(digest);
    };
  });
}

void Service::verify(Answer<std::shared_ptr<const View>> answer) {
  reader_->post([this, policy = policy_, alone = left_alone(), rounds = rounds_done_,
                 mark = left_alone_.mark(), answer = std::move(answer)] {
    auto plans = std::make_shared<Plans>(plan_now(*target_, policy.get(), alone));
    return [this, plans, rounds, mark, answer] {
      if (!plans->host) {
        answer(refused(Refused::Why::Failed, plans->problem));
        return;
      }
      // A round that has ended meanwhile knows better.
      if (rounds == rounds_done_) {
        if (!round_runs_ && current_job_.load() == 0) known_ = plans->host;
        publish(*plans, mark);
      }
      answer(view_);
    };
  });
}

void Service::reload(Answer<std::string> answer) {
  reader_->post([this, answer = std::move(answer)] {
    auto loaded = std::make_shared<LoadedPolicy>(load_policy(sources_));
    return [this, loaded, answer] {
      std::string json = diag::to_json(loaded->sink.sorted(), loaded->shown);
      const bool wrong = loaded->sink.has_errors();
      loaded_ = std::move(*loaded);
      if (wrong)
        listener_.say(4, "the policies have errors; those in force before stay in force", {});
      else
        policy_ = loaded_.ready;
      want_round(Service::Cause::Reload);
      answer(std::move(json));
    };
  });
}

// ---- jobs ----

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
                    Answer<std::uint64_t> answer) {
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
  reader_->post([this, plan = known, wishes, answer = std::move(answer)] {
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
  const auto cancelled = cancels_.emplace(id, std::make_shared<std::atomic<bool>>(false));
  writer_->post([this, id, work = std::move(work), cancelled = cancelled.first->second] {
    current_job_.store(id);
    auto round = std::make_shared<Round>();
    if (cancelled->load())
      round->cancelled = true;
    else
      *round = work();
    keeper_->tell_hooks(*round);
    current_job_.store(0);
    return [this, id, round] { finish_job(id, *round); };
  });
}

void Service::finish_job(std::uint64_t id, const Round& round) {
  finish_writes(round.reports);
  flight_.clear();
  for (const std::string& line : round.said) listener_.say(5, line, {});
  if (round.after) known_ = round.after;
  for (const auto& [first, last] : round.taken) {
    for (std::uint64_t block = first; block <= last; ++block)
      left_alone_.took_offline(model::BlockId(block), LeftAlone::By::Job);
    listener_.say(5,
                  fmt::format("job {} took {} offline: left so", id,
                              render::blocks_text({model::BlockId(first), model::BlockId(last)})),
                  {});
  }
  keep_left_alone();
  Job* job = find_job(id);
  if (job == nullptr) return;
  job->stage = Job::Stage::Done;
  job->result = result_of(round);
  if (!round.reports.empty()) {
    const apply::Report& report = round.reports.back();
    job->blocks = report.blocks;
    job->blocks_done = report.blocks_done;
    job->steps = report.steps.size();
    job->steps_done = static_cast<std::uint64_t>(
        std::count_if(report.steps.begin(), report.steps.end(),
                      [](const apply::StepReport& step) { return step.complete(); }));
    job->report = report;
  }
  job->undone = round.undone;
  job->step.clear();
  if (round.busy) job->error = fmt::format("another run is changing memory: {}", *round.busy);
  if (round.stale) job->error = "the machine has changed since this plan was made";
  if (!round.problem.empty()) job->error = round.problem;
  done_at_[id] = steady_clock::now();
  cancels_.erase(id);
  listener_.say(5, fmt::format("job {}: {}", id, result_name(job->result)), {});
  listener_.job_changed(*job);
  drop_old_jobs();
  want_round(Service::Cause::Changed);
}

Result<std::uint64_t, Refused> Service::confirm() {
  for (Job& job : jobs_)
    if (job.id == current_job_.load() && flight_.awaiting()) {
      flight_.confirm();
      return job.id;
    }
  return refused(Refused::Why::Nothing, "no job waits to be confirmed");
}

Result<std::uint64_t, Refused> Service::cancel(std::uint64_t id) {
  Job* job = find_job(id);
  if (job == nullptr || job->stage == Job::Stage::Done)
    return refused(Refused::Why::Nothing, fmt::format("job {} is done or was never there", id));
  job->stage = Job::Stage::Cancelling;
  cancels_.at(id)->store(true);
  if (current_job_.load() == id) flight_.stop();
  listener_.job_changed(*job);
  return id;
}

void Service::show_progress() {
  progress_at_.reset();
  for (Job& job : jobs_) {
    if (job.id != current_job_.load()) continue;
    const Flight::Progress now = flight_.progress();
    if (job.stage == Job::Stage::Queued && now.steps > 0) job.stage = Job::Stage::Running;
    if (job.stage == Job::Stage::Running && flight_.awaiting()) job.stage = Job::Stage::Confirming;
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
  if (busy() || round_runs_) progress_at_ = steady_clock::now() + kProgressEvery;
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
