// SPDX-License-Identifier: LGPL-2.1-or-later
// A child process, forked before the first write, does the writing, so that a write that does not
// return can be ended: only a signal interrupts offlining (kernel rule 6.4), and only a fatal one
// ends waiting for the hotplug lock (kernel rule 9.1). The helper ends its own offlines in time;
// the parent watches the shared progress, shows progress, passes on stop requests, and kills a
// helper that waits for the lock too long. It never writes a block itself.
#pragma once

#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include <sys/types.h>

#include "compiler/base/result.hpp"
#include "runtime/apply/port.hpp"
#include "runtime/apply/runner.hpp"
#include "runtime/apply/shared_progress.hpp"

namespace memonline::apply {

/// How watching ended.
enum class Ended : std::uint8_t {
  Finished,     ///< the helper finished (see Head::stop_reason for an early end)
  Interrupted,  ///< the same, after a stop request
  LockHeld,     ///< killed: it waited too long for the kernel's hotplug lock
  Died,         ///< another process killed it
};

/// Called often while the helper writes; may allocate, must not throw.
struct Watch {
  std::function<void(const Program&, SharedProgress&)> progress;  ///< about ten times a second
  /// The number of stop requests: one ends the run after the current block, two also interrupt
  /// offlining.
  const volatile std::sig_atomic_t* stops = nullptr;
};

class Helper {
 public:
  /// Forks it; it waits. An errno otherwise, and nothing was changed.
  static Result<std::unique_ptr<Helper>, int> start(const Program& program, SharedProgress& shared,
                                                    MemoryPort& port, const Limits& limits);
  /// Ends it if it still waits.
  ~Helper();
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;

  /// Lets it write and watches until it is done.
  Ended run(const Watch& watch);

 private:
  Helper(pid_t child, int go, int alive, const Program& program, SharedProgress& shared,
         const Limits& limits)
      : child_(child),
        go_(go),
        alive_(alive),
        program_(program),
        progress_(shared),
        limits_(limits) {}
  void keep_deadlines(const Watch& watch);
  void wait_for_child();

  pid_t child_;
  int go_;     ///< written once: begin
  int alive_;  ///< closed by the helper's end
  const Program& program_;
  SharedProgress& progress_;
  Limits limits_;
  std::uint64_t signalled_write_ = 0;  ///< the write that was sent a signal
  std::int64_t signalled_at_ = 0;
  bool lock_held_ = false;
  bool died_ = false;
};

}  // namespace memonline::apply
