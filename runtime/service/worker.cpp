// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/worker.hpp"

#include <csignal>
#include <exception>
#include <new>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace memonline::service {

Worker::Worker() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), thread_([this] { run(); }) {}

Worker::~Worker() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
    jobs_.clear();
  }
  wake_.notify_one();
  thread_.join();
  ::close(event_);
}

void Worker::post(Failed failed, Job job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({std::move(failed), std::move(job)});
  }
  wake_.notify_one();
}

void Worker::dispatch() {
  std::uint64_t count = 0;
  (void)!::read(event_, &count, sizeof count);
  std::deque<Done> done;
  {
    const std::lock_guard lock(mutex_);
    done.swap(done_);
  }
  for (const Done& one : done)
    if (one) one();
}

// What one job met with must not end the process, which has others to do.
Worker::Done Worker::done_of(const Posted& posted) {
  try {
    return posted.job();
  } catch (const std::bad_alloc&) {
    return [failed = posted.failed] { failed("there was not enough memory for it"); };
  } catch (const std::exception& error) {
    return [failed = posted.failed, what = std::string(error.what())] { failed(what); };
  }
}

void Worker::run() {
  // Signals are the loop's; SIGUSR1 alone ends an offline of this thread (apply/this_thread.hpp).
  sigset_t all;
  sigfillset(&all);
  sigdelset(&all, SIGUSR1);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return end_ || !jobs_.empty(); });
    if (end_) return;
    const Posted posted = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    Done done = done_of(posted);
    lock.lock();
    done_.push_back(std::move(done));
    const std::uint64_t one = 1;
    (void)!::write(event_, &one, sizeof one);
  }
}

}  // namespace memonline::service
