// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/service.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "compiler/diag/render.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/base/file.hpp"
#include "runtime/service/plan_summary.hpp"

namespace memonline::service {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds kPatienceToEnd{500};

std::uint64_t onlined(const std::vector<apply::Report>& reports) {
  std::uint64_t blocks = 0;
  for (const apply::Report& report : reports)
    for (const apply::StepReport& step : report.steps)
      if (step.kind == apply::Task::Kind::Online) blocks += step.done;
  return blocks;
}

std::uint64_t count(const std::vector<Failing>& failing) {
  std::uint64_t blocks = 0;
  for (const Failing& one : failing) blocks += one.blocks.count();
  return blocks;
}

}  // namespace

Service::Service(Config config, Listener& listener)
    : listener_(listener),
      target_(std::move(config.target)),
      sources_(std::move(config.policies)),
      limits_(config.limits),
      keep_switches_(config.keep_switches),
      publisher_(listener, target_->run_directory() + "/left-alone", boot_id()),
      jobs_(listener),
      uevents_(std::move(config.events), listener, pending_, publisher_, rounds_),
      reconciler_(*target_, pending_, limits_),
      requests_(*target_),
      writer_(std::in_place) {}

Service::~Service() { (void)shut_down(); }

void Service::start() {
  std::error_code there_already;
  std::filesystem::create_directories(target_->run_directory(), there_already);
  if (auto told = runtime::write_file(target_->service_sign(), ""); !told)
    listener_.say(kNotice, told.error().message(), {});
  writer_->post({}, {}, [](const Worker::Cancelled&) {
    lock_stack();
    return Worker::Done();
  });
  rested_ = read_rest(target_->run_directory(), boot_id());
  if (rested_) reconciler_.told_hooks_at(rested_->online);
  remove_rest(target_->run_directory());
  loaded_ = load_policy(sources_);
  policy_ = loaded_.ready;
  want_round(Cause::Start);
}

Shown Service::shown() const {
  const bool writes = rounds_.is_running() && pending_.progress().steps > 0;
  return {loaded_, policy_, rounds_.troubles(), jobs_.is_open() || writes};
}

// ---- at rest ----

// Plans and jobs that are kept for clients must have expired, because they end with the process;
// failures and changes by other processes have to be watched.
bool Service::is_idle() const {
  return is_settled() && jobs_.jobs().empty() && requests_.plans().size() == 0;
}

bool Service::is_busy() const {
  return (jobs_.is_open() && !jobs_.is_unconfirmed()) || rounds_.is_busy() || !writer_->is_idle() ||
         !requests_.is_idle();
}

bool Service::is_settled() const {
  if (!first_round_done() || ending_ || jobs_.is_open() || !rounds_.is_settled() || is_busy() ||
      loaded_.sink.has_errors() || !publisher_.is_in_sync())
    return false;
  return policy_ == nullptr ||
         (view()->plan != nullptr && view()->plan->hotplug.by == plan::Onliner::Kernel);
}

bool Service::rest() {
  take_events();
  const auto written =
      write_rest(target_->run_directory(), boot_id(),
                 {digests(policy_.get()), online_blocks(*publisher_.scanned()), keep_switches_});
  if (!written) listener_.say(kError, written.error().message(), {});
  return written.has_value();
}

// ---- requests ----

void Service::apply(const std::string& digest, const ApplyRequest& request,
                    const Answer<std::uint64_t>& answer) {
  const auto known = request.plan ? request.plan : kept(digest);
  if (known == nullptr) {
    answer(fail(Refused{Refused::Why::UnknownPlan,
                        "no recent plan has this digest: request the plan again"}));
    return;
  }
  if (const auto reached = jobs_.limit_reached(request.who.uid)) {
    answer(fail(*reached));
    return;
  }
  requests_.read_plan(known, request.who, [this, request, answer](auto plan) {
    if (!plan) {
      answer(fail(plan.error()));
      return;
    }
    // Another request may have reached the limit meanwhile.
    if (const auto reached = jobs_.limit_reached(request.who.uid)) {
      answer(fail(*reached));
      return;
    }
    if (request.retry && !is_unplug(**plan))
      return answer(
          fail(Refused{Refused::Why::PlanInvalid,
                       "only a plan that does nothing but unplug memory can be retried"}));
    apply::Limits limits = limits_;
    if (request.deadline) limits.offline_deadline = *request.deadline;
    const JobQueue::Work work = [this, plan = *plan, confirm = request.confirm, limits] {
      return reconciler_.apply(*plan, confirm, limits);
    };
    const auto id = add_job(Job::Kind::Apply, request.who, (*plan)->steps.size(), work);
    if (request.retry) jobs_.let_retry(id, request.who, work, *request.retry, steady_clock::now());
    answer(id);
  });
}

void Service::undo(std::uint32_t uid, const Answer<std::uint64_t>& answer) {
  if (const auto reached = jobs_.limit_reached(uid)) {
    answer(fail(*reached));
    return;
  }
  answer(add_job(Job::Kind::Undo, {uid, {}}, 0, [this] { return reconciler_.undo(limits_); }));
}

Result<std::uint64_t, Refused> Service::confirm(std::optional<std::uint64_t> job) {
  auto confirmed = jobs_.confirm(job, steady_clock::now());
  if (confirmed) want_round(Cause::Changed);
  return confirmed;
}

Result<std::uint64_t, Refused> Service::cancel(std::uint64_t job) {
  const auto cancelled = jobs_.cancel(job, steady_clock::now());
  if (!cancelled) return fail(cancelled.error());
  switch (*cancelled) {
    case JobQueue::Cancelled::Ended: want_round(Cause::Changed); break;
    case JobQueue::Cancelled::Stops: (void)pending_.stop(); break;
    case JobQueue::Cancelled::Reverts: next(); break;
  }
  return job;
}

void Service::verify(const Answer<std::shared_ptr<const View>>& answer, const Requester& who) {
  requests_.post(who, failing(answer),
                 [this, policy = policy_, unchanged = unchanged_blocks(),
                  rounds = rounds_.rounds_done(), mark = publisher_.user_offline().mark(),
                  answer](const Worker::Cancelled& cancelled) -> Worker::Done {
                   const auto read_at = steady_clock::now();
                   auto plans = std::make_shared<Plans>(
                       plan_now(*target_, policy.get(), unchanged, {}, cancelled));
                   if (cancelled()) return [answer] { answer(fail(took_too_long())); };
                   return [this, plans, rounds, mark, read_at, answer] {
                     if (!plans->host) {
                       answer(fail(Refused{Refused::Why::Failed, plans->problem}));
                       return;
                     }
                     // A round that has ended meanwhile has newer data, and so has the other reader
                     // if it read the host later.
                     if (rounds == rounds_.rounds_done() && read_at >= verified_at_) {
                       verified_at_ = read_at;
                       if (!rounds_.is_running() && jobs_.current() == 0)
                         publisher_.set_scanned(plans->host);
                       publisher_.publish(*plans, mark, shown());
                     }
                     answer(view());
                   };
                 });
}

void Service::reload(const Answer<std::string>& answer, const Requester& who) {
  requests_.post(who, failing(answer), [this, answer](const Worker::Cancelled&) {
    auto loaded = std::make_shared<LoadedPolicy>(load_policy(sources_));
    return [this, loaded, answer] {
      std::string json = diag::to_json(loaded->sink.sorted(), loaded->shown);
      const bool wrong = loaded->sink.has_errors();
      loaded_ = std::move(*loaded);
      for (const diag::Diagnostic& d : loaded_.sink.all())
        if (d.severity == diag::Severity::Error)
          listener_.say(kWarning, fmt::format("{}: {}", diag::name_of(d.code), d.message), {});
      if (wrong)
        listener_.say(kWarning, "the policies have errors; the previous ones stay active", {});
      else
        policy_ = loaded_.ready;
      want_round(Cause::Reload);
      answer(std::move(json));
    };
  });
}

// ---- rounds ----

void Service::want_round(Cause cause) {
  rounds_.want(cause, steady_clock::now());
  next();
}

// The writer does one thing at a time: the round after a job must know which blocks it offlined.
// Hot-added memory comes before jobs, and jobs come before another scan.
void Service::next() {
  if (ending_ || rounds_.is_running() || jobs_.current() != 0) return;
  const auto round = rounds_.next();
  if (jobs_.must_revert())
    revert_job();
  else if (round && *round <= Cause::Retry)
    start_round();
  else if (jobs_.can_start())
    start_job();
  else if (round)
    start_round();
}

// If the policy allows rezoning, changes by other processes are corrected like all drift. Blocks
// that a client's job offlined stay offline: a DIMM may be about to be unplugged.
model::BlockSet Service::unchanged_blocks() const {
  const UserOffline& user_offline = publisher_.user_offline();
  const bool rezones = publisher_.rezones(policy_.get());
  return unite(rezones ? user_offline.offline_by_jobs() : user_offline.offline(),
               jobs_.unconfirmed_blocks());
}

void Service::start_round() {
  const bool rezones = publisher_.rezones(policy_.get());
  const bool changed = rested_ && rested_->policies != digests(policy_.get());
  const auto order = rounds_.start({policy_ != nullptr, rezones, changed});
  publisher_.counters().retries = rounds_.retries();
  const std::uint64_t mark = publisher_.user_offline().mark();
  Since since{unchanged_blocks(), {}, order.removed};
  if (rested_)
    since.online = rested_->online;
  else if (order.lost && !rezones && publisher_.scanned() != nullptr)
    since.online = online_blocks(*publisher_.scanned());
  const auto failed = [this, order, mark](const std::string& what) {
    finish_round(order, mark, Round::of_problem(what));
  };
  writer_->post({}, failed, [this, order, mark, policy = policy_, since](const Worker::Cancelled&) {
    auto round = std::make_shared<Round>(order.writes ? reconciler_.settle(*policy, since)
                                                      : reconciler_.look(policy.get(), since));
    reconciler_.tell_hooks(*round);
    return [this, order, mark, round] { finish_round(order, mark, std::move(*round)); };
  });
}

void Service::finish_round(const RoundScheduler::Order& order, std::uint64_t mark, Round round) {
  const auto now = steady_clock::now();
  const bool is_first = !first_round_done();
  finish_writes(round.reports);
  if (round.held) publisher_.set_held(std::move(*round.held));
  for (const std::string& line : round.said) listener_.say(kNotice, line, {});
  if (round.busy) {
    if (rounds_.finish_locked_out(order, *round.busy, now)) log_held_lock(*round.busy);
  } else {
    if (round.plans.host) rested_.reset();
    account(order, round);
    rounds_.finish();
  }
  for (const model::BlockRange& range : round.found)
    for (const model::BlockId block : range) {
      publisher_.offlined_by_others(block);
      rounds_.want(Cause::Changed, now);
    }
  if (round.plans.host) {
    publisher_.set_scanned(round.plans.host);
    // The plan left blocks unchanged that it need not leave, or the run had read the machine
    // already when another process changed one of its blocks.
    if (publisher_.user_offline().compare(*round.plans.host, mark) ||
        uevents_.changed_since(round.plans.seqnum))
      rounds_.want(Cause::Changed, now);
  }
  publisher_.save();
  // Also reports changes that the round has already corrected: their uevents may arrive only
  // afterwards. If the kernel onlines first, most of these changes are its own.
  if (round.plans.plan == nullptr || round.plans.plan->hotplug.by != plan::Onliner::Corrected)
    publisher_.report_onlined_by_others(round.before, publisher_.user_offline().mark());
  publisher_.publish(round.plans, mark, shown());
  if (is_first) {
    remember_needed_code();
    return_memory();
    accept_growth();
  }
  next();
}

// Counts what was done, and records failures: for messages and retries.
void Service::account(const RoundScheduler::Order& order, const Round& round) {
  const auto now = steady_clock::now();
  const std::vector<Failing> before = rounds_.troubles().failing();
  const std::string problem_before = rounds_.troubles().problem();
  // A failure to read the machine is temporary and retried; a plan that is impossible is not.
  const std::string problem =
      round.problem.empty() && !round.plans.host ? round.plans.problem : round.problem;
  if (order.writes)
    rounds_.wrote(order, failing_in(round.reports), problem, now);
  else
    rounds_.scanned(problem, now);
  if (!problem.empty() && problem != problem_before) listener_.say(kError, problem, {});
  const std::vector<Failing>& failing = rounds_.troubles().failing();
  Counters& counters = publisher_.counters();
  if (!round.reports.empty()) counters.failures += count(failing);
  if (failing != before)
    for (const Failing& one : failing)
      listener_.say(kWarning, fmt::format("{}: {}", model::range_name(one.blocks), one.text),
                    {one.blocks, one.rule, one.error});
  const std::uint64_t blocks = onlined(round.reports);
  counters.blocks_onlined += blocks;
  if (blocks == 0) return;
  if (order.burst)
    counters.last_latency = std::chrono::duration_cast<milliseconds>(now - *order.burst);
  listener_.say(kInfo, fmt::format("{} block{} onlined", blocks, blocks == 1 ? "" : "s"), {});
}

void Service::log_held_lock(const std::string& owner) {
  listener_.say(kInfo, fmt::format("another run is changing memory: {}; waiting", owner), {});
}

// The lock may be held for as long as a user takes to confirm `memonline apply --confirm`:
// meanwhile only the lock itself is polled.
void Service::check_lock() {
  const auto failed = [this](const std::string&) {
    rounds_.lock_check_failed(steady_clock::now());
  };
  writer_->post({}, failed, [this](const Worker::Cancelled&) {
    return [this, owner = reconciler_.who_writes()] {
      if (!rounds_.waits_for_lock()) return;
      if (!owner) {
        rounds_.lock_is_free();
        next();
      } else if (rounds_.lock_is_held(*owner, steady_clock::now())) {
        log_held_lock(*owner);
      }
    };
  });
}

// ---- jobs ----

std::uint64_t Service::add_job(Job::Kind kind, const Requester& who, std::uint64_t steps,
                               JobQueue::Work work) {
  const std::uint64_t id = jobs_.add(kind, who, steps, std::move(work));
  if (!progress_at_) progress_at_ = steady_clock::now() + kProgressEvery;
  publisher_.publish_state(shown());
  next();
  return id;
}

void Service::start_job() {
  auto [id, work] = jobs_.start();
  if (!progress_at_) progress_at_ = steady_clock::now() + kProgressEvery;
  const auto failed = [this, id = id](const std::string& what) {
    finish_job(id, Round::of_problem(what));
  };
  writer_->post({}, failed, [this, id = id, work = std::move(work)](const Worker::Cancelled&) {
    auto round = std::make_shared<Round>(work());
    reconciler_.tell_hooks(*round);
    return [this, id, round] { finish_job(id, std::move(*round)); };
  });
}

// While a job waits for confirmation, the writer is free: it onlines memory that arrives, which is
// not part of what is undone.
void Service::finish_job(std::uint64_t id, Round round) {
  finish_writes(round.reports);
  note_outcome(id, round);
  if (round.to_confirm)
    jobs_.await_confirmation(id, std::move(round), Now::read());
  else
    jobs_.end(id, round, steady_clock::now());
  want_round(Cause::Changed);
}

void Service::revert_job() {
  const apply::Limits limits = jobs_.start_reverting();
  const auto finish = [this](const Round& undone) {
    finish_writes({});
    const auto [id, round] = jobs_.reverted(undone);
    note_outcome(id, undone);
    jobs_.end(id, round, steady_clock::now());
    want_round(Cause::Changed);
  };
  const auto failed = [finish](const std::string& what) { finish(Round::of_problem(what)); };
  writer_->post({}, failed, [this, limits, finish](const Worker::Cancelled&) {
    auto undone = std::make_shared<Round>(reconciler_.revert(limits));
    reconciler_.tell_hooks(*undone);
    return [finish, undone] { finish(*undone); };
  });
}

// The state of the machine after a job, and the blocks that it offlined.
void Service::note_outcome(std::uint64_t id, const Round& round) {
  pending_.clear();
  for (const std::string& line : round.said) listener_.say(kNotice, line, {});
  if (round.after) publisher_.publish_host(round.after);
  publisher_.offlined_by_job(id, round.taken);
  publisher_.save();
  jobs_.stopped();
}

void Service::show_progress() {
  progress_at_.reset();
  const auto progress = pending_.progress();
  jobs_.show_progress(progress);
  // A round of the service itself that takes this long is shown, too.
  if (rounds_.is_running() && progress.steps > 0 && view()->state != State::Applying)
    publisher_.publish_state(shown());
  if (jobs_.current() != 0 || rounds_.is_running())
    progress_at_ = steady_clock::now() + kProgressEvery;
}

// ---- the loop ----

void Service::take_events() {
  if (!uevents_.take(steady_clock::now())) next();
  publisher_.save();
}

void Service::finish_writes(const std::vector<apply::Report>& reports) {
  uevents_.finish_writes(reports, steady_clock::now());
  if (!reports.empty() && !std::exchange(has_written_, true)) remember_needed_code();
}

void Service::take_results() {
  writer_->dispatch();
  requests_.dispatch();
  consider_memory();
}

std::optional<steady_clock::time_point> Service::due() const {
  std::optional<steady_clock::time_point> first;
  for (const auto& at :
       {rounds_.due(), jobs_.due(), progress_at_, memory_.due(), requests_.plans().expires_at()})
    if (at && (!first || *at < *first)) first = at;
  return first;
}

void Service::tick() {
  const Now now = Now::read();
  if (rounds_.lock_check_is_due(now.steady)) check_lock();
  rounds_.tick(now.steady);
  if (progress_at_ && *progress_at_ <= now.steady) show_progress();
  const auto waited = jobs_.confirming();
  if (const auto problem = jobs_.look_for_confirmation(now)) listener_.say(kError, *problem, {});
  if (waited && !jobs_.is_unconfirmed()) rounds_.want(Cause::Changed, now.steady);
  jobs_.resume(now.steady);
  jobs_.drop_old(now.steady);
  requests_.plans().expire(now.steady);
  memory_.tick(now.steady);
  next();
}

bool Service::shut_down(Ending ending) {
  if (ending_) return true;
  ending_ = true;
  rounds_.stop();
  const bool may_be_ended = pending_.stop();
  writer_->cancel_all();
  requests_.cancel_all();
  // The run ends after the current block; a block that is being offlined stays online.
  if (may_be_ended) (void)writer_->ended_within(kPatienceToEnd);
  writer_.reset();
  // After the exit, the job can no longer be confirmed.
  const auto unconfirmed = jobs_.abandon();
  if (unconfirmed && ending == Ending::Service) (void)reconciler_.revert(*unconfirmed);
  std::error_code gone_already;
  std::filesystem::remove(target_->service_sign(), gone_already);
  if (ending == Ending::Rest) return requests_.ended_within(kPatienceToEnd);
  remove_rest(target_->run_directory());
  const Round last = reconciler_.let_go(keep_switches_);
  if (!last.problem.empty()) listener_.say(kError, last.problem, {});
  for (const std::string& line : last.said) listener_.say(kNotice, line, {});
  return requests_.ended_within(kPatienceToEnd);
}

}  // namespace memonline::service
