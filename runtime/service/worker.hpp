// SPDX-License-Identifier: LGPL-2.1-or-later
// One thread with a queue for work that may block for seconds (writing `state`, reading a host of a
// million files), so that the loop of the service never blocks. The queue is fair to users. The
// loop polls a descriptor for the results.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "runtime/service/fair_queue.hpp"

namespace memonline::service {

class Worker {
 public:
  /// Runs in the loop's thread once the job is done.
  using Done = std::function<void()>;
  /// Polled by a job between its steps: true once its result is not needed any more.
  using Cancelled = std::function<bool()>;
  /// Runs in the worker's thread.
  using Job = std::function<Done(const Cancelled& cancelled)>;
  /// Runs instead of `Done` if the job threw (for example out of memory), with the exception's
  /// text.
  using Failed = std::function<void(const std::string& what)>;

  /// How long a job of an ordinary user may run before `cancelled` becomes true.
  static constexpr std::chrono::seconds kMaxTime{30};

  Worker();
  /// Waits for the current job; pending jobs are dropped.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void post(const Requester& requester, Failed failed, Job job);
  /// Drops the pending jobs of this connection, and cancels its current job.
  void drop(const std::string& connection);
  /// Readable while results are pending.
  [[nodiscard]] int fd() const { return event_; }
  /// Runs the results of finished jobs, in order.
  void dispatch();

  /// No job is pending or running, and no result is pending.
  [[nodiscard]] bool is_idle() const;

  /// Drops pending jobs and cancels the current one; a signal interrupts its blocking system call.
  void cancel_all();
  /// Waits until the thread has ended; false if the job is still running after `patience`.
  bool ended_within(std::chrono::milliseconds patience);

 private:
  struct Posted {
    Failed failed;
    Job job;
  };
  void run();
  Done done_of(const Posted& posted, std::optional<std::chrono::steady_clock::time_point> until);

  int event_;
  mutable std::mutex mutex_;
  std::condition_variable wake_, over_;
  FairQueue<Posted> waiting_;
  std::string connection_;  ///< of the current job
  std::atomic<bool> cancelled_{false};
  std::deque<Done> done_;
  bool works_ = false, end_ = false, ended_ = false;
  std::thread thread_;
};

}  // namespace memonline::service
