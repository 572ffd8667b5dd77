// SPDX-License-Identifier: LGPL-2.1-or-later
// The current run, for other threads: its progress, which uevents it caused, and a way to stop it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/apply/program.hpp"
#include "runtime/apply/report.hpp"
#include "runtime/apply/shared_progress.hpp"
#include "runtime/service/events.hpp"

namespace memonline::service {

class PendingWrites {
 public:
  struct Progress {
    std::uint64_t blocks = 0, blocks_done = 0, steps = 0, steps_done = 0;
    std::string step;
  };

  /// Whether `stop()` ends it. An undo must not stop half way.
  enum class Ends : std::uint8_t { WhenAsked, ByItself };
  /// Called by the writer before the first write. `program` is kept until `forget()`, for uevents
  /// that are still unread.
  void begin(std::shared_ptr<const apply::Program> program, apply::SharedProgress& shared,
             Ends ends = Ends::WhenAsked);
  /// An undo starts: until `forget()`, all changes of blocks count as ours.
  void undoing() { undoing_.store(true); }
  /// Called by the loop while the writer is idle: the uevents of all writes have been read.
  void forget();

  /// Of the current run, or of the last one, until `forget()`.
  [[nodiscard]] Progress progress() const;
  /// Whether the run writes this state to this block.
  [[nodiscard]] bool is_ours(const MemoryEvent& event) const;
  /// The run onlines this block, and offlines it again if it ends up in another zone than
  /// predicted: its report states whether it did.
  [[nodiscard]] bool may_revert(const MemoryEvent& event) const;

  /// Ends the run after the current block, also a run that has not started yet, until `clear()`.
  /// False if the current run only ends by itself.
  bool stop();
  void clear() { stopping_.store(false); }
  [[nodiscard]] bool stopping() const { return stopping_.load(); }

 private:
  mutable std::mutex mutex_;
  [[nodiscard]] bool some_task(const MemoryEvent& event,
                               bool (*matches)(const apply::Task& task, bool online)) const;

  std::vector<std::shared_ptr<const apply::Program>> programs_;  ///< the last is the current one
  std::shared_ptr<apply::SharedProgress> progress_;
  Ends ends_ = Ends::WhenAsked;
  std::atomic<bool> stopping_{false}, undoing_{false};
};

}  // namespace memonline::service
