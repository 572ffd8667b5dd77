// SPDX-License-Identifier: LGPL-2.1-or-later
// Carries out a program, block by block, and records the results in the shared progress. Runs
// inside the helper (helper.hpp): it allocates nothing, forks nothing, and only calls the kernel.
//
// One block: write `state`, read back `state` and `valid_zones`, compare with the prediction.
// Kernel rules 2.1 to 2.7 explain the errnos. Limits sets for how long the runner retries after a
// refusal that may be temporary.
#pragma once

#include <chrono>
#include <optional>

#include "runtime/apply/port.hpp"
#include "runtime/apply/program.hpp"
#include "runtime/apply/shared_progress.hpp"

namespace memonline::apply {

struct Limits {
  /// Rounds over the blocks of a step that failed with EBUSY, EAGAIN, ENOMEM or EINTR; the pause
  /// between two rounds doubles, so six rounds wait 1.55 s per step.
  unsigned rounds = 6;
  std::chrono::milliseconds first_pause{50};
  /// A signal interrupts offlining that takes longer; empty: as long as deadline_for() allows.
  std::optional<std::chrono::milliseconds> offline_deadline;
  /// A write that waits longer for the kernel's hotplug lock, held by another process, is ended by
  /// killing the helper.
  std::chrono::milliseconds lock_patience{300000};
};

/// How long offlining one block of the task may take: `limits.offline_deadline`, or else 30 s and
/// a second for each 64 MiB that has to be moved, which is slow even for a busy disk.
std::chrono::milliseconds deadline_for(const Task& task, const Limits& limits);

class Runner {
 public:
  Runner(const Program& program, SharedProgress& shared, MemoryPort& port, const Limits& limits)
      : program_(program), progress_(shared), port_(port), limits_(limits) {}
  void run() noexcept;

 private:
  void run_task(std::size_t number) noexcept;
  void run_blocks(const Task& task) noexcept;
  void run_knob(const Task& task) noexcept;
  void run_reclaim(const Task& task, TaskProgress& progress) noexcept;
  void bring_back(const Task& task) noexcept;
  /// Undoes what the tasks of an unplug did, if one of them failed.
  void settle_unplug() noexcept;
  /// One write and its result.
  void attempt(const Task& task, BlockId block, BlockResult& result) noexcept;
  void attempt_configuration(const Task& task, BlockId block, BlockResult& result) noexcept;
  void attempt_dax(const Task& task, BlockId block, BlockResult& result) noexcept;
  bool online_block_of(const std::string& device) noexcept;
  void judge_online(const Task& task, BlockId block, int error, BlockResult& result) noexcept;
  void judge_offline(BlockId block, int error, Clock::duration took, BlockResult& result) noexcept;
  int write(BlockId block, std::string_view word) noexcept;
  void set_deadline(const Task& task) noexcept;
  /// A call that takes the kernel's hotplug lock: the watcher sees for how long.
  template <typename Call>
  int watched(Call call) noexcept {
    SharedProgress::Head& head = progress_.head();
    head.writes.fetch_add(1);
    head.write_began.store(to_nanoseconds(port_.now()));
    const int error = call();
    head.write_began.store(0);
    return error;
  }
  [[nodiscard]] bool depends_on_failure(std::size_t number) const noexcept;
  [[nodiscard]] bool failed(const Task& task) const noexcept;
  [[nodiscard]] bool unplug_failed(std::size_t tasks) const noexcept;
  [[nodiscard]] bool stopped() const noexcept { return progress_.head().stop.load(); }
  void halt(StopReason why) noexcept;

  const Program& program_;
  SharedProgress& progress_;
  MemoryPort& port_;
  Limits limits_;
  std::chrono::milliseconds deadline_{0};  ///< for offlining a block of the current task
};

}  // namespace memonline::apply
