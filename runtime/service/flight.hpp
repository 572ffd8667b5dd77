// SPDX-License-Identifier: LGPL-2.1-or-later
// A run under way, as other threads may look at it: how far it is, which events are its own, and
// how it is asked to stop.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/apply/board.hpp"
#include "runtime/apply/program.hpp"
#include "runtime/apply/report.hpp"
#include "runtime/service/events.hpp"

namespace memonline::service {

class Flight {
 public:
  struct Progress {
    std::uint64_t blocks = 0, blocks_done = 0, steps = 0, steps_done = 0;
    std::string step;
  };

  /// Whether `stop()` ends it. What undoes is not to be left half undone.
  enum class Ends : std::uint8_t { WhenAsked, ByItself };
  /// The writer, before the first write. `program` stays known until `forget()`, for events that
  /// are still to be read.
  void begin(std::shared_ptr<const apply::Program> program, apply::Board& board,
             Ends ends = Ends::WhenAsked);
  /// An undo begins: until `forget()`, whatever happens to blocks is ours.
  void undoing() { undoing_.store(true); }
  /// The loop, while the writer does nothing: the events of all that was written were read.
  void forget();

  /// Of the run under way, or how the last one ended, until `forget()`.
  [[nodiscard]] Progress progress() const;
  /// Whether the run writes just that into this block.
  [[nodiscard]] bool is_ours(const MemoryEvent& event) const;
  /// The run brings this block online, and takes it offline again if that was in another zone than
  /// predicted: whether it did, its report tells.
  [[nodiscard]] bool may_take_back(const MemoryEvent& event) const;

  /// Ends the run after the current block. Also one that has not begun yet: until `clear()`. False
  /// where a run is under way that ends only by itself.
  bool stop();
  void clear() { stopping_.store(false); }
  [[nodiscard]] bool stopping() const { return stopping_.load(); }

 private:
  mutable std::mutex mutex_;
  [[nodiscard]] bool some_task(const MemoryEvent& event,
                               bool (*matches)(const apply::Task& task, bool online)) const;

  std::vector<std::shared_ptr<const apply::Program>> programs_;  ///< the last is under way
  std::shared_ptr<apply::Board> board_;
  Ends ends_ = Ends::WhenAsked;
  std::atomic<bool> stopping_{false}, undoing_{false};
};

}  // namespace memonline::service
