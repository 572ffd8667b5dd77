// SPDX-License-Identifier: LGPL-2.1-or-later
// When the service scans memory, and whether it may write then: one round after another, each for
// the most urgent pending cause. It knows no clock and does no work: callers pass the time, start
// the rounds, and report their results.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/model/block_set.hpp"
#include "runtime/service/troubles.hpp"

namespace memonline::service {

class RoundScheduler {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// Why a round is needed, the most urgent first.
  enum class Cause : std::uint8_t { Start, Events, Lost, Retry, Changed, Reload };

  static constexpr std::chrono::milliseconds kLockAgain{250};
  static constexpr std::chrono::milliseconds kQuiet{250};
  static constexpr std::chrono::seconds kMaxBurst{30};

  /// What the active policy lets a round do.
  struct Policy {
    bool active = false;
    bool rezones = false;  ///< it allows changing the zone of online blocks
    bool changed =
        false;  ///< since an earlier service exited when idle: only a reload may apply it
  };
  /// The parameters of a round at its start.
  struct Order {
    Cause cause = Cause::Start;
    bool writes = false;  ///< or it only scans
    bool lost = false;    ///< uevents were lost before
    /// When the first uevent of the burst arrived that caused the round.
    std::optional<Time> burst;
    model::BlockSet removed;  ///< blocks, since the last round started
  };

  void want(Cause cause, Time now);
  void uevents_lost(Time now);
  void block_removed(model::BlockId block) { removed_.add(block); }
  /// The kernel itself onlines the memory that is being added: no round until uevents stop.
  void kernel_onlines(Time now);
  [[nodiscard]] bool kernel_is_onlining() const { return quiet_at_.has_value(); }

  /// The cause of the round that may start now. Empty: none is wanted, one is running, another run
  /// holds the lock, or the kernel is still onlining.
  [[nodiscard]] std::optional<Cause> next() const;
  /// Starts the round of `next()`.
  Order start(const Policy& policy);
  /// The round is over.
  void finish();
  /// The round has done nothing, because another run holds the lock: it is wanted again once the
  /// lock is free. True if that was not known.
  bool finish_locked_out(const Order& order, const std::string& owner, Time now);

  [[nodiscard]] bool waits_for_lock() const { return lock_wait_.has_value(); }
  /// The lock must be checked now. Follow it with one of the next three.
  bool lock_check_is_due(Time now);
  /// True if the owner is another one than before.
  bool lock_is_held(const std::string& owner, Time now);
  void lock_is_free() { lock_wait_.reset(); }
  void lock_check_failed(Time now);

  /// Failures, and when to retry. Call it before `finish()`.
  void wrote(const Order& order, std::vector<Failing> failing, std::string problem, Time now);
  void scanned(std::string problem, Time now);
  [[nodiscard]] const Troubles& troubles() const { return troubles_; }

  /// When to call `tick`; empty: not until something else happens.
  [[nodiscard]] std::optional<Time> due() const;
  void tick(Time now);
  /// The service ends: nothing is wanted any more.
  void stop() { ending_ = true; }

  [[nodiscard]] bool is_running() const { return running_; }
  /// A round is running or will start without anything else happening.
  [[nodiscard]] bool is_busy() const { return running_ || (wanted_ && !lock_wait_); }
  /// No round is running, wanted or expected.
  [[nodiscard]] bool is_settled() const {
    return !running_ && !wanted_ && !lock_wait_ && !quiet_at_;
  }
  [[nodiscard]] bool first_round_done() const { return rounds_done_ > 0; }
  [[nodiscard]] std::uint64_t rounds_done() const { return rounds_done_; }
  /// Rounds that were retries.
  [[nodiscard]] std::uint64_t retries() const { return retries_; }

 private:
  struct LockWait {
    std::string owner;
    std::optional<Time> at;  ///< when to check it again; empty: a check is running
  };

  std::optional<Cause> wanted_;
  bool running_ = false, ending_ = false;
  bool lost_ = false;  ///< uevents, since the last round started
  model::BlockSet removed_;
  std::optional<Time> burst_began_, quiet_at_;
  std::optional<LockWait> lock_wait_;  ///< another run changes memory, and `wanted_` waits
  Troubles troubles_;
  std::uint64_t rounds_done_ = 0, retries_ = 0;
};

}  // namespace memonline::service
