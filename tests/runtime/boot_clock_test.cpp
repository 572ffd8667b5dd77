// SPDX-License-Identifier: LGPL-2.1-or-later
// Time to confirm a run goes on while the machine is suspended: CLOCK_BOOTTIME leaps here, and
// CLOCK_MONOTONIC does not.
#include "runtime/base/boot_clock.hpp"

#include <array>
#include <thread>

#include <time.h>
#include <unistd.h>

#include "runtime/cli/confirm.hpp"
#include "tests/runtime/service_asks.hpp"

// The linker has calls of clock_gettime() come here (--wrap).
extern "C" {
int __real_clock_gettime(clockid_t clock, timespec* time);  // NOLINT: the linker's names
int __wrap_clock_gettime(clockid_t clock, timespec* time);  // NOLINT
}

namespace {

std::atomic<long> suspended{0};  // NOLINT: seconds

/// Undone at the end of a test.
struct Suspended {
  explicit Suspended(long seconds) { suspended = seconds; }
  ~Suspended() { suspended = 0; }
  Suspended(const Suspended&) = delete;
  Suspended& operator=(const Suspended&) = delete;
};

}  // namespace

int __wrap_clock_gettime(clockid_t clock, timespec* time) {  // NOLINT
  const int result = __real_clock_gettime(clock, time);
  if (clock == CLOCK_BOOTTIME) time->tv_sec += suspended;
  return result;
}

namespace memonline {

using service::Job;
using test::job;
using test::RunningService;
using test::zones;

TEST_CASE("boot clock: the service takes back what was to be confirmed before a suspend ended") {
  RunningService running(test::small_host(), "boot: keep\n");
  REQUIRE(running.until(service::State::InSync));
  service::PlanRequest request;
  request.policy = "set rezone = allowed\nblock32-39: normal\n";
  service::ApplyRequest confirm;
  confirm.confirm = std::chrono::hours(1);
  const auto id = test::ask_apply(running, test::ask_plan(running, request).digest, confirm);
  REQUIRE(id);
  REQUIRE(running.until([&] { return job(running, *id)->stage == Job::Stage::Confirming; }));
  const Suspended slept(7200);
  REQUIRE(test::until_done(running, *id));
  CHECK(job(running, *id)->result == Job::Result::Undone);
  CHECK(zones(running, 32, 8) == "........");
}

TEST_CASE("boot clock: the command does, too") {
  const test::TemporaryDirectory root;
  root.write("proc/sys/kernel/random/boot_id", "this boot\n");
  const auto directory = apply::RunDirectory::look(root.path());
  volatile std::sig_atomic_t stops = 0;
  std::thread sleeps([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    suspended = 7200;
  });
  const auto word = cli::wait_for_confirmation(directory, "1.x", std::chrono::hours(1), &stops);
  sleeps.join();
  suspended = 0;
  CHECK(word == cli::Confirmation::Missing);
}

}  // namespace memonline
