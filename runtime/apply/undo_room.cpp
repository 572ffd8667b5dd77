// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/apply/undo_room.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/plan/order.hpp"
#include "compiler/plan/room.hpp"

namespace memonline::apply {

namespace {

std::vector<plan::Step> steps_of(const std::vector<Task>& tasks) {
  std::vector<plan::Step> steps;
  for (const Task& task : tasks) {
    plan::Step step;
    if (task.kind == Task::Kind::Online)
      step.action = plan::OnlineBlocks{task.word, task.blocks, task.node, task.zone};
    else if (task.kind == Task::Kind::Offline)
      step.action = plan::OfflineBlocks{task.blocks, task.node, task.zone};
    else
      continue;
    steps.push_back(std::move(step));
  }
  return steps;
}

bool same_blocks(const Task& a, const Task& b) {
  return a.blocks.low() == b.blocks.low() && a.blocks.high() == b.blocks.high();
}

/// Offlines the blocks of `off` and onlines them as `on` says, as many at once as fit. False if
/// that is too few.
bool add_slices(const Task& off, const Task& on, plan::Room& room, std::vector<Task>& tasks) {
  const std::uint64_t least = (off.blocks.count() + plan::kMaxSlices - 1) / plan::kMaxSlices;
  const model::BlockId last = off.blocks.high();
  for (model::BlockId at = off.blocks.low(); at <= last;) {
    const std::uint64_t left = last - at + 1;
    const std::uint64_t count = room.most({off.node, off.zone, left});
    if (count < std::min(least, left)) return false;
    room.take({off.node, off.zone, count});
    room.give({on.node, on.zone, count});
    Task first = off;
    first.blocks = {at + (count - 1), at};
    Task then = on;
    then.blocks = {at, at + (count - 1)};
    tasks.push_back(std::move(first));
    tasks.push_back(std::move(then));
    at += count;
  }
  return true;
}

}  // namespace

void fit_by_slices(std::vector<Task>& tasks, const model::Host& now) {
  // Standby memory is deconfigured after all of it is offline.
  if (std::any_of(tasks.begin(), tasks.end(), [](const Task& task) { return task.configures(); }))
    return;
  plan::Room room(now);
  if (!room.known() || !plan::shortage_of(steps_of(tasks), now)) return;
  std::vector<Task> fitting;
  for (const Task& task : tasks) {
    if (task.kind != Task::Kind::Online || task.taken_from) continue;
    room.give({task.node, task.zone, task.blocks.count()});
    fitting.push_back(task);
  }
  std::vector<Task> to_stay_offline;
  for (const Task& task : tasks) {
    if (task.kind != Task::Kind::Offline) continue;
    const auto back = std::find_if(tasks.begin(), tasks.end(), [&](const Task& other) {
      return other.kind == Task::Kind::Online && same_blocks(task, other);
    });
    if (back == tasks.end())
      to_stay_offline.push_back(task);
    else if (!add_slices(task, *back, room, fitting))
      return;
  }
  fitting.insert(fitting.end(), to_stay_offline.begin(), to_stay_offline.end());
  if (!plan::shortage_of(steps_of(fitting), now)) tasks = std::move(fitting);
}

std::string no_room_for(const std::vector<Task>& tasks, const model::Host& now) {
  diag::Sink sink;
  if (plan::check_room(steps_of(tasks), now, sink)) return {};
  const diag::Diagnostic& d = sink.all().front();
  return fmt::format("{}; {}", d.message, d.help);
}

}  // namespace memonline::apply
