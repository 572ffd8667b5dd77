// SPDX-License-Identifier: LGPL-2.1-or-later
// Whose requests the service works on, and when it stops working on them.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "tests/runtime/service_asks.hpp"

namespace memonline {

using service::JobQueue;
using service::Refused;
using service::Requester;
using service::State;
using test::ask_apply;
using test::ask_plan;
using test::HostBuilder;
using test::RunningService;
using test::small_host;

namespace {

using Jobs = Result<std::uint64_t, Refused>;

Jobs ask_undo(RunningService& running, std::uint32_t uid) {
  std::optional<Jobs> got;
  running.service->undo(uid, [&](const auto& answer) { got = answer; });
  REQUIRE(got);
  return *got;
}

/// Counts the plans that were answered.
service::Answer<service::PlanAnswer> counted(std::size_t& count) {
  return [&count](const auto&) { ++count; };
}

/// Has the service make a plan for this connection, and keeps it from reading the machine.
void hold_plan(RunningService& running, const std::string& connection,
               const service::Answer<service::PlanAnswer>& answer) {
  running.is_held.store(true);
  const int looks = running.looks;
  service::PlanRequest request;
  request.who = {1000, connection};
  running.service->plan(request, answer);
  while (running.looks == looks) std::this_thread::yield();
}

}  // namespace

TEST_CASE("service: of two users' readings of the host, the later one stays published") {
  RunningService running(small_host(), "boot: keep\n");
  REQUIRE(running.until(State::InSync));
  std::size_t answers = 0;
  const auto count = [&](const auto&) { ++answers; };
  const auto verify = [&](const Requester& who) {
    const int looks = running.looks;
    running.service->verify(count, who);
    while (running.looks == looks) std::this_thread::yield();
  };
  running.is_held.store(true);
  verify({0, ":1.1"});
  REQUIRE(running.kernel->write_state(model::BlockId(32), "online_movable") == 0);
  verify({1000, ":1.2"});
  running.is_held.store(false);
  // Both results wait; those of ordinary users are dispatched before root's.
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  REQUIRE(running.until([&] { return answers == 2; }));
  const auto& blocks = running.service->view()->host->blocks;
  const auto changed = std::find_if(blocks.begin(), blocks.end(), [](const model::BlockRun& run) {
    return run.first <= model::BlockId(32) && model::BlockId(32) <= run.last();
  });
  REQUIRE(changed != blocks.end());
  CHECK(changed->state == model::State::Online);
}

TEST_CASE("service: one user's jobs keep neither another user nor root from having theirs") {
  RunningService running(HostBuilder().boot(0, 0, 8).dimm(0, 32, 64).build(), "boot: keep\n",
                         std::chrono::milliseconds(20));
  REQUIRE(running.until(State::InSync));
  service::PlanRequest request;
  request.policy = "hotplugged: movable\n";
  REQUIRE(ask_apply(running, ask_plan(running, request).digest));
  for (std::size_t i = 0; i < JobQueue::kMaxJobsOfUser; ++i) REQUIRE(ask_undo(running, 1000));
  const Jobs refused = ask_undo(running, 1000);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().why == Refused::Why::Busy);
  CHECK(refused.error().message.find("uid 1000") != std::string::npos);
  for (std::size_t i = JobQueue::kMaxJobsOfUser; i < JobQueue::kMaxJobs; ++i)
    REQUIRE(ask_undo(running, static_cast<std::uint32_t>(1001 + i)));
  CHECK_FALSE(ask_undo(running, 2000));
  CHECK(ask_undo(running, 0));
}

TEST_CASE("service: what a connection asked for is dropped when it has left") {
  RunningService running(small_host(), test::kPolicy);
  REQUIRE(running.until(State::InSync));
  std::size_t first = 0, left = 0, stayed = 0;
  // Keeps the worker, so that none of those below is answered before the connection leaves.
  hold_plan(running, ":1.6", counted(first));
  service::PlanRequest request;
  for (int i = 0; i < 10; ++i) {
    request.who = {1000, ":1.7"};
    running.service->plan(request, counted(left));
    request.who = {1000, ":1.8"};
    running.service->plan(request, counted(stayed));
  }
  running.service->forget(":1.7");
  running.is_held.store(false);
  REQUIRE(running.until([&] { return stayed == 10; }));
  CHECK(first == 1);
  CHECK(left == 0);
}

TEST_CASE("service: the plan under way for a connection that has left is cancelled") {
  RunningService running(small_host(), test::kPolicy);
  REQUIRE(running.until(State::InSync));
  std::string problem;
  hold_plan(running, ":1.7", [&](const Result<service::PlanAnswer, Refused>& answer) {
    problem = answer ? "a plan" : answer.error().message;
  });
  running.service->forget(":1.7");
  running.is_held.store(false);
  REQUIRE(running.until([&] { return !problem.empty(); }));
  CHECK(problem.find("planning was cancelled") != std::string::npos);
}

TEST_CASE("service: it ends soon, and releases the settings, also while a request takes long") {
  model::Host host = small_host();
  host.knobs.auto_online_blocks = "online";
  RunningService running(host, test::kPolicy);
  REQUIRE(running.until(State::InSync));
  std::size_t answered = 0;
  hold_plan(running, ":1.7", counted(answered));
  REQUIRE(running.kernel->read_knob(model::Knob::AutoOnlineBlocks).value() == "offline");
  // The process is to end without the request, which cannot be ended.
  CHECK_FALSE(running.service->shut_down());
  CHECK(running.kernel->read_knob(model::Knob::AutoOnlineBlocks).value() == "online");
  CHECK(answered == 0);
  running.is_held.store(false);
}

}  // namespace memonline
