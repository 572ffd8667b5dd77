// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/service.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "compiler/diag/render.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/base/file.hpp"
#include "runtime/service/locked_memory.hpp"

namespace memonline::service {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr int kNotice = 5, kWarning = 4, kError = 3;
constexpr milliseconds kPatienceToEnd{500};
constexpr milliseconds kReturnAfter{1000};
constexpr unsigned kReturns = 6;

}  // namespace

Service::Service(Config config, Listener& listener)
    : listener_(listener),
      target_(std::move(config.target)),
      events_(std::move(config.events)),
      sources_(std::move(config.policies)),
      limits_(config.limits),
      keep_switches_(config.keep_switches),
      left_alone_(target_->run_directory() + "/left-alone", boot_id()),
      keeper_(std::make_unique<Keeper>(*target_, flight_, limits_)),
      view_(std::make_shared<View>(
          View{State::Applying, std::make_shared<model::Host>(), {}, {}, {}, {}, {}, {}, {}, {}})),
      writer_(std::make_unique<Worker>()),
      reader_(std::make_unique<Worker>()),
      root_reader_(std::make_unique<Worker>()) {}

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
  if (rested_) keeper_->told_hooks_at(rested_->online);
  remove_rest(target_->run_directory());
  loaded_ = load_policy(sources_);
  policy_ = loaded_.ready;
  want_round(Cause::Start);
}

bool Service::busy() const {
  return std::any_of(jobs_.begin(), jobs_.end(),
                     [](const Job& job) { return job.stage != Job::Stage::Done; });
}

// ---- at rest ----

// Plans and jobs that are kept for clients must have expired, because they end with the process;
// failures and changes by other processes have to be watched.
bool Service::is_idle() const { return is_settled() && jobs_.empty() && plans_.size() == 0; }

bool Service::is_busy() const {
  const bool works = !confirming_ && std::any_of(jobs_.begin(), jobs_.end(), [](const Job& job) {
    return job.stage != Job::Stage::Done;
  });
  return works || round_runs_ || (wanted_ && !lock_wait_) || !writer_->is_idle() ||
         !reader_->is_idle() || !root_reader_->is_idle();
}

bool Service::is_settled() const {
  const bool open = std::any_of(jobs_.begin(), jobs_.end(),
                                [](const Job& job) { return job.stage != Job::Stage::Done; });
  if (!looked_ || ending_ || open || wanted_ || lock_wait_ || quiet_at_ || known_ == nullptr ||
      is_busy())
    return false;
  const bool in_sync = view_->state == State::InSync || view_->state == State::RebootRequired;
  if (!in_sync || loaded_.sink.has_errors() || !view_->problems.empty() ||
      !view_->left_alone.empty())
    return false;
  return policy_ == nullptr ||
         (view_->plan != nullptr && view_->plan->hotplug.by == plan::Onliner::Kernel);
}

bool Service::rest() {
  (void)take_some_events();
  const auto written = write_rest(target_->run_directory(), boot_id(),
                                  {digests(policy_.get()), online_blocks(*known_), keep_switches_});
  if (!written) listener_.say(kError, written.error().message(), {});
  return written.has_value();
}

// ---- events ----

void Service::take_events() {
  (void)take_some_events();
  keep_left_alone();
}

bool Service::take_some_events() {
  EventSource::Taken taken = events_.take();
  counters_.events += taken.events.size();
  for (const MemoryEvent& event : taken.events) judge(event);
  if (taken.lost) {
    ++counters_.rescans;
    listener_.say(kNotice, "uevents lost; rescanning all memory blocks", {});
    events_lost_ = true;
    note_cause(Cause::Lost);
  }
  // Only now: a round that started earlier could write to blocks whose events are not judged yet,
  // and they would count as its own.
  if (!taken.more) next();
  return taken.more;
}

// The uevents for the writes of a round or a job are in the socket when the writes are done.
void Service::finish_writes(const std::vector<apply::Report>& reports) {
  while (take_some_events()) {
  }
  flight_.forget();
  if (!reports.empty() && !std::exchange(has_written_, true)) remember_needed_code();
  // The run itself offlined blocks again that ended up in another zone than predicted.
  const auto taken_back = [&](model::BlockId block) {
    for (const apply::Report& report : reports)
      for (const apply::StepReport& step : report.steps)
        for (const apply::Finding& finding : step.findings)
          if (finding.note.outcome == apply::Outcome::WrongZone && finding.blocks.low() <= block &&
              block <= finding.blocks.high())
            return true;
    return false;
  };
  for (const model::BlockId block : std::exchange(taken_back_or_not_, {}))
    if (!taken_back(block)) was_taken_offline(block);
  keep_left_alone();
}

// Decides what caused the event: memory was added or removed, a write of the service, or a write of
// another process.
void Service::judge(const MemoryEvent& event) {
  using Action = MemoryEvent::Action;
  if (event.action == Action::Add || event.action == Action::Remove) {
    left_alone_.forget(event.block);
    if (event.action == Action::Remove) removed_.add(event.block);
    if (event.action == Action::Add) let_kernel_finish();
    note_cause(event.action == Action::Add ? Cause::Events : Cause::Changed);
    return;
  }
  const bool ours = flight_.is_ours(event);
  if (ours) last_own_seqnum_ = event.seqnum;
  if (event.action == Action::Offline) {
    if (ours) return;
    if (flight_.may_take_back(event))
      taken_back_or_not_.push_back(event.block);
    else
      was_taken_offline(event.block);
    return;
  }
  const bool was_left_offline = left_alone_.forget(event.block);
  if (ours) return;
  if (quiet_at_) let_kernel_finish();
  left_alone_.brought_online(event.block);
  // The kernel itself may have onlined some blocks of memory that was just added.
  const model::BlockRun* known = known_ == nullptr ? nullptr : known_->find_block(event.block);
  if (was_left_offline || (known != nullptr && known->state != model::State::Online))
    note_cause(Cause::Changed);
}

void Service::was_taken_offline(model::BlockId block) {
  left_alone_.took_offline(block, LeftAlone::By::Others);
  listener_.say(kNotice, fmt::format("memory{} was offlined by another process", block.value()),
                {model::WriteRun{block, block}, {}, 0});
  note_cause(Cause::Changed);
}

void Service::keep_left_alone() {
  if (auto saved = left_alone_.save(); !saved) listener_.say(kError, saved.error().message(), {});
}

void Service::name_what_others_did(const std::vector<plan::StatusRun>& runs, std::uint64_t mark) {
  for (const std::string& line : left_alone_.look_at(runs, mark))
    listener_.say(kWarning, line + ", contrary to the policy", {});
}

// ---- what is shown ----

void Service::publish(const Plans& plans, std::uint64_t mark) {
  auto view = std::make_shared<View>(*view_);
  if (plans.host) view->host = plans.host;
  view->plan = plans.plan;
  view->runs = plan::status_runs(*view->host, view->plan.get());
  view->policy = policy_;
  view->problems =
      loaded_.sink.has_errors() ? diag::to_text(loaded_.sink.sorted(), loaded_.shown) : "";
  for (const std::string& problem : {plans.problem, troubles_.problem()})
    if (view->problems.empty()) view->problems = problem;
  view->failing = troubles_.failing();
  name_what_others_did(view->runs, mark);
  view->left_alone = left_alone_.sentences(plans.missed);
  view->left_alone.insert(view->left_alone.end(), held_.deferred.begin(), held_.deferred.end());
  view->switches = held_.values;
  const auto before = std::exchange(view_, std::move(view));
  publish_state();
  listener_.view_changed(*before, *view_);
}

void Service::publish_state() {
  auto view = std::make_shared<View>(*view_);
  const bool reboot = view->plan && view->plan->boot.reboot_required;
  // Boot memory that drifts while a reboot is pending counts as reboot-required, not as drift.
  const auto drifts = [&](const plan::StatusRun& run) {
    const bool of_boot = view->host->devices.at(run.blocks.device).origin == model::Origin::Boot;
    return run.drift && !(reboot && of_boot);
  };
  const bool drift = (view->plan && !view->plan->steps.empty()) ||
                     std::any_of(view->runs.begin(), view->runs.end(), drifts) ||
                     !view->left_alone.empty();
  view->counters = counters_;
  if (busy() || (round_runs_ && flight_.progress().steps > 0))
    view->state = State::Applying;
  else if (troubles_.any() || (policy_ == nullptr && loaded_.sink.has_errors()) ||
           (policy_ != nullptr && view->plan == nullptr))
    view->state = State::Failed;
  else if (drift)
    view->state = State::Drift;
  else if (reboot)
    view->state = State::RebootRequired;
  else
    view->state = State::InSync;
  view_ = std::move(view);
}

// ---- the loop ----

void Service::take_results() {
  writer_->dispatch();
  reader_->dispatch();
  root_reader_->dispatch();
  consider_memory();
}

bool Service::readers_ended() {
  const bool root = root_reader_->ended_within(kPatienceToEnd);
  return reader_->ended_within(kPatienceToEnd) && root;
}

void Service::consider_memory() {
  returns_ = 0;
  if (!return_at_) return_at_ = steady_clock::now() + kReturnAfter;
}

// Memory of a request is freed when its reply has been read: after a second, or much later. Memory
// that is still in use after some attempts is needed, for example for a larger machine.
void Service::return_what_is_free(steady_clock::time_point now) {
  return_at_.reset();
  if (!memory_has_grown()) return;
  return_memory();
  if (!memory_has_grown()) return;
  if (++returns_ < kReturns)
    return_at_ = now + kReturnAfter * (1U << std::min(returns_, 4U));
  else
    accept_growth();
}

std::optional<steady_clock::time_point> Service::due() const {
  std::optional<steady_clock::time_point> first;
  const auto consider = [&](std::optional<steady_clock::time_point> at) {
    if (at && (!first || *at < *first)) first = at;
  };
  if (lock_wait_)
    consider(lock_wait_->at);
  else if (!round_runs_)
    consider(troubles_.retry_at());
  consider(quiet_at_);
  if (confirming_ && !confirming_->over) consider(confirming_->look_at);
  consider(progress_at_);
  consider(return_at_);
  consider(plans_.expires_at());
  if (!done_at_.empty()) {
    const auto oldest = std::min_element(done_at_.begin(), done_at_.end(),
                                         [](auto& a, auto& b) { return a.second < b.second; });
    consider(oldest->second + kKeptFor);
  }
  return first;
}

void Service::tick() {
  const auto now = steady_clock::now();
  if (lock_wait_) {
    if (lock_wait_->at && *lock_wait_->at <= now) look_at_lock();
  } else if (const auto at = troubles_.retry_at(); !round_runs_ && at && *at <= now) {
    want_round(Cause::Retry);
  }
  if (quiet_at_ && *quiet_at_ <= now) {
    quiet_at_.reset();
    next();
  }
  if (progress_at_ && *progress_at_ <= now) show_progress();
  look_for_word();
  drop_old_jobs();
  plans_.expire(now);
  if (return_at_ && *return_at_ <= now) return_what_is_free(now);
}

bool Service::shut_down(Ending ending) {
  if (ending_) return true;
  ending_ = true;
  const bool may_be_ended = flight_.stop();
  writer_->cancel_all();
  reader_->cancel_all();
  root_reader_->cancel_all();
  // The run ends after the current block; a block that is being offlined stays online.
  if (may_be_ended) (void)writer_->ended_within(kPatienceToEnd);
  writer_.reset();
  // After the exit, the job can no longer be confirmed.
  if (confirming_ && ending == Ending::Service)
    (void)keeper_->take_back(confirming_->wanted.limits);
  confirming_.reset();
  std::error_code gone_already;
  std::filesystem::remove(target_->service_sign(), gone_already);
  if (ending == Ending::Rest) return readers_ended();
  remove_rest(target_->run_directory());
  const Round last = keeper_->let_go(keep_switches_);
  if (!last.problem.empty()) listener_.say(kError, last.problem, {});
  for (const std::string& line : last.said) listener_.say(kNotice, line, {});
  return readers_ended();
}

}  // namespace memonline::service
