// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/service.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "compiler/diag/render.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/base/file.hpp"

namespace memonline::service {

using std::chrono::steady_clock;

namespace {

constexpr int kNotice = 5;

}  // namespace

Service::Service(Config config, Listener& listener)
    : listener_(listener),
      target_(std::move(config.target)),
      events_(std::move(config.events)),
      sources_(std::move(config.policies)),
      limits_(config.limits),
      keep_switches_(config.keep_switches),
      keeper_(std::make_unique<Keeper>(*target_, flight_, limits_)),
      view_(std::make_shared<View>(
          View{State::Applying, std::make_shared<model::Host>(), {}, {}, {}, {}, {}, {}, {}, {}})),
      writer_(std::make_unique<Worker>()),
      reader_(std::make_unique<Worker>()) {}

Service::~Service() { shut_down(); }

void Service::start() {
  std::error_code there_already;
  std::filesystem::create_directories(target_->run_directory(), there_already);
  if (auto told = runtime::write_file(target_->service_sign(), ""); !told)
    listener_.say(kNotice, told.error().message(), {});
  loaded_ = load_policy(sources_);
  policy_ = loaded_.ready;
  want_round(Cause::Start);
}

bool Service::busy() const {
  return std::any_of(jobs_.begin(), jobs_.end(),
                     [](const Job& job) { return job.stage != Job::Stage::Done; });
}

// ---- events ----

void Service::take_events() {
  EventSource::Taken taken = events_.take();
  counters_.events += taken.events.size();
  for (const MemoryEvent& event : taken.events) judge(event);
  if (taken.lost) {
    ++counters_.rescans;
    listener_.say(kNotice, "events were lost: looking at all memory anew", {});
    want_round(Cause::Lost);
  }
}

// Which of the three it is: memory that came or went, our own write, or somebody else's.
void Service::judge(const MemoryEvent& event) {
  using Action = MemoryEvent::Action;
  const std::uint64_t id = event.block.value();
  if (event.action == Action::Add || event.action == Action::Remove) {
    left_alone_.erase(id);
    want_round(event.action == Action::Add ? Cause::Events : Cause::Changed);
    return;
  }
  if (flight_.is_ours(event)) return;
  const bool online = event.action == Action::Online;
  const model::BlockRun* expected =
      expected_ == nullptr ? nullptr : expected_->find_block(event.block);
  // Of blocks that just came the kernel itself may have brought some online.
  if (expected == nullptr || (expected->state == model::State::Online) == online) return;
  if (online) {
    left_alone_.erase(id);
  } else {
    left_alone_[id] = fmt::format("memory{} was taken offline by somebody else", id);
    listener_.say(kNotice, left_alone_[id], {plan::WriteRun{event.block, event.block}, {}, 0});
  }
  want_round(Cause::Changed);
}

BlockRanges Service::left_alone() const {
  BlockRanges ranges;
  for (const auto& [id, why] : left_alone_) {
    if (!ranges.empty() && ranges.back().second + 1 == id)
      ranges.back().second = id;
    else
      ranges.emplace_back(id, id);
  }
  return ranges;
}

// ---- what is shown ----

void Service::publish(const Plans& plans) {
  auto view = std::make_shared<View>(*view_);
  if (plans.host) view->host = plans.host;
  view->plan = plans.plan;
  expected_ = plans.outcome ? plans.outcome : expected_;
  view->runs = plan::status_runs(*view->host, view->plan.get());
  view->policy = policy_;
  view->problems =
      loaded_.sink.has_errors() ? diag::to_text(loaded_.sink.sorted(), loaded_.shown) : "";
  for (const std::string& problem : {plans.problem, troubles_.problem()})
    if (view->problems.empty()) view->problems = problem;
  view->failing = troubles_.failing();
  view->left_alone.clear();
  for (const auto& [id, why] : left_alone_) view->left_alone.push_back(why);
  view->switches = keeper_->switches();
  const auto before = std::exchange(view_, std::move(view));
  publish_state();
  listener_.view_changed(*before, *view_);
}

void Service::publish_state() {
  auto view = std::make_shared<View>(*view_);
  const bool drift = (view->plan && !view->plan->steps.empty()) ||
                     std::any_of(view->runs.begin(), view->runs.end(),
                                 [](const plan::StatusRun& run) { return run.drift; }) ||
                     !left_alone_.empty();
  view->counters = counters_;
  if (busy() || (round_runs_ && flight_.progress().steps > 0))
    view->state = State::Applying;
  else if (troubles_.any() || (policy_ == nullptr && loaded_.sink.has_errors()) ||
           (policy_ != nullptr && view->plan == nullptr))
    view->state = State::Failed;
  else if (drift)
    view->state = State::Drift;
  else if (view->plan && view->plan->boot.reboot_required)
    view->state = State::RebootRequired;
  else
    view->state = State::InSync;
  view_ = std::move(view);
}

// ---- the loop ----

void Service::take_results() {
  writer_->dispatch();
  reader_->dispatch();
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
  consider(progress_at_);
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
  if (progress_at_ && *progress_at_ <= now) show_progress();
  drop_old_jobs();
}

void Service::shut_down() {
  if (ending_) return;
  ending_ = true;
  flight_.stop();
  // Ends after the block under way.
  writer_.reset();
  reader_.reset();
  std::error_code gone_already;
  std::filesystem::remove(target_->service_sign(), gone_already);
  if (keep_switches_) return;
  for (const std::string& line : keeper_->let_go()) listener_.say(kNotice, line, {});
}

}  // namespace memonline::service
