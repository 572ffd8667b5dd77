// SPDX-License-Identifier: LGPL-2.1-or-later
// The progress of a run, on standard error: one line that is rewritten on a terminal, a line every
// ten seconds elsewhere. The same whether this process writes or the service does.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>

#include "runtime/apply/helper.hpp"
#include "runtime/apply/program.hpp"
#include "runtime/apply/shared_progress.hpp"

namespace memonline::cli {

struct CurrentState {
  std::uint64_t step = 1, steps = 1;   ///< the current one, and all; 0: not steps of a plan
  std::uint64_t done = 0, blocks = 0;  ///< so far, and all
  std::uint64_t block_size = 0;        ///< in bytes; 0: unknown
  std::string at;                      ///< the current block or step
  bool stuck = false;                  ///< for so long that only this matters
};
CurrentState current_state_of(const apply::Program& program, apply::SharedProgress& shared);

/// The line that is shown `seconds` after the start.
std::string progress_text(const CurrentState& state, double seconds);

class Progress {
 public:
  /// Nothing is shown for short runs: the first line comes after half a second.
  Progress();
  /// Removes the line on a terminal.
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const CurrentState& state);
  void clear();

 private:
  std::chrono::steady_clock::time_point began_, shown_;
  bool terminal_;
  bool on_screen_ = false;
};

/// Gives `work` a watch that shows the progress of a run of this process, and returns its result.
/// The progress is erased before the result is shown.
template <class Work>
auto watched(const volatile std::sig_atomic_t* stops, Work&& work) {
  Progress progress;
  return work(
      apply::Watch{[&progress](const apply::Program& program, apply::SharedProgress& shared) {
                     progress.show(current_state_of(program, shared));
                   },
                   stops});
}

}  // namespace memonline::cli
