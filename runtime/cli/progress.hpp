// SPDX-License-Identifier: LGPL-2.1-or-later
// How far a run has come, on standard error: one line that is rewritten on a terminal, a line
// every ten seconds elsewhere. The same whether this process writes or the service does.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>

#include "runtime/apply/board.hpp"
#include "runtime/apply/helper.hpp"
#include "runtime/apply/program.hpp"

namespace memonline::cli {

struct Standing {
  std::uint64_t step = 1, steps = 1;   ///< the one under way, of all
  std::uint64_t done = 0, blocks = 0;  ///< so far, of all
  std::uint64_t block_size = 0;        ///< in bytes; 0: not known
  std::string at;                      ///< what is under way: a block, say
  bool stuck = false;                  ///< and has been for so long that it is what matters
};
Standing standing_of(const apply::Program& program, apply::Board& board);

/// What is shown of it `seconds` after the beginning.
std::string progress_text(const Standing& standing, double seconds);

class Progress {
 public:
  /// Nothing is shown for short runs: the first line comes after half a second.
  Progress();
  /// The line on a terminal is removed, so that what follows stands by itself.
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const Standing& standing);
  void clear();

 private:
  std::chrono::steady_clock::time_point began_, shown_;
  bool terminal_;
  bool on_screen_ = false;
};

/// What `work` returns, which is given what watches a run of this process. Nothing of the progress
/// is on the screen any more when its result is told.
template <class Work>
auto watched(const volatile std::sig_atomic_t* stops, Work&& work) {
  Progress progress;
  return work(apply::Watch{[&progress](const apply::Program& program, apply::Board& board) {
                             progress.show(standing_of(program, board));
                           },
                           stops});
}

}  // namespace memonline::cli
