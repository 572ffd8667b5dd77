// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/apply/runner.hpp"

#include <algorithm>
#include <cerrno>

namespace memonline::apply {

using model::State;
using model::ValidZones;
using model::Zone;

namespace {

bool may_pass(int error) {
  return error == EBUSY || error == EAGAIN || error == ENOMEM || error == EINTR;
}

/// Every block would fail in the same way.
bool hopeless(int error) { return error == EACCES || error == EROFS; }

/// The block went, before or while its file was open.
bool is_gone(int error) { return error == ENOENT || error == ENODEV; }

bool settled(Outcome outcome) { return outcome != Outcome::Pending && outcome != Outcome::Again; }

/// The zone of an online block is the first name, in every era (kernel rule 4.2).
/// Before 3.18 the kernel does not report it, and the write is trusted.
bool is_in(const BlockView& view, Zone zone) {
  if (view.zones.kind() == ValidZones::Kind::Unknown) return true;
  return view.zones.kind() == ValidZones::Kind::Listed && view.zones[0] == zone;
}

std::string_view word_into(Zone zone) {
  return zone == Zone::Movable ? "online_movable" : "online_kernel";
}

}  // namespace

void Runner::run() noexcept {
  for (std::size_t i = 0; i < program_.tasks.size(); ++i)
    // Settings of the run are put back however it ends.
    if (!stopped() || program_.tasks[i].put_back) run_task(i);
  settle_unplug();
  board_.head().finished.store(true);
}

void Runner::run_task(std::size_t number) noexcept {
  const Task& task = program_.tasks[number];
  TaskProgress& progress = board_.task(number);
  board_.head().task.store(static_cast<std::uint32_t>(number));
  progress.began.store(to_nanoseconds(port_.now()));
  if (task.unless && !failed(program_.tasks[*task.unless])) {
    progress.skipped.store(true);
    board_.note(task.first_note).outcome = Outcome::Already;
  } else if (depends_on_failure(number)) {
    progress.skipped.store(true);
    for (std::uint64_t i = 0; i < task.count(); ++i)
      board_.note(task.first_note + i).outcome = Outcome::NotTried;
  } else {
    switch (task.kind) {
      case Task::Kind::Online:
      case Task::Kind::Offline: run_blocks(task); break;
      case Task::Kind::SetKnob: run_knob(task); break;
      case Task::Kind::Probe: {
        Note& note = board_.note(task.first_note);
        note.tries = 1;
        board_.head().offlining.store(false);
        const int error = watched([&] { return port_.probe(task.address); });
        note.error = static_cast<std::uint8_t>(error);
        note.outcome = error == 0        ? Outcome::Done
                       : error == EEXIST ? Outcome::Already
                                         : Outcome::Refused;
        break;
      }
      case Task::Kind::None: board_.note(task.first_note).outcome = Outcome::NotTried; break;
    }
  }
  progress.ended.store(to_nanoseconds(port_.now()));
}

void Runner::run_blocks(const Task& task) noexcept {
  auto pause = limits_.first_pause;
  for (unsigned round = 1;; ++round) {
    bool again = false;
    for (std::uint64_t i = 0; i < task.count() && !stopped(); ++i) {
      Note& note = board_.note(task.first_note + i);
      if (settled(note.outcome)) continue;
      attempt(task, task.block(i), note);
      if (settled(note.outcome)) board_.head().settled.fetch_add(1);
      again = again || note.outcome == Outcome::Again;
      if (task.all_or_nothing && settled(note.outcome) && note.outcome != Outcome::Done &&
          note.outcome != Outcome::Already) {
        again = false;  // the request has failed: offlining more would be in vain
        break;
      }
      // In eras A and B the next blocks of the range are legal only once this one is done.
      if (program_.ordered && note.outcome != Outcome::Done && note.outcome != Outcome::Already)
        break;
    }
    if (!again || stopped() || round >= limits_.rounds) break;
    port_.pause(pause);
    pause *= 2;
  }
  for (std::uint64_t i = 0; i < task.count(); ++i) {
    Note& note = board_.note(task.first_note + i);
    if (note.outcome == Outcome::Again) note.outcome = Outcome::Refused;
    if (note.outcome == Outcome::Pending && !stopped()) note.outcome = Outcome::NotTried;
  }
  if (task.taken_from) bring_back(task);
}

// Re-onlines blocks in their previous zone that were offlined for this step and could not be
// onlined as planned: memory must not be lost over a change of zone.
void Runner::bring_back(const Task& task) noexcept {
  for (std::uint64_t i = 0; i < task.count(); ++i) {
    Note& note = board_.note(task.first_note + i);
    if (note.outcome == Outcome::Done || note.outcome == Outcome::Already) continue;
    const BlockId block = task.block(i);
    if (const BlockView view = port_.look(block); view.error != 0 || view.state != State::Offline)
      continue;
    if (write(block, word_into(*task.taken_from)) == 0)
      note.put_back = is_in(port_.look(block), *task.taken_from);
  }
}

// A device can only be unplugged as a whole: if that fails, the blocks that were offlined for it
// are re-onlined in their zones, but not those that another process offlined meanwhile.
void Runner::settle_unplug() noexcept {
  if (!unplug_failed(program_.tasks.size())) return;
  for (std::size_t number = program_.tasks.size(); number-- > 0;) {
    const Task& task = program_.tasks[number];
    if (!task.all_or_nothing) continue;
    board_.head().task.store(static_cast<std::uint32_t>(number));
    for (std::uint64_t i = task.count(); i-- > 0;) {
      Note& note = board_.note(task.first_note + i);
      if (note.outcome != Outcome::Done) continue;
      note.outcome = Outcome::TakenBack;
      board_.head().offlining.store(false);
      const BlockId block = task.block(i);
      auto pause = limits_.first_pause;
      int error = write(block, word_into(task.zone));
      for (unsigned round = 1; may_pass(error) && round < limits_.rounds; ++round) {
        port_.pause(pause);
        pause *= 2;
        error = write(block, word_into(task.zone));
      }
      note.put_back = error == 0 && is_in(port_.look(block), task.zone);
    }
  }
}

void Runner::attempt(const Task& task, BlockId block, Note& note) noexcept {
  const bool offline = task.kind == Task::Kind::Offline;
  board_.head().offlining.store(offline);
  if (note.tries < 255) ++note.tries;
  const auto began = port_.now();
  const int error =
      write(block, offline ? std::string_view("offline") : model::online_word(task.word));
  note.error = static_cast<std::uint8_t>(error);
  if (offline)
    judge_offline(block, error, port_.now() - began, note);
  else
    judge_online(task, block, error, note);
  if (hopeless(error)) halt(Halt::NoPermission);
}

void Runner::judge_online(const Task& task, BlockId block, int error, Note& note) noexcept {
  if (is_gone(error)) {
    note.outcome = Outcome::Vanished;
    return;
  }
  if (error != 0 && error != EINVAL) {
    note.outcome = may_pass(error) ? Outcome::Again : Outcome::Refused;
    return;
  }
  const BlockView view = port_.look(block);
  if (view.error != 0) {
    note.error = static_cast<std::uint8_t>(view.error);
    note.outcome = is_gone(view.error) ? Outcome::Vanished : Outcome::Refused;
    return;
  }
  if (view.state != State::Online) {
    // EINVAL of an offline block is a rule of the kernel (eras A, B). After a write that succeeded,
    // another process has offlined it again: an eject, or another writer.
    const bool changing = error == 0 || view.state == State::GoingOffline;
    note.outcome = changing ? Outcome::Again : Outcome::Refused;
    if (changing) note.error = EBUSY;
    return;
  }
  if (is_in(view, task.zone)) {
    note.outcome = error == 0 ? Outcome::Done : Outcome::Already;
    return;
  }
  note.outcome = Outcome::WrongZone;
  if (view.zones.kind() == ValidZones::Kind::Listed)
    note.zone = static_cast<std::uint8_t>(view.zones[0]) & 0xfU;
  // Only what this run onlined is offlined again, not what another writer did.
  if (error != 0) return;
  board_.head().offlining.store(true);
  note.put_back = write(block, "offline") == 0;
}

void Runner::judge_offline(BlockId block, int error, Clock::duration took, Note& note) noexcept {
  if (error == 0) {
    note.outcome = Outcome::Done;
    return;
  }
  if (is_gone(error)) {
    note.outcome = Outcome::Vanished;
    return;
  }
  // Start and end are read from a clock that is at most one tick behind.
  if (error == EINTR && took + Clock::kTick >= limits_.offline_deadline) {
    note.outcome = Outcome::Deadline;
    return;
  }
  if (error == EINVAL) {
    const BlockView view = port_.look(block);
    const bool gone = is_gone(view.error);
    const bool already = view.error == 0 && view.state == State::Offline;
    note.outcome = gone ? Outcome::Vanished : already ? Outcome::Already : Outcome::Refused;
    return;
  }
  note.outcome = may_pass(error) ? Outcome::Again : Outcome::Refused;
}

int Runner::write(BlockId block, std::string_view word) noexcept {
  board_.head().block.store(block.value());
  return watched([&] { return port_.write_state(block, word); });
}

void Runner::run_knob(const Task& task) noexcept {
  Note& note = board_.note(task.first_note);
  const KnobView now = port_.read_knob(task.knob);
  if (now.error == 0 && now.value() == task.value) {
    note.outcome = Outcome::Already;
    return;
  }
  if (now.error == 0 && !task.held.empty() && now.value() != task.held) {
    note.outcome = Outcome::LeftAlone;
    return;
  }
  // While memory is being added, the kernel rereads auto_online_blocks for each block, and treats
  // `offline` as `online` (kernel rule 9.3): never change it in the middle of that.
  board_.head().offlining.store(false);
  if (program_.online_block)
    (void)watched([&] { return port_.wait_for_adds(*program_.online_block); });
  note.tries = 1;
  int error = watched([&] { return port_.write_knob(task.knob, task.value); });
  if (error == 0) {
    const KnobView after = port_.read_knob(task.knob);
    error = after.error != 0 ? after.error : (after.value() == task.value ? 0 : EINVAL);
  }
  note.error = static_cast<std::uint8_t>(error);
  note.outcome = error == 0 ? Outcome::Done : Outcome::Refused;
}

bool Runner::unplug_failed(std::size_t tasks) const noexcept {
  return std::any_of(program_.tasks.begin(),
                     program_.tasks.begin() + static_cast<std::ptrdiff_t>(tasks),
                     [&](const Task& task) { return task.all_or_nothing && failed(task); });
}

bool Runner::failed(const Task& task) const noexcept {
  for (std::uint64_t i = 0; i < task.count(); ++i) {
    const Outcome outcome = board_.note(task.first_note + i).outcome;
    if (outcome != Outcome::Done && outcome != Outcome::Already) return true;
  }
  return false;
}

// Movable memory on a node needs the kernel memory that the plan puts before it; a setting that
// makes more memory Movable needs that of every node.
bool Runner::depends_on_failure(std::size_t number) const noexcept {
  const Task& task = program_.tasks[number];
  if (task.all_or_nothing) return unplug_failed(number);
  const bool movable =
      (task.kind == Task::Kind::Online && task.zone == Zone::Movable) ||
      (task.kind == Task::Kind::SetKnob && !task.put_back && task.value == "online_movable");
  if (!movable) return false;
  return std::any_of(
      program_.tasks.begin(), program_.tasks.begin() + static_cast<std::ptrdiff_t>(number),
      [&](const Task& earlier) {
        const bool kernel =
            earlier.kind == Task::Kind::Online && model::is_kernel_zone(earlier.zone);
        const bool same_node = !task.node || !earlier.node || *task.node == *earlier.node;
        return kernel && same_node && failed(earlier);
      });
}

void Runner::halt(Halt why) noexcept {
  board_.head().halt.store(static_cast<std::uint8_t>(why));
  board_.head().stop.store(true);
}

}  // namespace memonline::apply
