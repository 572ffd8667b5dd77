// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/apply/runner.hpp"

#include <algorithm>
#include <cerrno>

#include "compiler/model/dax.hpp"

namespace memonline::apply {

using model::State;
using model::ValidZones;
using model::Zone;

namespace {

constexpr std::chrono::seconds kEjectPatience{30};
constexpr std::chrono::seconds kOfflinePatience{30};
constexpr unsigned kLargeOrder = 9;  // 2 MiB with pages of 4 KiB
constexpr std::uint64_t kMovedInASecond = std::uint64_t{64} << 20U;

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

std::chrono::milliseconds deadline_for(const Task& task, const Limits& limits) {
  if (limits.offline_deadline) return *limits.offline_deadline;
  const std::uint64_t seconds = (task.moves + kMovedInASecond - 1) / kMovedInASecond;
  return kOfflinePatience + std::chrono::seconds(seconds);
}

void Runner::run() noexcept {
  for (std::size_t i = 0; i < program_.tasks.size(); ++i)
    // Settings of the run are put back however it ends.
    if (!stopped() || program_.tasks[i].put_back) run_task(i);
  settle_unplug();
  progress_.head().finished.store(true);
}

void Runner::run_task(std::size_t number) noexcept {
  const Task& task = program_.tasks[number];
  TaskProgress& progress = progress_.task(number);
  progress_.head().task.store(static_cast<std::uint32_t>(number));
  set_deadline(task);
  progress.began.store(to_nanoseconds(port_.now()));
  if (task.unless && !failed(program_.tasks[*task.unless])) {
    progress.skipped.store(true);
    progress_.result(task.first_result).outcome = Outcome::Already;
  } else if (depends_on_failure(number)) {
    progress.skipped.store(true);
    for (std::uint64_t i = 0; i < task.count(); ++i)
      progress_.result(task.first_result + i).outcome = Outcome::NotTried;
  } else {
    switch (task.kind) {
      case Task::Kind::Online:
      case Task::Kind::Offline:
      case Task::Kind::Configure:
      case Task::Kind::Deconfigure: run_blocks(task); break;
      case Task::Kind::SetKnob: run_knob(task); break;
      case Task::Kind::Probe: {
        BlockResult& result = progress_.result(task.first_result);
        result.tries = 1;
        progress_.head().offlining.store(false);
        const int error = watched([&] { return port_.probe(task.address); });
        result.error = static_cast<std::uint8_t>(error);
        result.outcome = error == 0        ? Outcome::Done
                         : error == EEXIST ? Outcome::Already
                                           : Outcome::Refused;
        break;
      }
      case Task::Kind::Reclaim: run_reclaim(task, progress); break;
      case Task::Kind::None: progress_.result(task.first_result).outcome = Outcome::NotTried; break;
    }
  }
  progress.ended.store(to_nanoseconds(port_.now()));
}

void Runner::run_blocks(const Task& task) noexcept {
  auto pause = limits_.first_pause;
  for (unsigned round = 1;; ++round) {
    bool again = false;
    for (std::uint64_t i = 0; i < task.count() && !stopped(); ++i) {
      BlockResult& result = progress_.result(task.first_result + i);
      if (settled(result.outcome)) continue;
      attempt(task, task.block(i), result);
      if (settled(result.outcome)) progress_.head().settled.fetch_add(1);
      again = again || result.outcome == Outcome::Again;
      if (task.all_or_nothing && settled(result.outcome) && result.outcome != Outcome::Done &&
          result.outcome != Outcome::Already) {
        again = false;  // the request has failed: offlining more would be in vain
        break;
      }
      // In eras A and B the next blocks of the range are legal only once this one is done.
      if (program_.ordered && result.outcome != Outcome::Done && result.outcome != Outcome::Already)
        break;
    }
    if (!again || stopped() || round >= limits_.rounds) break;
    port_.pause(pause);
    pause *= 2;
  }
  for (std::uint64_t i = 0; i < task.count(); ++i) {
    BlockResult& result = progress_.result(task.first_result + i);
    if (result.outcome == Outcome::Again) result.outcome = Outcome::Refused;
    if (result.outcome == Outcome::Pending && !stopped()) result.outcome = Outcome::NotTried;
  }
  if (task.taken_from) bring_back(task);
}

// Re-onlines blocks in their previous zone that were offlined for this step and could not be
// onlined as planned: memory must not be lost over a change of zone.
void Runner::bring_back(const Task& task) noexcept {
  for (std::uint64_t i = 0; i < task.count(); ++i) {
    BlockResult& result = progress_.result(task.first_result + i);
    if (result.outcome == Outcome::Done || result.outcome == Outcome::Already) continue;
    const BlockId block = task.block(i);
    if (const BlockView view = port_.look(block); view.error != 0 || view.state != State::Offline)
      continue;
    if (write(block, word_into(*task.taken_from)) == 0)
      result.put_back = is_in(port_.look(block), *task.taken_from);
  }
}

// A device can only be unplugged as a whole: if that fails, the blocks that were offlined for it
// are re-onlined in their zones, but not those that another process offlined meanwhile.
void Runner::settle_unplug() noexcept {
  if (!unplug_failed(program_.tasks.size())) return;
  for (std::size_t number = program_.tasks.size(); number-- > 0;) {
    const Task& task = program_.tasks[number];
    if (!task.all_or_nothing || task.configures()) continue;
    progress_.head().task.store(static_cast<std::uint32_t>(number));
    set_deadline(task);
    for (std::uint64_t i = task.count(); i-- > 0;) {
      BlockResult& result = progress_.result(task.first_result + i);
      if (result.outcome != Outcome::Done) continue;
      const BlockId block = task.block(i);
      // Its device was released before another one could not be.
      if (is_gone(port_.look(block).error)) continue;
      result.outcome = Outcome::TakenBack;
      progress_.head().offlining.store(false);
      auto pause = limits_.first_pause;
      int error = write(block, word_into(task.zone));
      for (unsigned round = 1; may_pass(error) && round < limits_.rounds; ++round) {
        port_.pause(pause);
        pause *= 2;
        error = write(block, word_into(task.zone));
      }
      result.put_back = error == 0 && is_in(port_.look(block), task.zone);
    }
  }
}

void Runner::attempt(const Task& task, BlockId block, BlockResult& result) noexcept {
  if (task.configures()) {
    task.device.empty() ? attempt_configuration(task, block, result)
                        : attempt_dax(task, block, result);
    return;
  }
  const bool offline = task.kind == Task::Kind::Offline;
  progress_.head().offlining.store(offline);
  if (result.tries < 255) ++result.tries;
  const auto began = port_.now();
  const int error =
      write(block, offline ? std::string_view("offline") : model::online_word(task.word));
  result.error = static_cast<std::uint8_t>(error);
  if (offline)
    judge_offline(block, error, port_.now() - began, result);
  else
    judge_online(task, block, error, result);
  if (hopeless(error)) halt(StopReason::NoPermission);
}

// One write binds, unbinds or ejects all of the device: that of its first task for its first block.
// The other blocks have its result.
void Runner::attempt_dax(const Task& task, BlockId block, BlockResult& result) noexcept {
  const bool bind = task.kind == Task::Kind::Configure;
  const auto dimm = model::dimm_number(task.device);
  const auto is_done = [&] {
    const int error = port_.look(block).error;
    return bind ? error == 0 : is_gone(error);
  };
  const auto lead = std::find_if(
      program_.tasks.begin(), program_.tasks.end(),
      [&](const Task& other) { return other.kind == task.kind && other.device == task.device; });
  const BlockResult& first = progress_.result(lead->first_result);
  progress_.head().offlining.store(false);
  progress_.head().block.store(block.value());
  if (&first != &result) {
    const bool done = first.outcome == Outcome::Done || first.outcome == Outcome::Already;
    result.error = done && !is_done() ? EIO : first.error;
    result.outcome = done && result.error != 0 ? Outcome::Refused : first.outcome;
    return;
  }
  if (result.tries < 255) ++result.tries;
  if (is_done()) {
    result.outcome = Outcome::Already;
    return;
  }
  int error = !bind && online_block_of(task.device) ? EBUSY : 0;
  if (error == 0)
    error = watched([&] {
      if (dimm) return port_.eject_dimm(*dimm);
      return bind ? port_.bind_dax(task.device) : port_.unbind_dax(task.device);
    });
  // The kernel ejects a DIMM later, in a thread of its own, and removes block after block.
  const auto blocks_gone = [&] {
    return std::all_of(program_.tasks.begin(), program_.tasks.end(), [&](const Task& other) {
      if (other.kind != task.kind || other.device != task.device) return true;
      for (std::uint64_t i = 0; i < other.count(); ++i)
        if (!is_gone(port_.look(other.block(i)).error)) return false;
      return true;
    });
  };
  const auto until = port_.now() + kEjectPatience;
  while (error == 0 && dimm && !blocks_gone() && port_.now() < until)
    port_.pause(limits_.first_pause);
  if (error == 0 && !is_done()) error = EIO;  // a probe that failed: the kernel's log says why
  result.error = static_cast<std::uint8_t>(error);
  result.outcome = error == 0 ? Outcome::Done : may_pass(error) ? Outcome::Again : Outcome::Refused;
  if (hopeless(error)) halt(StopReason::NoPermission);
}

// Whether a block of the device is not offline: the driver must not leave the device then. The
// program has tasks for all of its blocks (program_to_undo()).
bool Runner::online_block_of(const std::string& device) noexcept {
  for (const Task& task : program_.tasks) {
    if (task.kind != Task::Kind::Deconfigure || task.device != device) continue;
    for (std::uint64_t i = 0; i < task.count(); ++i) {
      const BlockView view = port_.look(task.block(i));
      if (!is_gone(view.error) && (view.error != 0 || view.state != State::Offline)) return true;
    }
  }
  return false;
}

// Standby memory (drivers/s390/char/sclp_mem.c): `memmap_on_memory` can only be written before
// `config` is 1.
void Runner::attempt_configuration(const Task& task, BlockId block, BlockResult& result) noexcept {
  const bool configure = task.kind == Task::Kind::Configure;
  progress_.head().offlining.store(false);
  progress_.head().block.store(block.value());
  if (result.tries < 255) ++result.tries;
  const StandbyView now = port_.look_at_standby(block);
  int error = now.error;
  if (error == 0 && now.configured == configure) {
    result.outcome = Outcome::Already;
    return;
  }
  if (error == 0 && configure && task.own_map && now.own_map != *task.own_map)
    error = watched(
        [&] { return port_.write_standby(block, StandbyFile::MemmapOnMemory, *task.own_map); });
  if (error == 0)
    error = watched([&] { return port_.write_standby(block, StandbyFile::Config, configure); });
  result.error = static_cast<std::uint8_t>(error);
  if (error == 0)
    result.outcome = Outcome::Done;
  else if (is_gone(error))
    result.outcome = Outcome::Vanished;
  else
    result.outcome = may_pass(error) ? Outcome::Again : Outcome::Refused;
  if (hopeless(error)) halt(StopReason::NoPermission);
}

void Runner::judge_online(const Task& task, BlockId block, int error,
                          BlockResult& result) noexcept {
  if (is_gone(error)) {
    result.outcome = task.configured_first ? Outcome::NotTried : Outcome::Vanished;
    return;
  }
  if (error != 0 && error != EINVAL) {
    result.outcome = may_pass(error) ? Outcome::Again : Outcome::Refused;
    return;
  }
  const BlockView view = port_.look(block);
  if (view.error != 0) {
    result.error = static_cast<std::uint8_t>(view.error);
    result.outcome = is_gone(view.error) ? Outcome::Vanished : Outcome::Refused;
    return;
  }
  if (view.state != State::Online) {
    // EINVAL of an offline block is a rule of the kernel (eras A, B). After a write that succeeded,
    // another process has offlined it again: an eject, or another writer.
    const bool changing = error == 0 || view.state == State::GoingOffline;
    result.outcome = changing ? Outcome::Again : Outcome::Refused;
    if (changing) result.error = EBUSY;
    return;
  }
  if (is_in(view, task.zone)) {
    result.outcome = error == 0 ? Outcome::Done : Outcome::Already;
    return;
  }
  result.outcome = Outcome::WrongZone;
  if (view.zones.kind() == ValidZones::Kind::Listed)
    result.zone = static_cast<std::uint8_t>(view.zones[0]) & 0xfU;
  // Only what this run onlined is offlined again, not what another writer did.
  if (error != 0) return;
  progress_.head().offlining.store(true);
  result.put_back = write(block, "offline") == 0;
}

void Runner::judge_offline(BlockId block, int error, Clock::duration took,
                           BlockResult& result) noexcept {
  if (error == 0) {
    result.outcome = Outcome::Done;
    return;
  }
  if (is_gone(error)) {
    result.outcome = Outcome::Vanished;
    return;
  }
  // Start and end are read from a clock that is at most one tick behind.
  if (error == EINTR && took + Clock::kTick >= deadline_) {
    result.outcome = Outcome::Deadline;
    return;
  }
  if (error == EINVAL) {
    const BlockView view = port_.look(block);
    const bool gone = is_gone(view.error);
    const bool already = view.error == 0 && view.state == State::Offline;
    result.outcome = gone ? Outcome::Vanished : already ? Outcome::Already : Outcome::Refused;
    return;
  }
  result.outcome = may_pass(error) ? Outcome::Again : Outcome::Refused;
}

void Runner::set_deadline(const Task& task) noexcept {
  deadline_ = deadline_for(task, limits_);
  progress_.head().deadline.store(std::chrono::nanoseconds(deadline_).count());
}

int Runner::write(BlockId block, std::string_view word) noexcept {
  progress_.head().block.store(block.value());
  return watched([&] { return port_.write_state(block, word); });
}

void Runner::run_knob(const Task& task) noexcept {
  BlockResult& result = progress_.result(task.first_result);
  const KnobView now = port_.read_knob(task.knob);
  if (now.error == 0 && now.value() == task.value) {
    result.outcome = Outcome::Already;
    return;
  }
  if (now.error == 0 && !task.held.empty() && now.value() != task.held) {
    result.outcome = Outcome::NotRestored;
    return;
  }
  // While memory is being added, the kernel rereads auto_online_blocks for each block, and treats
  // `offline` as `online` (kernel rule 9.3): never change it in the middle of that.
  progress_.head().offlining.store(false);
  if (program_.online_block)
    (void)watched([&] { return port_.wait_for_adds(*program_.online_block); });
  result.tries = 1;
  int error = watched([&] { return port_.write_knob(task.knob, task.value); });
  if (error == 0) {
    const KnobView after = port_.read_knob(task.knob);
    error = after.error != 0 ? after.error : (after.value() == task.value ? 0 : EINVAL);
  }
  result.error = static_cast<std::uint8_t>(error);
  result.outcome = error == 0 ? Outcome::Done : Outcome::Refused;
}

// What cannot be reclaimed does not end an unplug: its blocks are tried all the same. Compaction
// frees nothing, but makes large blocks of free memory.
void Runner::run_reclaim(const Task& task, TaskProgress& progress) noexcept {
  const unsigned order = task.reclaim == plan::Reclaim::Compact ? kLargeOrder : 0;
  BlockResult& result = progress_.result(task.first_result);
  progress_.head().offlining.store(false);
  result.tries = 1;
  const auto before = port_.free_memory(order);
  const int error = port_.reclaim(task.reclaim);
  const auto after = port_.free_memory(order);
  progress.freed_known.store(before && after);
  if (before && after)
    progress.freed.store(static_cast<std::int64_t>(*after) - static_cast<std::int64_t>(*before));
  result.error = static_cast<std::uint8_t>(error);
  result.outcome = error == 0 ? Outcome::Done : Outcome::Refused;
}

bool Runner::unplug_failed(std::size_t tasks) const noexcept {
  return std::any_of(program_.tasks.begin(),
                     program_.tasks.begin() + static_cast<std::ptrdiff_t>(tasks),
                     [&](const Task& task) { return task.all_or_nothing && failed(task); });
}

bool Runner::failed(const Task& task) const noexcept {
  for (std::uint64_t i = 0; i < task.count(); ++i) {
    const Outcome outcome = progress_.result(task.first_result + i).outcome;
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
      ((task.kind == Task::Kind::Online || task.kind == Task::Kind::Configure) &&
       task.zone == Zone::Movable) ||
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

void Runner::halt(StopReason why) noexcept {
  progress_.head().stop_reason.store(static_cast<std::uint8_t>(why));
  progress_.head().stop.store(true);
}

}  // namespace memonline::apply
