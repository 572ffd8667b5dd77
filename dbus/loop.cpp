// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/loop.hpp"

#include <algorithm>
#include <csignal>
#include <ctime>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>

namespace memonline::bus {

namespace {

using service::Service;

struct EventUnref {
  void operator()(sd_event* event) const { sd_event_unref(event); }
};

void must(int result, const char* what) {
  if (result < 0) throw std::system_error(-result, std::generic_category(), what);
}

struct Loop {
  sd_event* event;
  Service& service;
  const Log& log;
};

Loop& of(void* self) { return *static_cast<Loop*>(self); }

/// `systemctl reload` returns when systemd has received READY=1 (sd_notify(3)).
void reload(const Loop& loop) {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  sd_notify(0, fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                           static_cast<std::uint64_t>(now.tv_sec) * 1000000 +
                               static_cast<std::uint64_t>(now.tv_nsec) / 1000)
                   .c_str());
  loop.service.reload([&loop](const Result<std::string, service::Refused>& diagnostics) {
    if (!diagnostics) loop.log.say(3, diagnostics.error().message);
    loop.log.say(5, "the policies were re-read");
    sd_notify(0, "READY=1");
  });
}

int on_signal(sd_event_source*, const signalfd_siginfo* info, void* self) {
  Loop& loop = of(self);
  if (info->ssi_signo == SIGHUP) {
    reload(loop);
    return 0;
  }
  return sd_event_exit(loop.event, 0);
}

int on_events(sd_event_source*, int, std::uint32_t, void* self) {
  of(self).service.take_events();
  return 0;
}

int on_results(sd_event_source*, int, std::uint32_t, void* self) {
  of(self).service.take_results();
  return 0;
}

int on_time(sd_event_source*, std::uint64_t, void* self) {
  of(self).service.tick();
  return 0;
}

using Time = std::chrono::steady_clock::time_point;

/// Whether the service may exit because it has nothing to do, and when.
class Idle {
 public:
  Idle(sdbus::IConnection& connection, Service& service, const BusListener& front, const Log& log,
       std::chrono::seconds after)
      : connection_(connection),
        service_(service),
        bus_listener_(front),
        log_(log),
        after_(after) {}

  /// True if the process should exit, or start to, once its sockets are empty.
  bool wants_to_end() {
    if (after_ == kNever) return false;
    if (ends_) return !bus_listener_.has_requests() && !service_.is_busy();
    if (!service_.is_idle() || bus_listener_.has_requests() || bus_listener_.has_callers()) {
      since_ = Time::max();
      return false;
    }
    const Time now = std::chrono::steady_clock::now();
    since_ = std::max(std::min(since_, now), bus_listener_.last_call());
    return now >= since_ + after_;
  }
  /// What arrives until the name is released is in one of the sockets, or was read from it during
  /// the release, and is handled before the exit. For what arrives later, the bus or udev makes
  /// systemd start the service again after this one has exited.
  void begin_to_end() {
    if (!service_.rest()) {
      after_ = kNever;
      since_ = Time::max();
      return;
    }
    // An event that was read from its socket meanwhile.
    if (!service_.is_idle()) return;
    log_.say(6, fmt::format("the kernel onlines new memory as the policy requires: exiting after "
                            "{} s without a client; a request or a memory change starts it again",
                            after_.count()));
    sd_notify(0, "STOPPING=1");
    sd_notify_barrier(0, kPatience);
    give_up_name(connection_);
    ends_ = true;
  }
  /// Whether it has started to exit. systemd then waits for the exit, which cannot be undone.
  [[nodiscard]] bool ends() const { return ends_; }
  /// When to check again, if nothing happens before.
  [[nodiscard]] std::optional<Time> due() const {
    if (ends_ || since_ == Time::max()) return std::nullopt;
    return since_ + after_;
  }

 private:
  static constexpr std::chrono::seconds kNever{0};
  static constexpr std::uint64_t kPatience = 5'000'000;  ///< microseconds
  sdbus::IConnection& connection_;
  Service& service_;
  const BusListener& bus_listener_;
  const Log& log_;
  std::chrono::seconds after_;
  Time since_ = Time::max();
  bool ends_ = false;
};

void arm(sd_event_source* timer, const Service& service, std::optional<Time> other) {
  auto due = service.due();
  if (other && (!due || *other < *due)) due = other;
  if (due) {
    // steady_clock is CLOCK_MONOTONIC.
    const auto at =
        std::chrono::duration_cast<std::chrono::microseconds>(due->time_since_epoch()).count() + 1;
    sd_event_source_set_time(timer, static_cast<std::uint64_t>(at));
  }
  sd_event_source_set_enabled(timer, due ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

}  // namespace

void block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int one : {SIGHUP, SIGTERM, SIGINT}) sigaddset(&signals, one);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

void give_up_name(sdbus::IConnection& connection) {
  try {
    release_name(connection, kBusName);
  } catch (const sdbus::Error&) {  // The bus is gone, or has released the name already.
  }
}

LoopEnd run_loop(sdbus::IConnection& connection, Service& service, const BusListener& front,
                 const Log& log, std::optional<std::chrono::seconds> exit_idle_time) {
  sd_event* made = nullptr;
  must(sd_event_new(&made), "sd_event_new");
  const std::unique_ptr<sd_event, EventUnref> event(made);
  Loop loop{made, service, log};
  must(sd_event_add_io(made, nullptr, service.events_fd(), EPOLLIN, on_events, &loop), "events");
  must(sd_event_add_io(made, nullptr, service.writer_fd(), EPOLLIN, on_results, &loop), "writer");
  must(sd_event_add_io(made, nullptr, service.reader_fd(), EPOLLIN, on_results, &loop), "reader");
  must(sd_event_add_io(made, nullptr, service.root_reader_fd(), EPOLLIN, on_results, &loop),
       "root's reader");
  for (const int one : {SIGHUP, SIGTERM, SIGINT})
    must(sd_event_add_signal(made, nullptr, one, on_signal, &loop), "signals");
  sd_event_source* timer = nullptr;
  must(sd_event_add_time(made, &timer, CLOCK_MONOTONIC, 0, 1000, on_time, &loop), "timer");
  const std::unique_ptr<sd_event_source, decltype(&sd_event_source_unref)> owned(
      timer, sd_event_source_unref);
  sd_event_set_watchdog(made, 1);
  const Pump pump(connection, made);
  notify_status(*service.view());
  Idle idle(connection, service, front, log, exit_idle_time.value_or(std::chrono::seconds(0)));
  LoopEnd end;
  for (bool ready = false; sd_event_get_state(made) != SD_EVENT_FINISHED;) {
    // Units that are ordered after the service find memory as the policy requires.
    if (!ready && service.first_round_done()) ready = sd_notify(0, "READY=1") >= 0;
    const bool wants = ready && idle.wants_to_end();
    arm(timer, service, wants ? std::nullopt : idle.due());
    const int handled = sd_event_run(made, wants ? 0 : UINT64_MAX);
    must(handled, "sd_event_run");
    if (!wants || handled > 0 || !idle.wants_to_end()) continue;
    // Nothing is left to handle.
    if (!idle.ends()) {
      idle.begin_to_end();
      continue;
    }
    // A call or an event that arrived late may have left something to do.
    end.rests = service.rest() && service.is_settled();
    if (!end.rests) end.status = kStartAgain;
    break;
  }
  if (end.rests || end.status != 0) {
    sd_notify(0, "STOPPING=1");
    return end;
  }
  sd_event_get_exit_code(made, &end.status);
  sd_notify(0, "STOPPING=1");
  return end;
}

}  // namespace memonline::bus
