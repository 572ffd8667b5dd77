// SPDX-License-Identifier: LGPL-2.1-or-later
// What the service makes of blocks that others change, and of those that its clients had changed.
#include <filesystem>

#include "tests/runtime/local_datagrams.hpp"
#include "tests/runtime/service_asks.hpp"

namespace memonline {

using model::BlockId;
using service::State;
using test::ask_apply;
using test::ask_plan;
using test::kPolicy;
using test::reload;
using test::RunningService;
using test::said;
using test::small_host;
using test::until_done;
using test::zones;

namespace {

/// Has memory36..39 taken offline, as before they are pulled out.
void unplug(RunningService& running) {
  REQUIRE(running.until(State::InSync));
  service::PlanRequest request;
  request.unplug = plan::parse_unplug("memory36-39").value();
  const auto id = ask_apply(running, ask_plan(running, request).digest);
  REQUIRE(id);
  REQUIRE(until_done(running, *id));
  CHECK(zones(running, 36, 4) == "....");
}

/// A round that writes is over.
void another_dimm(RunningService& running) {
  const BlockId first = running.plug(4);
  REQUIRE(running.until(
      [&] { return zones(running, first.value(), 4).find('.') == std::string::npos; }));
}

const std::vector<std::string>& left_alone(const RunningService& running) {
  return running.service->view()->left_alone;
}

}  // namespace

TEST_CASE("service: what others take offline is named and left alone") {
  RunningService running(small_host(), kPolicy);
  REQUIRE(running.until(State::InSync));
  REQUIRE(running.write(39, "offline") == 0);
  REQUIRE(running.until(State::Drift));
  CHECK(zones(running, 32, 8) == "NNMMMMM.");
  CHECK(running.service->view()->left_alone ==
        std::vector<std::string>{"memory39 was offlined by another process"});

  SECTION("also when memory comes") {
    running.plug(4);
    REQUIRE(running.until(
        [&] { return zones(running, 40, 4) == "NMMM" || zones(running, 40, 4) == "MMMM"; }));
    CHECK(zones(running, 39, 1) == ".");
  }
  SECTION("until they bring it back") {
    REQUIRE(running.write(39, "online_movable") == 0);
    REQUIRE(running.until(State::InSync));
  }
}

TEST_CASE("service: standby memory is configured, and what others return stays returned") {
  model::Host host = small_host();
  host.arch = "s390x";
  host.configures_standby = true;
  host.standby = {{BlockId(64), BlockId(67)}};
  RunningService running(host, "standby: movable\nhotplugged: keep\n");
  REQUIRE(running.until(State::InSync));
  CHECK(zones(running, 64, 4) == "MMMM");
  REQUIRE(running.write(67, "offline") == 0);
  REQUIRE(running.kernel->write_standby(BlockId(67), apply::StandbyFile::Config, false) == 0);
  running.event("remove", 67);
  REQUIRE(running.until([&] { return !left_alone(running).empty(); }));
  reload(running);
  CHECK(running.kernel->host().standby ==
        std::vector<model::BlockRange>{{BlockId(67), BlockId(67)}});
  CHECK(left_alone(running) ==
        std::vector<std::string>{"memory67 was offlined by another process"});
  // Until they configure it again.
  REQUIRE(running.kernel->write_standby(BlockId(67), apply::StandbyFile::Config, true) == 0);
  running.event("add", 67);
  REQUIRE(running.until([&] { return zones(running, 64, 4) == "MMMM"; }));
}

TEST_CASE("service: a dax device is bound when it waits, and what others release stays released") {
  const model::Host host =
      test::with_waiting_dax(small_host(), 0, {{model::BlockId(64), model::BlockId(67)}});
  RunningService running(host, "dax system-ram: movable\nhotplugged: keep\n");
  REQUIRE(running.until(State::InSync));
  CHECK(zones(running, 64, 4) == "MMMM");
  const auto release = [&] {
    for (std::uint64_t block = 64; block < 68; ++block)
      REQUIRE(running.write(block, "offline") == 0);
    REQUIRE(running.kernel->bind_dax("dax0.0", false) == 0);
    for (std::uint64_t block = 64; block < 68; ++block) running.event("remove", block);
  };
  release();
  REQUIRE(running.until([&] { return !left_alone(running).empty(); }));
  reload(running);
  CHECK_FALSE(running.kernel->host().dax_devices[0].is_system_ram());
  CHECK(left_alone(running) ==
        std::vector<std::string>{"memory64..67 were offlined by another process"});
  // Until they bind it again.
  REQUIRE(running.kernel->bind_dax("dax0.0", true) == 0);
  for (std::uint64_t block = 64; block < 68; ++block) running.event("add", block);
  REQUIRE(running.until([&] { return zones(running, 64, 4) == "MMMM"; }));
}

TEST_CASE("service: of a device that others released in part of a share, nothing is bound again") {
  const model::Host host =
      test::with_waiting_dax(small_host(), 0, {{model::BlockId(64), model::BlockId(67)}});
  RunningService running(host,
                         "dax system-ram: last 50% movable, rest offline\nhotplugged: movable\n");
  REQUIRE(running.until(State::InSync));
  CHECK(zones(running, 64, 4) == "..MM");
  REQUIRE(running.write(66, "offline") == 0);
  REQUIRE(running.write(67, "offline") == 0);
  REQUIRE(running.kernel->bind_dax("dax0.0", false) == 0);
  for (std::uint64_t block = 64; block < 68; ++block) running.event("remove", block);
  REQUIRE(running.until([&] { return !left_alone(running).empty(); }));
  const BlockId dimm = running.plug(2);
  REQUIRE(running.until([&] { return zones(running, dimm.value(), 2) == "MM"; }));
  CHECK_FALSE(running.kernel->host().dax_devices[0].is_system_ram());
}

TEST_CASE("service: where the policy allows zones to be changed, what others did is corrected") {
  RunningService running(small_host(), std::string("set rezone = allowed\n") + kPolicy);
  REQUIRE(running.until(State::InSync));
  REQUIRE(running.write(39, "offline") == 0);
  REQUIRE(running.until([&] { return zones(running, 32, 8) == "NNMMMMMM"; }));
}

TEST_CASE("service: what others did against the policy is named although it is corrected") {
  RunningService running(small_host(), std::string("set rezone = allowed\n") + kPolicy);
  REQUIRE(running.until(State::InSync));
  REQUIRE(running.write(39, "offline") == 0);
  REQUIRE(running.write(39, "online_kernel") == 0);
  REQUIRE(running.until([&] {
    return said(running, "memory39 was onlined in Normal by another process") &&
           zones(running, 32, 8) == "NNMMMMMM" && left_alone(running).empty();
  }));
}

TEST_CASE("service: what others take offline and bring back at once is as it was") {
  RunningService running(small_host(), kPolicy);
  REQUIRE(running.until(State::InSync));
  const auto events = running.service->view()->counters.events;
  REQUIRE(running.write(39, "offline") == 0);
  REQUIRE(running.write(39, "online_movable") == 0);
  REQUIRE(running.until([&] { return running.service->view()->counters.events == events + 2; }));
  REQUIRE(running.until(State::InSync));
  CHECK(left_alone(running).empty());
}

TEST_CASE("service: what others bring online is seen although a plan would have done it") {
  RunningService running(small_host(), "boot: keep\n");
  REQUIRE(running.until(State::InSync));
  running.policy("hotplugged: movable\n");
  reload(running);
  REQUIRE(running.until(State::Drift));
  for (std::uint64_t block = 32; block < 40; ++block)
    REQUIRE(running.write(block, "online_movable") == 0);
  REQUIRE(running.until(State::InSync));
}

TEST_CASE("service: what others bring online in the wrong zone is named") {
  RunningService running(small_host(), kPolicy);
  REQUIRE(running.until(State::InSync));
  REQUIRE(running.write(39, "offline") == 0);
  REQUIRE(running.write(39, "online_kernel") == 0);
  const std::string sentence = "memory39 was onlined in Normal by another process";
  REQUIRE(running.until([&] { return left_alone(running) == std::vector<std::string>{sentence}; }));
  CHECK(running.service->view()->state == State::Drift);
  CHECK(said(running, sentence));
  REQUIRE(running.write(39, "offline") == 0);
  REQUIRE(running.write(39, "online_movable") == 0);
  REQUIRE(running.until(State::InSync));
  CHECK(left_alone(running).empty());
}

TEST_CASE("service: who brings new memory online does not change with a block that is left alone") {
  RunningService running(small_host(), "hotplugged: normal\n");
  REQUIRE(running.until(State::InSync));
  REQUIRE(running.write(39, "offline") == 0);
  REQUIRE(running.until(State::Drift));
  CHECK(running.service->view()->plan->hotplug.by == plan::Onliner::Kernel);
  CHECK(running.kernel->read_knob(model::Knob::AutoOnlineBlocks).value() == "online_kernel");
}

TEST_CASE("service: what a job took offline stays so until it is brought back or gone") {
  const std::string rezone = GENERATE("", "set rezone = allowed\n");
  RunningService running(small_host(),
                         rezone + "hotplugged: first 2 blocks normal, rest movable\n");
  unplug(running);
  REQUIRE(running.until(State::Drift));
  CHECK(left_alone(running) == std::vector<std::string>{"memory36..39 were offlined on request"});
  another_dimm(running);
  CHECK(zones(running, 32, 8) == "NNMM....");
  REQUIRE(running.write(36, "online_movable") == 0);
  for (std::uint64_t block = 37; block < 40; ++block) running.event("remove", block);
  REQUIRE(running.until([&] { return left_alone(running).empty(); }));
}

TEST_CASE("service: what a job took offline is no drift where the policy does not mind") {
  RunningService running(small_host(), kPolicy);
  REQUIRE(running.until(State::InSync));
  running.policy("boot: keep\n");
  reload(running);
  unplug(running);
  REQUIRE(running.until(State::InSync));
  CHECK(left_alone(running).empty());
}

TEST_CASE("service: one that is started anew leaves alone what the one before did") {
  RunningService running(small_host(), kPolicy);
  REQUIRE(running.until(State::InSync));
  REQUIRE(running.write(35, "offline") == 0);
  unplug(running);
  const std::string file = running.directory.path() + "/run/memonline/left-alone";
  CHECK(std::filesystem::exists(file));

  SECTION("so that it brings nothing back") {
    running.restart();
    REQUIRE(running.until(State::Drift));
    CHECK(zones(running, 32, 8) == "NNM.....");
    CHECK(left_alone(running) ==
          std::vector<std::string>{"memory35 was offlined by another process",
                                   "memory36..39 were offlined on request"});
  }
  SECTION("but not what has come online while there was none") {
    running.service.reset();
    for (std::uint64_t block = 35; block < 40; ++block)
      REQUIRE(running.kernel->write_state(BlockId(block), "online_movable") == 0);
    running.restart();
    REQUIRE(running.until(State::InSync));
    CHECK(left_alone(running).empty());
    CHECK_FALSE(std::filesystem::exists(file));
  }
  SECTION("and nothing that is of another boot, or none of ours") {
    const std::string text =
        GENERATE("boot other\n35 39 others\n", "35 39 others\n", "rubbish\n\n39 35 job\n",
                 "boot x y\n0 18446744073709551615 job\n");
    running.service.reset();
    running.directory.write("run/memonline/left-alone", text);
    running.restart();
    REQUIRE(running.until(State::InSync));
    CHECK(zones(running, 32, 8).find('.') == std::string::npos);
  }
}

TEST_CASE("service: what others took offline while events were lost is left alone") {
  test::LocalDatagrams kernel;
  RunningService running(small_host(), kPolicy, service::EventSource::of_socket(kernel.receiver()));
  REQUIRE(running.until(State::InSync));
  REQUIRE(running.kernel->write_state(BlockId(39), "offline") == 0);
  const BlockId first = running.kernel->add_dimm(4, model::NodeId(0));
  kernel.fail();
  REQUIRE(running.until(
      [&] { return zones(running, first.value(), 4).find('.') == std::string::npos; }));
  REQUIRE(running.until(State::Drift));
  CHECK(zones(running, 32, 8) == "NNMMMMM.");
  CHECK(left_alone(running) ==
        std::vector<std::string>{"memory39 was offlined by another process"});
  CHECK(running.service->view()->counters.rescans == 1);
}

}  // namespace memonline
