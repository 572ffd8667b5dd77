// SPDX-License-Identifier: LGPL-2.1-or-later
// What happened, in memory that the writing helper and the process that watches it share. Made
// whole before the first write: four bytes a block, and nothing grows.
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
  Pending,    ///< not tried yet
  Done,       ///< written, read back, as predicted
  Already,    ///< somebody had done it before us
  Again,      ///< refused for a reason that may pass; tried again
  Refused,    ///< the kernel said no, for good
  WrongZone,  ///< online, but elsewhere than predicted
  Deadline,   ///< taking it offline was ended by the deadline
  Vanished,   ///< there is no such block any more
  NotTried,   ///< what it depends on failed, or the run was stopped
  TakenBack,  ///< done, and undone again: what it was part of failed
  LeftAlone,  ///< a knob that somebody else has set meanwhile: not put back
};

/// What there is to say of one block (or one knob).
struct Note {
  Outcome outcome = Outcome::Pending;
  std::uint8_t error = 0;     ///< errno of the last refusal
  std::uint8_t tries = 0;     ///< writes, at most 255
  std::uint8_t zone : 4 = 0;  ///< model::Zone it was found in, where `outcome` is WrongZone
  bool put_back : 1 = false;  ///< and brought back to what it was before
};

/// Why the helper stopped before the end.
enum class Halt : std::uint8_t { No, Asked, NoPermission };

struct TaskProgress {
  std::atomic<std::int64_t> began{0}, ended{0};  ///< steady clock, nanoseconds; 0: not yet
  std::atomic<bool> skipped{false};              ///< what it depends on failed
};

/// As times stand on the board.
[[nodiscard]] inline std::int64_t to_nanoseconds(Clock::time_point at) noexcept {
  return at.time_since_epoch().count();
}

class Board : public std::enable_shared_from_this<Board> {
 public:
  /// Of anonymous memory shared with children. ENOMEM otherwise. Who looks at it from another
  /// thread keeps it by shared_from_this().
  static Result<std::shared_ptr<Board>, int> make(const Program& program);
  ~Board();
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  struct Head {
    std::atomic<std::uint64_t> writes{0};      ///< counts every write that was begun
    std::atomic<std::int64_t> write_began{0};  ///< nanoseconds; 0: none under way
    std::atomic<std::uint64_t> block{0};       ///< the block it is for
    std::atomic<std::uint32_t> task{0};
    std::atomic<bool> offlining{false};     ///< the write takes a block offline
    std::atomic<bool> stop{false};          ///< set by the watcher: end after this block
    std::atomic<std::uint64_t> settled{0};  ///< blocks with a final outcome
    std::atomic<std::uint8_t> halt{0};      ///< Halt
    std::atomic<bool> finished{false};
  };
  [[nodiscard]] Head& head() { return *head_; }
  [[nodiscard]] const Head& head() const { return *head_; }
  [[nodiscard]] TaskProgress& task(std::size_t i) { return tasks_[i]; }
  [[nodiscard]] Note& note(std::size_t i) { return notes_[i]; }
  [[nodiscard]] const Note& note(std::size_t i) const { return notes_[i]; }
  [[nodiscard]] const TaskProgress& task(std::size_t i) const { return tasks_[i]; }

  /// Locks the board's pages; best effort.
  void lock_in_memory();

 private:
  Board(void* memory, std::size_t size, const Program& program);
  void* memory_;
  std::size_t size_;
  Head* head_;
  TaskProgress* tasks_;
  Note* notes_;
};

}  // namespace memonline::apply
