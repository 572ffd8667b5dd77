// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/worker.hpp"

#include <csignal>
#include <exception>
#include <new>
#include <utility>

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace memonline::service {

using std::chrono::steady_clock;

namespace {

void no_operation(int) {}

/// The signal that interrupts a blocking call must have a handler before it is sent.
int event_with_handler() {
  struct sigaction action {};
  action.sa_handler = no_operation;  // no SA_RESTART: the call has to return
  ::sigaction(SIGUSR1, &action, nullptr);
  return ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

}  // namespace

Worker::Worker() : event_(event_with_handler()), thread_([this] { run(); }) {}

Worker::~Worker() {
  cancel_all();
  thread_.join();
  ::close(event_);
}

void Worker::post(const Requester& requester, Failed failed, Job job) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push(requester, {std::move(failed), std::move(job)});
  }
  wake_.notify_one();
}

void Worker::drop(const std::string& connection) {
  if (connection.empty()) return;
  std::deque<Posted> dropped;  // destroyed without the lock: an answer may be among what they hold
  const std::lock_guard lock(mutex_);
  dropped = waiting_.remove_if(
      [&](const std::string& whose, const Posted&) { return whose == connection; });
  if (connection_ == connection) cancelled_.store(true);
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

bool Worker::is_idle() const {
  const std::lock_guard lock(mutex_);
  return waiting_.empty() && !works_ && done_.empty();
}

void Worker::cancel_all() {
  std::deque<Posted> dropped;
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
    cancelled_.store(true);
    dropped = waiting_.remove_if([](const std::string&, const Posted&) { return true; });
  }
  wake_.notify_one();
}

bool Worker::ended_within(std::chrono::milliseconds patience) {
  // A signal just before the call starts is lost: it is sent repeatedly.
  constexpr std::chrono::milliseconds kAgain{50};
  const auto until = steady_clock::now() + patience;
  std::unique_lock lock(mutex_);
  while (!ended_ && steady_clock::now() < until) {
    ::pthread_kill(thread_.native_handle(), SIGUSR1);
    over_.wait_for(lock, kAgain, [this] { return ended_; });
  }
  return ended_;
}

// An exception of one job must not end the process.
Worker::Done Worker::done_of(const Posted& posted, std::optional<steady_clock::time_point> until) {
  const Cancelled cancelled = [this, until] {
    return cancelled_.load() || (until && steady_clock::now() > *until);
  };
  try {
    return posted.job(cancelled);
  } catch (const std::bad_alloc&) {
    return [failed = posted.failed] { failed("not enough memory for this operation"); };
  } catch (const std::exception& error) {
    return [failed = posted.failed, what = std::string(error.what())] { failed(what); };
  }
}

void Worker::run() {
  // The loop receives all signals except SIGUSR1, which interrupts offlining in this thread
  // (apply/this_thread.hpp).
  sigset_t all;
  sigfillset(&all);
  sigdelset(&all, SIGUSR1);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return end_ || !waiting_.empty(); });
    if (end_) break;
    auto [requester, posted] = std::move(*waiting_.pop());
    connection_ = requester.connection;
    cancelled_.store(false);
    works_ = true;
    lock.unlock();
    const bool bounded = requester.uid != 0;
    Done done =
        done_of(posted, bounded ? std::optional(steady_clock::now() + kMaxTime) : std::nullopt);
    lock.lock();
    connection_.clear();
    works_ = false;
    done_.push_back(std::move(done));
    const std::uint64_t one = 1;
    (void)!::write(event_, &one, sizeof one);
  }
  ended_ = true;
  over_.notify_all();
}

}  // namespace memonline::service
