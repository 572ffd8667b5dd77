// SPDX-License-Identifier: LGPL-2.1-or-later
// Every request at once, while policies are reloaded and memory is added: what the threads of the
// service share. The stages `tsan` and `asan` run this test with sanitizers.
#include <array>
#include <cstddef>

#include "tests/runtime/service_asks.hpp"

namespace memonline {

using test::RunningService;

namespace {

// Each holds other kernel settings than the one before, so that a reload rewrites all that is held.
constexpr std::array kPolicies{"hotplugged: movable\n", "boot: keep\n",
                               "hotplugged: auto\nlimit movable to 2.5x normal\n",
                               "hotplugged: normal\n", "hotplugged: movabel\n"};

/// Requests that are under way, and those that were answered.
struct Requests {
  std::size_t sent = 0, answered = 0;
  std::string digest;  ///< of the last plan
  std::vector<std::uint64_t> jobs;

  /// Counts an answer, whatever it says.
  template <class Value>
  service::Answer<Value> counted() {
    ++sent;
    return [this](const auto&) { ++answered; };
  }
  service::Answer<std::uint64_t> job() {
    ++sent;
    return [this](const Result<std::uint64_t, service::Refused>& id) {
      ++answered;
      if (id) jobs.push_back(*id);
    };
  }
  service::Answer<service::PlanAnswer> plan() {
    ++sent;
    return [this](const Result<service::PlanAnswer, service::Refused>& made) {
      ++answered;
      if (made && made->document) digest = made->digest;
    };
  }
};

void send_all(RunningService& running, Requests& requests, std::size_t turn) {
  service::Service& service = *running.service;
  service.reload(requests.counted<std::string>());
  service.verify(requests.counted<std::shared_ptr<const service::View>>());
  service.check("hotplugged: movable\n", requests.counted<std::string>());
  service::PlanRequest request;
  if (turn % 2 == 0) request.policy = "set rezone = allowed\nblock32-39: normal\n";
  if (turn % 5 == 0) request.unplug = *plan::parse_unplug("memory38-39");
  service.plan(request, requests.plan());
  service.submit(
      {}, [] { return std::string("{}"); }, requests.counted<std::string>());
  service.apply(requests.digest, {}, requests.job());
  if (turn % 3 == 0) service.undo(0, requests.job());
  if (turn % 4 == 0) (void)service.confirm();
  if (!requests.jobs.empty()) (void)service.cancel(requests.jobs.back());
}

}  // namespace

TEST_CASE("service: every request during reloads and hotplug is answered") {
  RunningService running(test::small_host(), kPolicies[0]);
  REQUIRE(running.until([&] { return running.service->first_round_done(); }));
  Requests requests;
  for (std::size_t turn = 0; turn < 60; ++turn) {
    running.policy(kPolicies[turn % kPolicies.size()]);
    send_all(running, requests, turn);
    if (turn % 10 == 0) running.plug(2);
    running.write(32 + turn % 8, turn % 2 == 0 ? "offline" : "online_movable");
    // Further requests come while these are under way.
    const std::size_t enough = requests.sent - requests.sent / 4;
    REQUIRE(running.until([&] { return requests.answered >= enough || turn < 10; }));
  }
  CHECK(running.until([&] { return requests.answered == requests.sent; }));
  CHECK(requests.sent > 300);
  running.policy("boot: keep\n");
  test::reload(running);
  CHECK(running.until([&] {
    return running.service->view()->switches.empty() &&
           running.service->view()->state != service::State::Applying;
  }));
}

}  // namespace memonline
