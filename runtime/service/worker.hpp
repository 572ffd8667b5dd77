// SPDX-License-Identifier: LGPL-2.1-or-later
// One thread with a queue: for what may block for seconds (a write of `state`, reading a host of a
// million files), so that the loop of the service never does. The queue is fair to users. What
// comes of a job is handed back to the loop through a descriptor that it polls.
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
  /// Polled by a job between its steps: its result is not wanted any more.
  using Cancelled = std::function<bool()>;
  /// Runs in the worker's thread.
  using Job = std::function<Done(const Cancelled& cancelled)>;
  /// Runs in place of `Done` where the job threw (memory was short, say), with what was thrown.
  using Failed = std::function<void(const std::string& what)>;

  /// How long a job of an ordinary user may run before `cancelled` says so.
  static constexpr std::chrono::seconds kLongest{30};

  Worker();
  /// Waits for the job under way; those that wait are dropped.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void post(const Requester& requester, Failed failed, Job job);
  /// Drops what waits for this connection, and cancels what runs for it.
  void drop(const std::string& connection);
  /// Readable while results wait.
  [[nodiscard]] int fd() const { return event_; }
  /// Runs what the finished jobs came to, in their order.
  void dispatch();

  /// No job waits or runs, and no result waits to be dispatched.
  [[nodiscard]] bool is_idle();

  /// Drops what waits and cancels the job under way, whose blocking system call a signal ends.
  void cancel_all();
  /// Waits until the thread has ended; false where the job is still running then.
  bool ended_within(std::chrono::milliseconds patience);

 private:
  struct Posted {
    Failed failed;
    Job job;
  };
  void run();
  Done done_of(const Posted& posted, std::optional<std::chrono::steady_clock::time_point> until);

  int event_;
  std::mutex mutex_;
  std::condition_variable wake_, over_;
  FairQueue<Posted> waiting_;
  std::string connection_;  ///< that the job under way is for
  std::atomic<bool> cancelled_{false};
  std::deque<Done> done_;
  bool works_ = false, end_ = false, ended_ = false;
  std::thread thread_;
};

}  // namespace memonline::service
