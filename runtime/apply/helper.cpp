// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/apply/helper.hpp"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/apply/this_thread.hpp"

namespace memonline::apply {

namespace {

constexpr std::chrono::nanoseconds kTick = std::chrono::milliseconds(100);
// A signal ends migration at its next page; a write that takes longer waits for the hotplug lock.
constexpr std::int64_t kGrace = 5'000'000'000;

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
      .count();
}

std::int64_t nanoseconds(std::chrono::milliseconds time) {
  return std::chrono::nanoseconds(time).count();
}

void no_operation(int) {}

/// Blocks SIGINT and SIGTERM, except for a wait with the mask of before.
class Blocked {
 public:
  Blocked() {
    sigset_t stops;
    sigemptyset(&stops);
    for (const int one : {SIGINT, SIGTERM}) sigaddset(&stops, one);
    ::pthread_sigmask(SIG_BLOCK, &stops, &before_);
  }
  ~Blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  Blocked(const Blocked&) = delete;
  Blocked& operator=(const Blocked&) = delete;
  [[nodiscard]] const sigset_t& before() const { return before_; }

 private:
  sigset_t before_{};
};

// Prepares the helper: it ends with its parent, receives only the signal that interrupts offlining,
// and stays in memory.
void settle_in(pid_t parent, SharedProgress& shared) {
  struct sigaction action {};
  action.sa_handler = no_operation;  // no SA_RESTART: the write has to come back
  ::sigaction(SIGUSR1, &action, nullptr);
  action.sa_handler = SIG_IGN;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP})
    ::sigaction(signal, &action, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  // Pages that it has touched and will touch, not libraries that it never calls. If the limit is
  // too low for that, only the shared progress is locked.
  if (::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0) shared.lock_in_memory();
}

}  // namespace

Result<std::unique_ptr<Helper>, int> Helper::start(const Program& program, SharedProgress& shared,
                                                   MemoryPort& port, const Limits& limits) {
  std::array<int, 2> go{};
  std::array<int, 2> alive{};
  if (::pipe2(go.data(), O_CLOEXEC) != 0) return fail(static_cast<int>(errno));
  if (::pipe2(alive.data(), O_CLOEXEC) != 0) {
    const int error = errno;
    ::close(go[0]);
    ::close(go[1]);
    return fail(error);
  }
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(go[1]);
    ::close(alive[0]);
    settle_in(parent, shared);
    char begin = 0;
    while (::read(go[0], &begin, 1) < 0 && errno == EINTR) continue;
    // It keeps its own deadlines: the watching parent may be stopped, or wait for a terminal.
    if (begin != 0) (void)run_in_this_thread(program, shared, port, limits, {});
    ::_exit(0);
  }
  const int error = errno;
  ::close(go[0]);
  ::close(alive[1]);
  if (child < 0) {
    ::close(go[1]);
    ::close(alive[0]);
    return fail(error);
  }
  return std::unique_ptr<Helper>(new Helper(child, go[1], alive[0], program, shared, limits));
}

Helper::~Helper() {
  ::close(go_);
  ::close(alive_);
  if (child_ <= 0) return;
  ::kill(child_, SIGKILL);
  wait_for_child();
}

void Helper::wait_for_child() {
  int status = 0;
  while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) continue;
  died_ = WIFSIGNALED(status);
  child_ = -1;
}

Ended Helper::run(const Watch& watch) {
  // A stop signal arrives during the wait, or is seen before it: never in between.
  const Blocked signals;
  keep_deadlines(watch);
  const char begin = 1;
  (void)!::write(go_, &begin, 1);
  pollfd end{alive_, 0, 0};
  const timespec tick{0, kTick.count()};
  while (::ppoll(&end, 1, &tick, &signals.before()) <= 0) {
    keep_deadlines(watch);
    if (watch.progress) watch.progress(program_, progress_);
  }
  wait_for_child();
  if (lock_held_) return Ended::LockHeld;
  if (died_) return Ended::Died;
  const bool asked = watch.stops != nullptr && *watch.stops > 0;
  return asked ? Ended::Interrupted : Ended::Finished;
}

void Helper::keep_deadlines(const Watch& watch) {
  SharedProgress::Head& head = progress_.head();
  const int stops = watch.stops == nullptr ? 0 : *watch.stops;
  if (stops > 0) {
    if (head.stop_reason.load() == 0)
      head.stop_reason.store(static_cast<std::uint8_t>(StopReason::Asked));
    head.stop.store(true);
  }
  const std::uint64_t write = head.writes.load();
  const std::int64_t began = head.write_began.load();
  if (began == 0 || write != head.writes.load()) return;
  const std::int64_t now = now_ns();
  const bool late = now - began > head.deadline.load() || stops > 1;
  if (head.offlining.load() && late) {
    if (signalled_write_ != write) {
      signalled_write_ = write;
      signalled_at_ = now;
    }
    // Again and again: one that comes just before the write begins is lost.
    ::kill(child_, SIGUSR1);
    if (now - signalled_at_ < kGrace) return;
  } else if (now - began <= nanoseconds(limits_.lock_patience)) {
    return;
  }
  lock_held_ = true;
  ::kill(child_, SIGKILL);
}

}  // namespace memonline::apply
