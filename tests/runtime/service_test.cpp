// SPDX-License-Identifier: LGPL-2.1-or-later
// The service on a kernel model: what it does when memory comes, when others interfere, when a
// policy changes, and what its clients may ask.
#include "runtime/service/service.hpp"

#include <filesystem>
#include <thread>

#include <linux/netlink.h>
#include <sys/stat.h>

#include "tests/runtime/service_asks.hpp"
#include "tests/support/skip.hpp"

namespace memonline {

using model::BlockId;
using service::Job;
using service::Refused;
using service::State;
using test::ask_apply;
using test::ask_plan;
using test::HostBuilder;
using test::job;
using test::kPolicy;
using test::RunningService;
using test::said;
using test::small_host;
using test::until_done;
using test::zones;

TEST_CASE("service: what boot left offline is settled when it starts") {
  RunningService running(small_host(), kPolicy);
  REQUIRE(running.until(State::InSync));
  CHECK(zones(running, 32, 8) == "NNMMMMMM");
  // What memonline-hooks.path waits for.
  CHECK(std::filesystem::exists(running.directory.path() + "/run/memonline/memory-changed"));
  CHECK(running.service->view()->counters.blocks_onlined == 8);
}

TEST_CASE("service: a device's blocks are planned as one, device after device") {
  RunningService running(small_host(), "each dimm: first 25% normal, rest movable\n");
  REQUIRE(running.until(State::InSync));
  const BlockId first = running.plug(16);
  const BlockId second = running.plug(4);
  REQUIRE(running.until([&] { return zones(running, second.value(), 4) == "NMMM"; }));
  CHECK(zones(running, first.value(), 16) == "NNNNMMMMMMMMMMMM");
  // What is published lags behind the writes.
  REQUIRE(running.until([&] { return running.service->view()->counters.events >= 20; }));
  CHECK(running.service->view()->state == State::InSync);
}

TEST_CASE("service: hooks hear of memory that the kernel brought online, once") {
  RunningService running(small_host(), "hotplugged: normal\n");
  REQUIRE(running.until(State::InSync));
  const std::string told = running.directory.path() + "/run/memonline/memory-changed";
  REQUIRE(std::filesystem::remove(told));
  const BlockId first = running.plug(4);
  CHECK(zones(running, first.value(), 4) == "NNNN");
  REQUIRE(running.until([&] { return std::filesystem::exists(told); }));
  std::filesystem::remove(told);
  test::reload(running);
  REQUIRE(running.until(State::InSync));
  CHECK_FALSE(std::filesystem::exists(told));
}

TEST_CASE(
    "service: while the kernel brings memory online itself, nobody looks before it is quiet") {
  RunningService running(small_host(), "hotplugged: normal\n");
  REQUIRE(running.until(State::InSync));
  const int before = running.looks;
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) {
    running.plug(1);
    const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    (void)running.until([&] { return std::chrono::steady_clock::now() >= soon; });
  }
  const bool in_time =
      std::chrono::steady_clock::now() - began < std::chrono::milliseconds(20 * 100);
  if (in_time) CHECK(running.looks == before);
  REQUIRE(running.until(
      [&] { return running.service->view()->host->find_block(BlockId(59)) != nullptr; }));
  REQUIRE(running.until(State::InSync));
  CHECK(running.looks - before <= (in_time ? 3 : 20));
}

TEST_CASE("service: a policy changed and reloaded holds for what comes next, and moves nothing") {
  RunningService running(small_host(), kPolicy);
  REQUIRE(running.until(State::InSync));
  running.policy("hotplugged: normal\n");
  test::reload(running);
  REQUIRE(running.until(State::Drift));
  CHECK(zones(running, 32, 8) == "NNMMMMMM");
  const BlockId first = running.plug(4);
  REQUIRE(running.until([&] { return zones(running, first.value(), 4) == "NNNN"; }));
  CHECK(zones(running, 32, 8) == "NNMMMMMM");
}

TEST_CASE("service: the latency is that of the last burst it brought online itself") {
  RunningService running(small_host(), "hotplugged: normal\n", std::chrono::milliseconds(5));
  REQUIRE(running.until(State::InSync));
  // The kernel brings it online, a while before.
  const auto events = running.service->view()->counters.events;
  running.plug(4);
  REQUIRE(running.until([&] { return running.service->view()->counters.events == events + 4; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  running.policy("hotplugged: movable\n");
  test::reload(running);
  REQUIRE(running.until(State::Drift));
  running.plug(4);
  REQUIRE(running.until([&] { return said(running, "4 blocks onlined"); }));
  REQUIRE(running.until([&] { return running.service->view()->counters.blocks_onlined == 12; }));
  const auto latency = running.service->view()->counters.last_latency;
  CHECK(latency >= std::chrono::milliseconds(15));
  CHECK(latency < std::chrono::milliseconds(1500));
}

TEST_CASE("service: a file that is no policy keeps the set before in force and is named") {
  RunningService running(small_host(), kPolicy);
  REQUIRE(running.until(State::InSync));
  const std::string fifo = running.directory.path() + "/etc/memonline/policy.d/10-gpu.mempolicy";
  REQUIRE(::mkfifo(fifo.c_str(), 0644) == 0);
  running.policy("hotplugged: offline\n");
  test::reload(running);
  REQUIRE(running.until(
      [&] { return running.service->view()->problems.find(fifo) != std::string::npos; }));
  CHECK(said(running, fifo));
  CHECK(said(running, "the previous ones stay active"));
  const BlockId first = running.plug(4);
  REQUIRE(running.until(
      [&] { return zones(running, first.value(), 4).find('M') != std::string::npos; }));
}

TEST_CASE("service: a policy with an error keeps the one before in force and says so") {
  RunningService running(small_host(), kPolicy);
  REQUIRE(running.until(State::InSync));
  running.policy("hotplugged: movabel\n");
  std::string told;
  running.service->reload([&](const auto& answer) { told = *answer; });
  REQUIRE(running.until([&] { return !told.empty(); }));
  CHECK(told.find("movabel") != std::string::npos);
  REQUIRE(running.until([&] { return !running.service->view()->problems.empty(); }));
  const BlockId first = running.plug(4);
  REQUIRE(running.until([&] {
    return zones(running, first.value(), 4) == "NMMM" || zones(running, first.value(), 4) == "MMMM";
  }));
}

TEST_CASE("service: it starts with a broken policy, and without any") {
  RunningService broken(small_host(), "hotplugged: movabel\n");
  REQUIRE(broken.until(State::Failed));
  CHECK(broken.service->view()->problems.find("ML") != std::string::npos);
  CHECK(zones(broken, 32, 8) == "........");
  RunningService none(small_host(), "");
  REQUIRE(none.until(State::InSync));
  CHECK(zones(none, 32, 8) == "........");
}

TEST_CASE("service: a plan is applied by its digest, and only while the machine is the same") {
  RunningService running(small_host(), "boot: keep\n");
  REQUIRE(running.until(State::InSync));
  service::PlanRequest request;
  request.policy = "hotplugged: movable\n";
  const auto answer = ask_plan(running, request);
  REQUIRE(answer.document);
  CHECK(answer.steps >= 1);

  SECTION("done") {
    const auto id = ask_apply(running, answer.digest);
    REQUIRE(id);
    REQUIRE(until_done(running, *id));
    CHECK(job(running, *id)->result == Job::Result::Done);
    CHECK(zones(running, 32, 8) == "MMMMMMMM");

    std::optional<std::uint64_t> undo;
    running.service->undo(0, [&](const auto& got) { undo = *got; });
    REQUIRE(until_done(running, *undo));
    CHECK(job(running, *undo)->result == Job::Result::Done);
    CHECK(zones(running, 32, 8) == "........");
  }
  SECTION("stale") {
    running.plug(4);
    const auto refused = ask_apply(running, answer.digest);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().why == Refused::Why::Stale);
    CHECK(refused.error().message.find('\n') != std::string::npos);
  }
  SECTION("never made") {
    const auto refused = ask_apply(running, "sha256:0");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().why == Refused::Why::UnknownPlan);
  }
}

TEST_CASE("service: no more jobs wait than may, undoing among them") {
  RunningService running(HostBuilder().boot(0, 0, 8).dimm(0, 32, 64).build(), "boot: keep\n",
                         std::chrono::milliseconds(20));
  REQUIRE(running.until(State::InSync));
  service::PlanRequest request;
  request.policy = "hotplugged: movable\n";
  const auto answer = ask_plan(running, request);
  REQUIRE(ask_apply(running, answer.digest));
  std::optional<Result<std::uint64_t, Refused>> undo;
  for (std::size_t i = 1; i < service::JobQueue::kMaxJobs; ++i)
    running.service->undo(0, [&](const auto& got) { undo = got; });
  REQUIRE(*undo);
  running.service->undo(0, [&](const auto& got) { undo = got; });
  REQUIRE_FALSE(*undo);
  CHECK(undo->error().why == Refused::Why::Busy);
  const auto apply = ask_apply(running, answer.digest);
  REQUIRE_FALSE(apply);
  CHECK(apply.error().why == Refused::Why::Busy);
}

TEST_CASE("service: a job is cancelled after the block it is at, or before it begins") {
  RunningService running(HostBuilder().boot(0, 0, 8).dimm(0, 32, 64).build(), "boot: keep\n",
                         std::chrono::milliseconds(20));
  REQUIRE(running.until(State::InSync));
  service::PlanRequest request;
  request.policy = "hotplugged: movable\n";
  const auto answer = ask_plan(running, request);
  const auto first = ask_apply(running, answer.digest);
  const auto second = ask_apply(running, answer.digest);
  REQUIRE(running.until([&] { return job(running, *first)->blocks_done > 2; }));
  REQUIRE(running.service->cancel(*second));
  REQUIRE(running.service->cancel(*first));
  REQUIRE(until_done(running, *first));
  REQUIRE(until_done(running, *second));
  CHECK(job(running, *first)->result == Job::Result::Cancelled);
  CHECK(job(running, *second)->result == Job::Result::Cancelled);
  const std::string now = zones(running, 32, 64);
  CHECK(now.find('M') != std::string::npos);
  CHECK(now.find('.') != std::string::npos);
  CHECK_FALSE(running.service->cancel(*first));
  CHECK(running.service->view()->state == State::Applying);
}

TEST_CASE("service: 10,000 events into a buffer of 4 KiB lose nothing") {
  const int receiver =
      ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_USERSOCK);
  const int sender = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_USERSOCK);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = 1;
  const int size = 2048;  // the kernel doubles it
  ::setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (::bind(receiver, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(receiver);
    ::close(sender);
    test::skip_part("runtime_tests", "10,000 events: only root may listen to a netlink group here");
    return;
  }
  RunningService running(small_host(), "each dimm: first 25% normal, rest movable\n",
                         service::EventSource::of_socket(receiver));
  REQUIRE(running.until(State::InSync));
  for (int dimm = 0; dimm < 10; ++dimm) {
    const BlockId first = running.kernel->add_dimm(1000, model::NodeId(0));
    for (std::uint64_t i = 0; i < 1000; ++i) {
      std::string text = "add@/devices/system/memory/memory";
      text += std::to_string((first + i).value());
      text += '\0';
      (void)!::sendto(sender, text.data(), text.size(), MSG_DONTWAIT,
                      reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
  }
  REQUIRE(
      running.until([&] { return running.service->view()->counters.blocks_onlined == 8 + 10000; }));
  CHECK(running.service->view()->counters.rescans >= 1);
  for (std::uint64_t dimm = 0; dimm < 10; ++dimm)
    CHECK(zones(running, 40 + dimm * 1000 + 248, 4) == "NNMM");
  ::close(sender);
}

}  // namespace memonline
