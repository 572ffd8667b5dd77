// SPDX-License-Identifier: LGPL-2.1-or-later
// The jobs of clients: queued, running, waiting for confirmation, and done. One runs at a time, and
// none while another waits for confirmation. It knows no clock and runs nothing: callers pass the
// time, run the work, and report its result.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "runtime/service/fair_queue.hpp"
#include "runtime/service/listener.hpp"
#include "runtime/service/reconciler.hpp"
#include "runtime/service/request.hpp"

namespace memonline::service {

/// The time on both clocks: a confirmation's time also passes while the machine is suspended.
struct Now {
  std::chrono::steady_clock::time_point steady;
  runtime::BootClock::time_point boot;
  static Now read() { return {std::chrono::steady_clock::now(), runtime::BootClock::now()}; }
};

class JobQueue {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Work = std::function<Round()>;

  static constexpr std::size_t kMaxJobs = 16;       ///< pending or running; as many more of root
  static constexpr std::size_t kMaxJobsOfUser = 8;  ///< of one ordinary user
  static constexpr std::size_t kKeptJobs = 16;      ///< that are done
  static constexpr std::chrono::minutes kKeptFor{10};
  /// How often a confirmation by another process is looked for.
  static constexpr std::chrono::milliseconds kLookForConfirmation{500};

  /// The pause before the next attempt doubles, from this one up to the longest.
  static constexpr std::chrono::seconds kFirstPause{15}, kLongestPause{600};

  explicit JobQueue(Listener& listener) : listener_(listener) {}

  [[nodiscard]] const std::list<Job>& jobs() const { return jobs_; }
  /// The user who started this job; empty: it is done or does not exist.
  [[nodiscard]] std::optional<std::uint32_t> owner_of(std::uint64_t id) const;
  /// A job is neither done nor waiting for its next attempt.
  [[nodiscard]] bool is_open() const;

  /// Why this user may not add a job now; empty: it may.
  [[nodiscard]] std::optional<Refused> limit_reached(std::uint32_t uid) const;
  /// Adds a job that `start` will return; its number. `steps`: of its plan, if known.
  std::uint64_t add(Job::Kind kind, const Requester& who, std::uint64_t steps, Work work);
  /// Retries the job until `now + time`, as long as it fails only because blocks to be unplugged
  /// are in use. Between attempts the job waits, and other jobs can run.
  void let_retry(std::uint64_t id, const Requester& who, Work work, std::chrono::milliseconds time,
                 Time now);

  /// A job may start.
  [[nodiscard]] bool can_start() const;
  /// Starts the next job: its number and work.
  std::pair<std::uint64_t, Work> start();
  /// The running job, or the one being reverted; 0: none.
  [[nodiscard]] std::uint64_t current() const { return current_; }
  /// The current job's work is over.
  void stopped() { current_ = 0; }
  /// The job is done, with this result, or waits for its next attempt.
  void end(std::uint64_t id, const Round& round, Time now);

  /// What has to follow when a job was cancelled.
  enum class Cancelled : std::uint8_t {
    Ended,    ///< nothing: it had not started
    Stops,    ///< its work must be stopped
    Reverts,  ///< it was waiting for confirmation, and must be reverted
  };
  Result<Cancelled, Refused> cancel(std::uint64_t id, Time now);

  /// The job's work is over, and its changes stay only if they are confirmed in time.
  void await_confirmation(std::uint64_t id, Round round, Now now);
  /// A job waits for confirmation, or must be or is being reverted.
  [[nodiscard]] bool is_unconfirmed() const { return unconfirmed_.has_value(); }
  /// The job that can still be confirmed; empty: none.
  [[nodiscard]] std::optional<std::uint64_t> confirming() const;
  /// Confirms that job; with `job`, only if it is that one. It is done then.
  Result<std::uint64_t, Refused> confirm(std::optional<std::uint64_t> job, Time now);
  /// The job will be reverted `time` from now unless it is confirmed.
  Result<std::uint64_t, Refused> adjust_timeout(std::uint64_t id, std::chrono::milliseconds time,
                                                Now now);
  /// Confirms the job if another process has done so; notes if its time is over. The reason, if it
  /// cannot be confirmed.
  std::optional<std::string> look_for_confirmation(Now now);
  /// The unconfirmed job must be reverted.
  [[nodiscard]] bool must_revert() const { return unconfirmed_ && unconfirmed_->over; }
  /// Reverting starts; the limits for it.
  apply::Limits start_reverting();
  /// Reverting is over; the job's number and result.
  std::pair<std::uint64_t, Round> reverted(const Round& undone);
  /// The limits of the unconfirmed job, for reverting it at the service's end; it is forgotten.
  std::optional<apply::Limits> abandon();
  /// The blocks that an unconfirmed job changed: rounds leave them unchanged until it is decided.
  [[nodiscard]] const model::BlockSet& unconfirmed_blocks() const;

  /// Queues the jobs whose next attempt is due.
  void resume(Time now);
  void show_progress(const PendingWrites::Progress& progress);
  void drop_old(Time now);
  /// When to call `look_for_confirmation`, `resume` or `drop_old`; empty: not until something else
  /// happens.
  [[nodiscard]] std::optional<Time> due() const;

 private:
  /// A job that is done except for its confirmation.
  struct Unconfirmed {
    std::uint64_t job = 0;
    Round::ToConfirm run;
    Round round;  ///< its result
    model::BlockSet blocks;
    bool over = false;  ///< not confirmed in time, or cancelled
    runtime::BootClock::time_point until;
    Time look_at;  ///< at the latest at `until`
  };
  using Waiting = std::pair<std::uint64_t, Work>;
  struct Retry {
    Requester who;
    Work work;
    Time until;                   ///< the last attempt is at this time
    std::optional<Time> at = {};  ///< the next attempt; empty: it is queued or runs
    std::chrono::seconds pause = kFirstPause;
  };

  Job* find(std::uint64_t id);
  /// False: another attempt would not help, or the time is over.
  bool postpone(Job& job, const Round& round, Time now);

  Listener& listener_;
  std::list<Job> jobs_;
  std::map<std::uint64_t, Time> done_at_;
  FairQueue<Waiting> waiting_;
  std::map<std::uint64_t, Retry> retries_;
  std::uint64_t current_ = 0, next_id_ = 1;
  std::optional<Unconfirmed> unconfirmed_;
};

}  // namespace memonline::service
