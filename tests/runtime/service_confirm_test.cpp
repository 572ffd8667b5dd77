// SPDX-License-Identifier: LGPL-2.1-or-later
// Jobs that stay only if somebody says so: what the service does while it waits, and what becomes
// of them.
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>

#include "tests/runtime/service_asks.hpp"

namespace memonline {

using model::BlockId;
using service::Job;
using service::Refused;
using service::State;
using test::ask_apply;
using test::ask_plan;
using test::job;
using test::RunningService;
using test::small_host;
using test::until_done;
using test::zones;

namespace {

// What comes is Movable, what is there stays as it is but for jobs.
constexpr auto kNewIsMovable = "block32-39: keep\nhotplugged: movable\n";

/// Has memory32..39 brought online as Normal, to be confirmed within `time`.
std::uint64_t apply_normal(RunningService& running, std::chrono::milliseconds time) {
  REQUIRE(running.until(State::InSync));
  service::PlanRequest request;
  request.policy = "set rezone = allowed\nblock32-39: normal\n";
  service::ApplyRequest confirm;
  confirm.confirm = time;
  const auto id = ask_apply(running, ask_plan(running, request).digest, confirm);
  REQUIRE(id);
  return *id;
}

bool until_confirming(RunningService& running, std::uint64_t id) {
  return running.until([&] { return job(running, id)->stage == Job::Stage::Confirming; });
}

/// Whether another process, a `memonline apply` say, may begin; else who is in its way.
std::string held_for_others(const RunningService& running) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto directory = apply::RunDirectory::open(running.directory.path());
    const auto locked = directory->lock(std::chrono::milliseconds(0), "another");
    const std::string owner = locked && *locked ? (*locked)->owner : "";
    (void)!::write(ends[1], owner.data(), owner.size());
    ::_exit(0);
  }
  ::close(ends[1]);
  ::waitpid(child, nullptr, 0);
  std::array<char, 256> text{};
  const ssize_t size = ::read(ends[0], text.data(), text.size());
  ::close(ends[0]);
  return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

}  // namespace

TEST_CASE("service: what nobody confirms in time is undone") {
  RunningService running(small_host(), "boot: keep\n");
  const auto id = apply_normal(running, std::chrono::milliseconds(50));
  REQUIRE(until_done(running, id));
  CHECK(job(running, id)->result == Job::Result::Undone);
  CHECK(job(running, id)->undone);
  CHECK(zones(running, 32, 8) == "........");
  CHECK_FALSE(running.service->confirm());
}

TEST_CASE("service: what is confirmed stays, and may still be undone") {
  RunningService running(small_host(), "boot: keep\n");
  const auto id = apply_normal(running, std::chrono::seconds(9));
  REQUIRE(until_confirming(running, id));
  SECTION("on the bus") { CHECK(running.service->confirm() == id); }
  SECTION("by a word of `memonline confirm`") {
    auto directory = apply::RunDirectory::open(running.directory.path());
    const auto journal = directory->read(apply::RunDirectory::Which::Unconfirmed);
    REQUIRE(journal->has_value());
    REQUIRE(directory->confirm((*journal)->run));
  }
  REQUIRE(until_done(running, id));
  CHECK(job(running, id)->result == Job::Result::Done);
  CHECK(zones(running, 32, 8) == "NNNNNNNN");
  std::optional<std::uint64_t> undo;
  running.service->undo(0, [&](const auto& got) { undo = *got; });
  REQUIRE(until_done(running, *undo));
  CHECK(zones(running, 32, 8) == "........");
}

TEST_CASE("service: a device that a job released is not bound again") {
  const model::Host host =
      test::with_waiting_dax(small_host(), 0, {{model::BlockId(64), model::BlockId(67)}});
  RunningService running(host, "dax system-ram: movable\nhotplugged: movable\n");
  REQUIRE(running.until(State::InSync));
  REQUIRE(zones(running, 64, 4) == "MMMM");
  std::optional<std::uint64_t> undo;
  running.service->undo(0, [&](const auto& got) { undo = *got; });
  REQUIRE(until_done(running, *undo));
  CHECK_FALSE(running.kernel->host().dax_devices[0].is_system_ram());
  const model::BlockId dimm = running.plug(2);
  REQUIRE(running.until([&] { return zones(running, dimm.value(), 2) == "MM"; }));
  CHECK_FALSE(running.kernel->host().dax_devices[0].is_system_ram());
}

TEST_CASE("service: the time to confirm in counts from when it is adjusted") {
  RunningService running(small_host(), "boot: keep\n");
  const auto id = apply_normal(running, std::chrono::milliseconds(300));
  REQUIRE(until_confirming(running, id));
  CHECK(running.service->queue().confirming() == id);
  const auto now = std::chrono::steady_clock::now();
  SECTION("more of it") {
    REQUIRE(running.service->adjust_timeout(id, std::chrono::hours(1)));
    CHECK(job(running, id)->undone_at > runtime::BootClock::now() + std::chrono::minutes(59));
    const auto later = now + std::chrono::milliseconds(600);
    (void)running.until([&] { return std::chrono::steady_clock::now() > later; });
    CHECK(job(running, id)->stage == Job::Stage::Confirming);
  }
  SECTION("less of it") {
    REQUIRE(running.service->adjust_timeout(id, std::chrono::hours(1)));
    REQUIRE(running.service->adjust_timeout(id, std::chrono::milliseconds(1)));
    REQUIRE(until_done(running, id));
    CHECK(job(running, id)->result == Job::Result::Undone);
    CHECK_FALSE(job(running, id)->undone_at);
    CHECK_FALSE(running.service->adjust_timeout(id, std::chrono::hours(1)));
  }
  SECTION("only of the job that waits, which alone is confirmed") {
    CHECK_FALSE(running.service->adjust_timeout(id + 1, std::chrono::hours(1)));
    CHECK_FALSE(running.service->confirm(id + 1));
    CHECK(running.service->confirm(id) == id);
    CHECK_FALSE(job(running, id)->undone_at);
  }
}

TEST_CASE("service: memory that comes while a word is waited for is settled, and not undone") {
  RunningService running(small_host(), kNewIsMovable);
  const auto id = apply_normal(running, std::chrono::seconds(60));
  REQUIRE(until_confirming(running, id));
  const BlockId first = running.plug(4);
  REQUIRE(running.until([&] { return zones(running, first.value(), 4) == "MMMM"; }));
  CHECK(job(running, id)->stage == Job::Stage::Confirming);
  CHECK(zones(running, 32, 8) == "NNNNNNNN");

  SECTION("when it is taken back") {
    REQUIRE(running.service->cancel(id));
    REQUIRE(until_done(running, id));
    CHECK(job(running, id)->result == Job::Result::Undone);
    CHECK(zones(running, 32, 8) == "........");
  }
  SECTION("when the service ends") {
    running.service->shut_down();
    CHECK(zones(running, 32, 8) == "........");
  }
  SECTION("but for a machine that goes down") {
    running.service->shut_down(service::Service::Ending::Machine);
    CHECK(zones(running, 32, 8) == "NNNNNNNN");
    // Whoever comes next in this boot still knows of it.
    CHECK(std::ifstream(running.directory.path() + "/run/memonline/unconfirmed").good());
  }
  SECTION("when it stays") {
    CHECK(running.service->confirm() == id);
    CHECK(zones(running, 32, 8) == "NNNNNNNN");
  }
  CHECK(zones(running, first.value(), 4) == "MMMM");
}

TEST_CASE("service: what waits for a word is not made what the policy says meanwhile") {
  RunningService running(small_host(), "set rezone = allowed\nhotplugged: movable\n");
  const auto id = apply_normal(running, std::chrono::seconds(60));
  REQUIRE(until_confirming(running, id));
  const BlockId first = running.plug(4);
  REQUIRE(running.until([&] { return zones(running, first.value(), 4) == "MMMM"; }));
  CHECK(zones(running, 32, 8) == "NNNNNNNN");
}

TEST_CASE("service: other jobs wait until it is decided, other processes are refused") {
  RunningService running(small_host(), "boot: keep\n");
  REQUIRE(running.until(State::InSync));
  CHECK(held_for_others(running).empty());
  const auto id = apply_normal(running, std::chrono::seconds(60));
  REQUIRE(until_confirming(running, id));
  const std::string waits =
      fmt::format("pid {} (memonlined), which awaits confirmation", ::getpid());
  // The look that follows holds the lock itself for a moment.
  REQUIRE(running.until([&] { return held_for_others(running) == waits; }));
  std::optional<std::uint64_t> undo, dropped;
  running.service->undo(0, [&](const auto& got) { undo = *got; });
  running.service->undo(0, [&](const auto& got) { dropped = *got; });
  REQUIRE(running.service->cancel(*dropped));
  REQUIRE(until_done(running, *dropped));
  CHECK(job(running, *dropped)->result == Job::Result::Cancelled);
  CHECK(job(running, *undo)->stage == Job::Stage::Queued);
  CHECK(running.service->confirm() == id);
  REQUIRE(until_done(running, *undo));
  CHECK(zones(running, 32, 8) == "........");
  REQUIRE(running.until([&] { return held_for_others(running).empty(); }));
}

TEST_CASE("service: what a killed one waited for is undone by the next") {
  RunningService running(small_host(), kNewIsMovable);
  const auto id = apply_normal(running, std::chrono::seconds(60));
  REQUIRE(until_confirming(running, id));
  const std::string file = running.directory.path() + "/run/memonline/unconfirmed";
  const auto journal = runtime::read_file(file);
  REQUIRE(journal);
  // One that ends takes it back itself: as a killed one would have left it.
  running.service.reset();
  for (std::uint64_t block = 32; block < 40; ++block)
    REQUIRE(running.kernel->write_state(BlockId(block), "online_kernel") == 0);
  std::ofstream(file) << *journal;
  running.restart();
  REQUIRE(running.until(State::InSync));
  CHECK(zones(running, 32, 8) == "........");
  CHECK(test::said(running, "the run was not confirmed: undone"));
}

}  // namespace memonline
