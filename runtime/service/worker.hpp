// SPDX-License-Identifier: LGPL-2.1-or-later
// One thread with a queue: for what may block for seconds (a write of `state`, reading a host of a
// million files), so that the loop of the service never does. What comes of a job is handed back
// to the loop through a descriptor that it polls.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace memonline::service {

class Worker {
 public:
  /// Runs in the loop's thread once the job is done.
  using Done = std::function<void()>;
  /// Runs in the worker's thread.
  using Job = std::function<Done()>;
  /// Runs in place of `Done` where the job threw (memory was short, say), with what was thrown.
  using Failed = std::function<void(const std::string& what)>;

  Worker();
  /// Waits for the job under way; those that wait are dropped.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void post(Failed failed, Job job);
  /// Readable while results wait.
  [[nodiscard]] int fd() const { return event_; }
  /// Runs what the finished jobs came to, in their order.
  void dispatch();

 private:
  struct Posted {
    Failed failed;
    Job job;
  };
  void run();
  static Done done_of(const Posted& posted);

  int event_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Posted> jobs_;
  std::deque<Done> done_;
  bool end_ = false;
  std::thread thread_;
};

}  // namespace memonline::service
