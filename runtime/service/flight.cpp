// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/flight.hpp"

#include <algorithm>
#include <utility>

namespace memonline::service {

using apply::Task;

void Flight::begin(std::shared_ptr<const apply::Program> program, apply::Board& board) {
  const std::lock_guard lock(mutex_);
  program_ = std::move(program);
  board_ = board.shared_from_this();
  writing_ = true;
  if (stopping_.load()) {
    board.head().halt.store(static_cast<std::uint8_t>(apply::Halt::Asked));
    board.head().stop.store(true);
  }
}

void Flight::end() {
  const std::lock_guard lock(mutex_);
  writing_ = false;
}

void Flight::forget() {
  const std::lock_guard lock(mutex_);
  if (writing_) return;
  program_.reset();
  board_.reset();
}

Flight::Progress Flight::progress() const {
  const std::lock_guard lock(mutex_);
  Progress progress;
  if (program_ == nullptr || board_ == nullptr) return progress;
  progress.blocks = program_->blocks;
  progress.blocks_done = board_->head().settled.load();
  progress.steps = program_->tasks.size();
  for (std::size_t i = 0; i < program_->tasks.size(); ++i)
    progress.steps_done += board_->task(i).ended.load() != 0 ? 1U : 0U;
  const std::size_t current = board_->head().task.load();
  if (current < program_->tasks.size()) progress.step = apply::task_text(program_->tasks[current]);
  return progress;
}

bool Flight::is_ours(const MemoryEvent& event) const {
  using Action = MemoryEvent::Action;
  if (event.action != Action::Online && event.action != Action::Offline) return false;
  if (undoing_.load()) return true;
  const std::lock_guard lock(mutex_);
  if (program_ == nullptr) return false;
  return std::any_of(program_->tasks.begin(), program_->tasks.end(), [&](const Task& task) {
    if (task.kind != Task::Kind::Online && task.kind != Task::Kind::Offline) return false;
    if (event.block < task.blocks.low() || event.block > task.blocks.high()) return false;
    // What fails is undone: an online by an offline, an unplug by an online.
    const bool online = event.action == Action::Online;
    return (task.kind == Task::Kind::Online) == online || task.all_or_nothing ||
           task.taken_from.has_value();
  });
}

void Flight::stop() {
  const std::lock_guard lock(mutex_);
  stopping_.store(true);
  if (board_ == nullptr) return;
  board_->head().halt.store(static_cast<std::uint8_t>(apply::Halt::Asked));
  board_->head().stop.store(true);
}

}  // namespace memonline::service
