// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/apply/this_thread.hpp"

#include <ctime>
#include <optional>

#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/apply/runner.hpp"

namespace memonline::apply {

namespace {

void no_operation(int) {}

/// A timer that sends this thread SIGUSR1, again and again: one that comes just before the write
/// begins is lost.
class Deadline {
 public:
  Deadline() {
    struct sigaction action {};
    action.sa_handler = no_operation;  // no SA_RESTART: the write has to come back
    ::sigaction(SIGUSR1, &action, nullptr);
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGUSR1;
    event._sigev_un._tid = static_cast<pid_t>(::syscall(SYS_gettid));
    made_ = ::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
  }
  ~Deadline() {
    if (made_) ::timer_delete(timer_);
  }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  /// Nanoseconds; 0 disarms it.
  void set(std::int64_t time) noexcept {
    if (!made_) return;
    constexpr long kSecond = 1'000'000'000;
    constexpr long kAgain = 100'000'000;
    itimerspec spec{};
    spec.it_value.tv_sec = static_cast<time_t>(time / kSecond);
    spec.it_value.tv_nsec = static_cast<long>(time % kSecond);
    spec.it_interval.tv_nsec = kAgain;
    ::timer_settime(timer_, 0, &spec, nullptr);
  }

 private:
  timer_t timer_{};
  bool made_ = false;
};

/// The same port, with the deadline around each offline.
class WithDeadline final : public MemoryPort {
 public:
  WithDeadline(MemoryPort& port, const SharedProgress& shared) : port_(port), shared_(shared) {}
  int write_state(BlockId block, std::string_view word) noexcept override {
    if (word != "offline") return port_.write_state(block, word);
    deadline_.set(shared_.head().deadline.load());
    const int error = port_.write_state(block, word);
    deadline_.set(0);
    return error;
  }
  BlockView look(BlockId block) noexcept override { return port_.look(block); }
  int write_knob(model::Knob knob, std::string_view value) noexcept override {
    return port_.write_knob(knob, value);
  }
  KnobView read_knob(model::Knob knob) noexcept override { return port_.read_knob(knob); }
  int wait_for_adds(BlockId online_block) noexcept override {
    return port_.wait_for_adds(online_block);
  }
  int probe(std::uint64_t address) noexcept override { return port_.probe(address); }
  int write_standby(BlockId block, StandbyFile file, bool value) noexcept override {
    return port_.write_standby(block, file, value);
  }
  StandbyView look_at_standby(BlockId block) noexcept override {
    return port_.look_at_standby(block);
  }
  int bind_dax(std::string_view device) noexcept override { return port_.bind_dax(device); }
  int unbind_dax(std::string_view device) noexcept override { return port_.unbind_dax(device); }
  int eject_dimm(std::uint32_t number) noexcept override { return port_.eject_dimm(number); }
  int reclaim(plan::Reclaim what) noexcept override { return port_.reclaim(what); }
  std::optional<std::uint64_t> free_memory(unsigned order) noexcept override {
    return port_.free_memory(order);
  }
  [[nodiscard]] Clock::time_point now() noexcept override { return port_.now(); }
  void pause(std::chrono::milliseconds time) noexcept override { port_.pause(time); }

 private:
  MemoryPort& port_;
  const SharedProgress& shared_;
  Deadline deadline_;
};

}  // namespace

Ended run_in_this_thread(const Program& program, SharedProgress& shared, MemoryPort& port,
                         const Limits& limits, const Watch& watch) {
  WithDeadline guarded(port, shared);
  if (watch.progress) watch.progress(program, shared);
  Runner(program, shared, guarded, limits).run();
  return shared.head().stop.load() ? Ended::Interrupted : Ended::Finished;
}

}  // namespace memonline::apply
