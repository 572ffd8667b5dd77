// SPDX-License-Identifier: LGPL-2.1-or-later
// What the service does about what fails: tries again, not too often, and lets it be seen.
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>

#include "tests/runtime/service_asks.hpp"

namespace memonline {

using model::BlockId;
using service::State;
using test::RunningService;
using test::said;
using test::small_host;
using test::zones;

namespace {

/// Turns the loop for so long.
void pass(RunningService& running, std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  (void)running.until([&] { return std::chrono::steady_clock::now() >= end; });
}

/// A service with a DIMM of four blocks, the second of which is refused.
BlockId plug_refused(RunningService& running) {
  REQUIRE(running.until(State::InSync));
  const BlockId first = running.kernel->add_dimm(4, model::NodeId(0));
  running.kernel->refuse(first + 1, EIO);
  running.plugged(first, 4);
  REQUIRE(running.until(State::Failed));
  return first;
}

std::size_t times_said(const RunningService& running, const std::string& part) {
  return static_cast<std::size_t>(
      std::count_if(running.said.begin(), running.said.end(),
                    [&](const std::string& line) { return line.find(part) != std::string::npos; }));
}

}  // namespace

TEST_CASE("service: what is refused is tried again, and shown until it is done") {
  RunningService running(small_host(), "hotplugged: movable\n");
  REQUIRE(running.until(State::InSync));
  const BlockId first = running.kernel->add_dimm(4, model::NodeId(0));
  running.kernel->refuse(first + 1, EIO);
  running.plugged(first, 4);
  REQUIRE(running.until(State::Failed));
  CHECK(zones(running, first.value(), 4) == "M.MM");
  const auto failing = running.service->view()->failing;
  REQUIRE(failing.size() == 1);
  CHECK(failing[0].error == EIO);
  CHECK(failing[0].blocks.first == first + 1);
  CHECK(failing[0].rule == "movable");
  REQUIRE_FALSE(running.named.empty());
  CHECK(running.named.back().blocks == model::WriteRun{model::BlockId(41), model::BlockId(41)});
  CHECK(running.named.back().rule == "movable");
  CHECK(running.named.back().error == EIO);
  REQUIRE(running.until([&] { return running.service->view()->counters.retries >= 1; }));
  CHECK(running.service->view()->failing == failing);
  running.kernel->refuse(first + 1, 0);
  REQUIRE(running.until(State::InSync));
  CHECK(zones(running, first.value(), 4) == "MMMM");
  CHECK(running.service->view()->failing.empty());
}

TEST_CASE("service: what is always refused is tried again a second later, not at once") {
  RunningService running(small_host(), "hotplugged: movable\n");
  plug_refused(running);
  const auto changes = running.changes;
  pass(running, std::chrono::milliseconds(1500));
  CHECK(running.service->view()->counters.retries <= 2);
  CHECK(running.changes <= changes + 4);
}

TEST_CASE("service: what failed stays seen and due whatever else is looked at") {
  RunningService running(small_host(), "hotplugged: movable\n");
  const BlockId first = plug_refused(running);
  test::reload(running);
  running.event("remove", 4711);
  pass(running, std::chrono::milliseconds(200));
  CHECK(running.service->view()->state == State::Failed);
  CHECK(running.service->view()->failing.size() == 1);
  running.kernel->refuse(first + 1, 0);
  REQUIRE(running.until(State::InSync));
  CHECK(zones(running, first.value(), 4) == "MMMM");
}

TEST_CASE("service: a round that comes to nothing is seen and tried again") {
  RunningService running(small_host(), "hotplugged: movable\n");
  REQUIRE(running.until(State::InSync));
  // A journal that can be neither read nor written, nor set aside.
  const std::string journal = running.directory.path() + "/run/memonline/journal";
  std::filesystem::create_directories(journal);
  std::filesystem::create_directories(journal + ".unreadable/not-empty");
  const BlockId first = running.plug(4);
  REQUIRE(running.until(State::Failed));
  CHECK(running.service->view()->problems.find("run/memonline/journal") != std::string::npos);
  REQUIRE(running.until([&] { return running.service->view()->counters.retries >= 1; }));
  CHECK(times_said(running, "run/memonline/journal") == 1);
  std::filesystem::remove(journal);
  REQUIRE(running.until(State::InSync));
  CHECK(running.service->view()->problems.empty());
  CHECK(zones(running, first.value(), 4) == "MMMM");
}

TEST_CASE("service: a round that runs out of memory is one that comes to nothing") {
  RunningService running(small_host(), "hotplugged: movable\n");
  REQUIRE(running.until(State::InSync));
  running.is_short = true;
  const BlockId first = running.plug(4);
  REQUIRE(running.until(State::Failed));
  CHECK(running.service->view()->problems == "not enough memory for this operation");
  // Of what a client asks there is an answer.
  std::optional<std::string> refused;
  running.service->verify([&](const auto& answer) { refused = answer.error().message; });
  REQUIRE(running.until([&] { return refused.has_value(); }));
  CHECK(*refused == "not enough memory for this operation");
  std::optional<std::uint64_t> undo;
  running.service->undo(0, [&](const auto& got) { undo = *got; });
  REQUIRE(test::until_done(running, *undo));
  CHECK(test::job(running, *undo)->result == service::Job::Result::Failed);
  running.is_short = false;
  REQUIRE(running.until(State::InSync));
  CHECK(zones(running, first.value(), 4) == "MMMM");
}

TEST_CASE("service: while another run holds the lock, only the lock is looked at") {
  RunningService running(small_host(), "hotplugged: movable\n");
  REQUIRE(running.until(State::InSync));
  const int lock =
      ::open((running.directory.path() + "/run/memonline/lock").c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(::flock(lock, LOCK_EX | LOCK_NB) == 0);
  const BlockId first = running.plug(4);
  REQUIRE(running.until([&] { return said(running, "another run is changing memory"); }));
  const auto changes = running.changes;
  pass(running, std::chrono::milliseconds(1200));
  CHECK(times_said(running, "another run is changing memory") == 1);
  CHECK(running.changes <= changes + 1);
  CHECK(zones(running, first.value(), 4) == "....");
  ::close(lock);
  REQUIRE(running.until(State::InSync));
  CHECK(zones(running, first.value(), 4) == "MMMM");
}

}  // namespace memonline
