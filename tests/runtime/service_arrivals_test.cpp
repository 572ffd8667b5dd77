// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory that comes while the service holds auto_online_blocks: what no rule selects is as without
// the service, what the kernel onlined first is corrected, and another writer of the setting has
// it.
#include <algorithm>
#include <filesystem>

#include "runtime/base/file.hpp"
#include "tests/runtime/service_asks.hpp"

namespace memonline {

using model::BlockId;
using service::State;
using test::reload;
using test::RunningService;
using test::said;
using test::small_host;
using test::zones;

namespace {

constexpr auto kNarrow = "block 32-39: movable\n";
constexpr auto kShares = "hotplugged: first 25% normal, rest movable\n";
constexpr auto kSetting = model::Knob::AutoOnlineBlocks;

model::Host host_with(const std::string& setting) {
  model::Host host = small_host();
  host.knobs.auto_online_blocks = setting;
  return host;
}

std::string setting(const RunningService& running) {
  return std::string(running.kernel->read_knob(kSetting).value());
}

std::string come(RunningService& running, const std::string& wanted) {
  const BlockId first = running.plug(wanted.size());
  (void)running.until([&] { return zones(running, first.value(), wanted.size()) == wanted; });
  return zones(running, first.value(), wanted.size());
}

std::size_t times_said(const RunningService& running, const std::string& part) {
  return static_cast<std::size_t>(
      std::count_if(running.said.begin(), running.said.end(),
                    [&](const std::string& line) { return line.find(part) != std::string::npos; }));
}

}  // namespace

TEST_CASE("service: memory that no rule selects comes online as without it") {
  RunningService running(host_with("online"), kNarrow);
  REQUIRE(running.until(State::InSync));
  CHECK(setting(running) == "offline");
  CHECK(said(running, "auto_online_blocks changes from `online` to `offline`"));
  CHECK(come(running, "NNNN") == "NNNN");
  REQUIRE(running.until(State::InSync));

  SECTION("also after it was killed, and what came meanwhile") {
    running.keep_switches = true;
    running.restart();
    REQUIRE(running.until(State::InSync));
    running.service.reset();
    const BlockId first = running.kernel->add_dimm(4, model::NodeId(0));
    CHECK(zones(running, first.value(), 4) == "....");
    running.restart();
    REQUIRE(running.until([&] { return zones(running, first.value(), 4) == "NNNN"; }));
    CHECK(come(running, "NNNN") == "NNNN");
  }
  SECTION("but not what others have taken offline since") {
    const BlockId first = running.plug(4);
    REQUIRE(running.until([&] { return zones(running, first.value(), 4) == "NNNN"; }));
    REQUIRE(running.write(first.value(), "offline") == 0);
    CHECK(come(running, "NNNN") == "NNNN");
    CHECK(zones(running, first.value(), 4) == ".NNN");
  }
  SECTION("and what is removed and comes again has come") {
    REQUIRE(running.write(43, "offline") == 0);
    REQUIRE(running.until(State::Drift));
    running.event("remove", 43);
    running.event("add", 43);
    REQUIRE(running.until([&] { return zones(running, 40, 4) == "NNNN"; }));
  }
  SECTION("and the file of it goes with the service") {
    const std::string file = running.directory.path() + "/run/memonline/arrivals";
    CHECK(std::filesystem::exists(file));
    running.service->shut_down();
    CHECK_FALSE(std::filesystem::exists(file));
    CHECK(setting(running) == "online");
  }
}

TEST_CASE("service: it comes online in the zone that the setting named") {
  RunningService running(host_with("online_movable"), "block 32-39: normal\n");
  REQUIRE(running.until(State::InSync));
  CHECK(setting(running) == "offline");
  CHECK(come(running, "MMMM") == "MMMM");
}

TEST_CASE("service: memory that no rule selects stays offline where it would have") {
  RunningService running(host_with("offline"), kNarrow);
  REQUIRE(running.until(State::InSync));
  const BlockId first = running.plug(4);
  REQUIRE(
      running.until([&] { return running.service->view()->host->find_block(first) != nullptr; }));
  REQUIRE(running.until(State::InSync));
  CHECK(zones(running, first.value(), 4) == "....");
}

TEST_CASE("service: what the kernel has to online first is corrected") {
  model::Host host = host_with("online");
  host.virtualization = "microsoft";
  RunningService running(host, "each dimm: first 25% normal, rest movable\n");
  REQUIRE(running.until(State::InSync));
  CHECK(setting(running) == "online_movable");
  CHECK(running.service->view()->plan->hotplug.by == plan::Onliner::Corrected);
  CHECK(come(running, "NNMMMMMM") == "NNMMMMMM");
  REQUIRE(running.until(State::InSync));
  CHECK_FALSE(said(running, "by another process"));

  // Only what is fresh.
  REQUIRE(running.write(40, "offline") == 0);
  REQUIRE(running.write(40, "online_movable") == 0);
  REQUIRE(running.until(State::Drift));
  CHECK(come(running, "NNMMMMMM") == "NNMMMMMM");
  CHECK(zones(running, 40, 1) == "M");
  running.service->shut_down();
  CHECK(setting(running) == "online");
}

TEST_CASE("service: what others change after the last look of a run is seen") {
  model::Host host = host_with("online");
  host.virtualization = "microsoft";
  RunningService running(host, "each dimm: first 25% normal, rest movable\n");
  REQUIRE(running.until(State::InSync));
  // A run looks before it writes and after; what follows the second look is in no look.
  const int last = running.looks + 2;
  running.held_at = last;
  const BlockId first = running.plug(8);
  REQUIRE(running.until([&] { return running.looks == last; }));
  REQUIRE(zones(running, first.value(), 8) == "NNMMMMMM");
  REQUIRE(running.write(first.value(), "offline") == 0);
  REQUIRE(running.write(first.value(), "online_movable") == 0);
  running.held_at = 0;
  REQUIRE(running.until(State::Drift));
  CHECK(zones(running, first.value(), 8) == "MNMMMMMM");
}

TEST_CASE("service: the setting of a coherent GPU's driver is never another") {
  model::Host host = host_with("offline");
  host.nvidia_driver = "sys/module/nvidia";
  const std::string policy =
      GENERATE(as<std::string>{}, "hotplugged: movable\n", "hotplugged: auto\n",
               "hotplugged: normal\n", kShares, "set hotplug = service\nhotplugged: movable\n");
  RunningService running(host, policy);
  INFO(policy);
  const bool settled = running.until(State::InSync);
  INFO(service::state_name(running.service->view()->state) << running.service->view()->problems);
  REQUIRE(settled);
  CHECK(setting(running) == "online_movable");
}

TEST_CASE("service: another process that keeps writing the setting has it") {
  RunningService running(host_with("online"), kShares);
  REQUIRE(running.until(State::InSync));
  for (int i = 0; i < 5; ++i) {
    REQUIRE(running.kernel->write_knob(kSetting, "online") == 0);
    const BlockId last = running.plug(2) + 1;
    REQUIRE(
        running.until([&] { return running.service->view()->host->find_block(last) != nullptr; }));
    REQUIRE(running.until([&] { return setting(running) == (i < 2 ? "offline" : "online"); }));
  }
  CHECK(times_said(running, "another process keeps setting auto_online_blocks to online") == 1);
  REQUIRE(running.until(State::Drift));
  const std::string sentence =
      "auto_online_blocks was set to online by another process; the policy requires offline";
  const auto& alone = running.service->view()->left_alone;
  CHECK(std::find(alone.begin(), alone.end(), sentence) != alone.end());

  SECTION("after it is started anew, too") {
    const std::string file = "run/memonline/switches";
    const auto kept = runtime::read_file(running.directory.path() + "/" + file);
    REQUIRE(kept);
    running.service.reset();
    running.directory.write(file, *kept);  // as one that was killed leaves it
    running.restart();
    REQUIRE(running.until(State::Drift));
    CHECK(setting(running) == "online");
  }
  SECTION("until the policy asks for another value") {
    running.policy("hotplugged: normal\n");
    reload(running);
    REQUIRE(running.until([&] { return setting(running) == "online_kernel"; }));
  }
  SECTION("and nothing is put back then") {
    running.service->shut_down();
    CHECK(setting(running) == "online");
    CHECK(said(running, "auto_online_blocks is online, set by another process: left unchanged"));
  }
}

}  // namespace memonline
