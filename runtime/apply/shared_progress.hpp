// SPDX-License-Identifier: LGPL-2.1-or-later
// The progress of a run, in memory shared by the writing helper and the process that watches it.
// Allocated before the first write: four bytes per block, and nothing grows.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "compiler/base/result.hpp"
#include "runtime/apply/port.hpp"
#include "runtime/apply/program.hpp"

namespace memonline::apply {

enum class Outcome : std::uint8_t {
  Pending,      ///< not tried yet
  Done,         ///< written, read back, as predicted
  Already,      ///< another process had done it before
  Again,        ///< refused for a reason that may be temporary; retried
  Refused,      ///< the kernel refused it for good
  WrongZone,    ///< online, but elsewhere than predicted
  Deadline,     ///< offlining it was ended by the deadline
  Vanished,     ///< the block no longer exists
  NotTried,     ///< what it depends on failed, or the run was stopped
  TakenBack,    ///< done, then undone because the request failed
  NotRestored,  ///< a setting that another process changed meanwhile: not put back
};

/// The result of one block, or of one setting.
struct BlockResult {
  Outcome outcome = Outcome::Pending;
  std::uint8_t error = 0;     ///< errno of the last refusal
  std::uint8_t tries = 0;     ///< writes, at most 255
  std::uint8_t zone : 4 = 0;  ///< its model::Zone, if `outcome` is WrongZone
  bool put_back : 1 = false;  ///< and returned to its previous state
};

/// Why the helper stopped before the end.
enum class StopReason : std::uint8_t { No, Asked, NoPermission };

struct TaskProgress {
  std::atomic<std::int64_t> began{0}, ended{0};  ///< steady clock, nanoseconds; 0: not yet
  std::atomic<bool> skipped{false};              ///< what it depends on failed
  std::atomic<std::int64_t> freed{0};            ///< of Reclaim: bytes, also of other processes
  std::atomic<bool> freed_known{false};
};

/// Times as the progress stores them.
[[nodiscard]] inline std::int64_t to_nanoseconds(Clock::time_point at) noexcept {
  return at.time_since_epoch().count();
}

class SharedProgress : public std::enable_shared_from_this<SharedProgress> {
 public:
  /// Anonymous memory shared with children; ENOMEM on failure. Other threads that read it keep it
  /// alive with shared_from_this().
  static Result<std::shared_ptr<SharedProgress>, int> make(const Program& program);
  ~SharedProgress();
  SharedProgress(const SharedProgress&) = delete;
  SharedProgress& operator=(const SharedProgress&) = delete;

  struct Head {
    std::atomic<std::uint64_t> writes{0};      ///< counts every write that was begun
    std::atomic<std::int64_t> write_began{0};  ///< nanoseconds; 0: none under way
    std::atomic<std::uint64_t> block{0};       ///< the block it is for
    std::atomic<std::uint32_t> task{0};
    std::atomic<bool> offlining{false};        ///< the write offlines a block
    std::atomic<std::int64_t> deadline{0};     ///< nanoseconds that this may take
    std::atomic<bool> stop{false};             ///< set by the watcher: end after this block
    std::atomic<std::uint64_t> settled{0};     ///< blocks with a final outcome
    std::atomic<std::uint8_t> stop_reason{0};  ///< StopReason
    std::atomic<bool> finished{false};
  };
  [[nodiscard]] Head& head() { return *head_; }
  [[nodiscard]] const Head& head() const { return *head_; }
  [[nodiscard]] TaskProgress& task(std::size_t i) { return tasks_[i]; }
  [[nodiscard]] BlockResult& result(std::size_t i) { return results_[i]; }
  [[nodiscard]] const BlockResult& result(std::size_t i) const { return results_[i]; }
  [[nodiscard]] const TaskProgress& task(std::size_t i) const { return tasks_[i]; }

  /// Locks its pages; best effort.
  void lock_in_memory();

 private:
  SharedProgress(void* memory, std::size_t size, const Program& program);
  void* memory_;
  std::size_t size_;
  Head* head_;
  TaskProgress* tasks_;
  BlockResult* results_;
};

}  // namespace memonline::apply
