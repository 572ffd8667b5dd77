// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/pending_writes.hpp"

#include <algorithm>
#include <utility>

namespace memonline::service {

using apply::Task;

void PendingWrites::begin(std::shared_ptr<const apply::Program> program,
                          apply::SharedProgress& shared, Ends ends) {
  const std::lock_guard lock(mutex_);
  programs_.push_back(std::move(program));
  progress_ = shared.shared_from_this();
  ends_ = ends;
  if (stopping_.load() && ends == Ends::WhenAsked) {
    shared.head().stop_reason.store(static_cast<std::uint8_t>(apply::StopReason::Asked));
    shared.head().stop.store(true);
  }
}

void PendingWrites::forget() {
  const std::lock_guard lock(mutex_);
  undoing_.store(false);
  programs_.clear();
  progress_.reset();
}

PendingWrites::Progress PendingWrites::progress() const {
  const std::lock_guard lock(mutex_);
  Progress progress;
  if (programs_.empty() || progress_ == nullptr) return progress;
  const apply::Program& program = *programs_.back();
  progress.blocks = program.blocks;
  progress.blocks_done = progress_->head().settled.load();
  progress.steps = program.tasks.size();
  for (std::size_t i = 0; i < program.tasks.size(); ++i)
    progress.steps_done += progress_->task(i).ended.load() != 0 ? 1U : 0U;
  const std::size_t current = progress_->head().task.load();
  if (current < program.tasks.size()) progress.step = apply::task_text(program.tasks[current]);
  return progress;
}

bool PendingWrites::is_ours(const MemoryEvent& event) const {
  using Action = MemoryEvent::Action;
  if (event.action != Action::Online && event.action != Action::Offline) return false;
  if (undoing_.load()) return true;
  // A failed step is reverted: a failed unplug or change of zone by onlining.
  return some_task(event, [](const Task& task, bool online) {
    return (task.kind == Task::Kind::Online) == online || task.all_or_nothing ||
           task.taken_from.has_value();
  });
}

bool PendingWrites::may_revert(const MemoryEvent& event) const {
  if (event.action != MemoryEvent::Action::Offline) return false;
  return some_task(event, [](const Task& task, bool) { return task.kind == Task::Kind::Online; });
}

bool PendingWrites::some_task(const MemoryEvent& event,
                              bool (*matches)(const apply::Task& task, bool online)) const {
  const bool online = event.action == MemoryEvent::Action::Online;
  const std::lock_guard lock(mutex_);
  return std::any_of(programs_.begin(), programs_.end(), [&](const auto& program) {
    return std::any_of(program->tasks.begin(), program->tasks.end(), [&](const Task& task) {
      if (task.kind != Task::Kind::Online && task.kind != Task::Kind::Offline) return false;
      if (event.block < task.blocks.low() || event.block > task.blocks.high()) return false;
      return matches(task, online);
    });
  });
}

bool PendingWrites::stop() {
  const std::lock_guard lock(mutex_);
  stopping_.store(true);
  if (undoing_.load() || (progress_ != nullptr && ends_ == Ends::ByItself)) return false;
  if (progress_ == nullptr) return true;
  progress_->head().stop_reason.store(static_cast<std::uint8_t>(apply::StopReason::Asked));
  progress_->head().stop.store(true);
  return true;
}

}  // namespace memonline::service
