// SPDX-License-Identifier: LGPL-2.1-or-later
// How far a run has come, on standard error: one line that is rewritten on a terminal, a line
// every ten seconds elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "runtime/apply/board.hpp"
#include "runtime/apply/program.hpp"

namespace memonline::cli {

class Progress {
 public:
  /// Nothing is shown for short runs: the first line comes after half a second.
  explicit Progress(const apply::Program& program);
  /// The line on a terminal is removed, so that what follows stands by itself.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(apply::Board& board);
  /// What is shown `seconds` after the beginning.
  [[nodiscard]] std::string line(apply::Board& board, double seconds) const;

 private:
  const apply::Program& program_;
  std::chrono::steady_clock::time_point began_, shown_;
  bool terminal_;
  bool on_screen_ = false;
};

}  // namespace memonline::cli
