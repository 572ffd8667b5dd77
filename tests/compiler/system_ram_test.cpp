// SPDX-License-Identifier: LGPL-2.1-or-later
// Dax devices that become system RAM: the kernel model of kmem, and plans that bind devices.
#include "compiler/kernel/model.hpp"
#include "compiler/model/facts.hpp"
#include "compiler/plan/compare.hpp"
#include "compiler/render/plan.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

namespace memonline {

using kernel::Errno;
using kernel::Model;
using model::BlockId;
using model::BlockRange;
using model::Bytes;
using model::Host;
using model::State;
using model::Zone;
using namespace test;  // NOLINT

namespace {

/// 8 boot blocks, and dax0.0 with two ranges of 4 and 2 blocks for node 1, which no driver has.
Host host_with_card() {
  return with_waiting_dax(HostBuilder().boot(0, 0, 8).build(), 1,
                          {{BlockId(16), BlockId(19)}, {BlockId(24), BlockId(25)}});
}

std::string planned(const Host& host, const std::string& policy) {
  const Compilation c = plan_for(host, policy);
  REQUIRE(c.plan);
  return steps_text(*c.plan);
}

std::string codes(const Host& host, const std::string& policy) {
  return codes_text(plan_for(host, policy).diagnostics);
}

}  // namespace

TEST_CASE("kernel model: kmem adds all ranges of a dax device, and follows auto_online_blocks") {
  Model model(host_with_card());
  REQUIRE(model.configure({BlockId(17), BlockId(17)}));
  const Host host = model.host();
  for (const std::uint64_t block : {16U, 19U, 24U, 25U}) {
    REQUIRE(host.find_block(BlockId(block)) != nullptr);
    CHECK(host.find_block(BlockId(block))->state == State::Offline);
    CHECK(host.find_block(BlockId(block))->node == model::NodeId(1));
    CHECK(host.devices.at(host.find_block(BlockId(block))->device).name == "dax0.0");
  }
  CHECK(host.find_block(BlockId(20)) == nullptr);
  CHECK(host.dax_devices[0].is_system_ram());
  CHECK(model.configure({BlockId(24), BlockId(25)}));  // it is there already
  CHECK(model.host() == host);
  for (const auto& [word, zone] :
       {std::pair("online_kernel", Zone::Normal), std::pair("online_movable", Zone::Movable)}) {
    Model online(host_with_card());
    REQUIRE(online.set_knob(model::Knob::AutoOnlineBlocks, word));
    REQUIRE(online.configure({BlockId(16), BlockId(19)}));
    CHECK(online.host().find_block(BlockId(25))->zones == model::ValidZones{zone});
  }
}

TEST_CASE("kernel model: kmem leaves a dax device only while all of its blocks are offline") {
  Model model(host_with_card());
  REQUIRE(model.configure({BlockId(16), BlockId(19)}));
  REQUIRE(model.online({BlockId(25), BlockId(25)}, model::OnlineWord::OnlineMovable));
  CHECK(model.deconfigure({BlockId(16), BlockId(19)}).error().error == Errno::Ebusy);
  REQUIRE(model.offline({BlockId(25), BlockId(25)}));
  CHECK(model.deconfigure({BlockId(16), BlockId(19)}));
  CHECK(model.host().find_block(BlockId(25)) == nullptr);
  CHECK_FALSE(model.host().dax_devices[0].is_system_ram());
  CHECK(model.deconfigure({BlockId(24), BlockId(25)}));
}

TEST_CASE("kernel model: kmem refuses a dax device of another driver, or without a node") {
  Host host = host_with_card();
  host.dax_devices[0].driver = "device_dax";
  CHECK(Model(host).configure({BlockId(16), BlockId(16)}).error().error == Errno::Ebusy);
  host.dax_devices[0].driver.clear();
  host.dax_devices[0].node.reset();
  CHECK(Model(host).configure({BlockId(16), BlockId(16)}).error().error == Errno::Einval);
}

TEST_CASE("system-ram: a rule binds the device before its first block comes online") {
  const char* policy = "dax0.0 system-ram: last 50% movable, rest normal\n";
  const Compilation c = plan_for(host_with_card(), policy);
  REQUIRE(c.plan);
  CHECK(steps_text(*c.plan) ==
        "bind 16..19\n"
        "bind 24..25\n"
        "online_kernel 16..18 Normal\n"
        "online_movable 25..24 Movable\n"
        "online_movable 19 Movable\n");
  CHECK(c.plan->host.fingerprint == host_with_card().fingerprint);
  CHECK(steps_text(*plan_for(c.outcome, policy).plan).empty());
}

TEST_CASE("system-ram: only rules that name it apply to a device without blocks") {
  for (const char* policy : {"dax: movable\n", "dax0.0: movable\n", "hotplugged: movable\n",
                             "all: keep\ndax system-ram: movable\n", "dax system-ram: keep\n",
                             "dax system-ram: offline\n", "dax1.0 system-ram: movable\n",
                             "node0 dax system-ram: movable\n"}) {
    INFO(policy);
    std::string steps = planned(host_with_card(), policy);
    if (steps.starts_with("set ")) steps.erase(0, steps.find('\n') + 1);
    CHECK(steps.empty());
  }
  // The device comes as a whole: its other blocks stay as their own rules say.
  CHECK(planned(host_with_card(), "block 16-19: keep; dax system-ram: movable\n") ==
        "bind 16..19\nbind 24..25\nonline_movable 25..24 Movable\n");
  CHECK(planned(host_with_card(), "block 16: normal; dax system-ram: 1 blocks movable\n")
            .find("bind 16..19\nbind 24..25\n") == 0);
}

TEST_CASE("system-ram: the kernel does not online what the plan binds") {
  Host host = host_with_card();
  for (const char* setting : {"online", "online_movable"}) {
    host.knobs.auto_online_blocks = setting;
    CHECK(planned(host, "dax system-ram: movable\n")
              .find("set auto_online_blocks=offline for the run\nbind 16..19\n") == 0);
  }
}

TEST_CASE("system-ram: a device that kmem cannot take now is reported, and nothing is done") {
  const char* policy = "dax0.0 system-ram: movable\n";
  const auto refused = [&](auto change) {
    Host host = host_with_card();
    change(host, host.dax_devices[0]);
    CHECK(planned(host, policy).empty());
    CHECK(codes(host, policy) == "ML0517");
    CHECK(codes(host, "dax: movable\n").find("ML0517") == std::string::npos);
  };
  refused([](Host&, auto& dax) { dax.driver = "device_dax"; });
  refused([](Host&, auto& dax) { dax.node.reset(); });
  refused([](Host&, auto& dax) { dax.blocks.clear(); });
  refused([](Host&, auto& dax) { dax.size = Bytes(0); });
  refused([](Host& host, auto&) { host.kmem = false; });
  refused([](Host& host, auto&) { host.possible_nodes = {{model::NodeId(0), model::NodeId(0)}}; });
  refused([](Host&, auto& dax) { dax.blocks[0].first = BlockId(7); });
  refused([](Host& host, auto&) { host.address_limit = host.block_size.value() * 25; });
  // A capture without the directory of drivers does not say whether kmem is loaded: planned.
  Host host = host_with_card();
  host.kmem.reset();
  CHECK(planned(host, policy).starts_with("bind "));
}

TEST_CASE("system-ram: neighboring devices are bound one by one") {
  Host host = host_with_card();
  model::DaxDevice next = host.dax_devices[0];
  next.name = "dax0.1";
  next.blocks = {{BlockId(20), BlockId(22)}};
  host.dax_devices.push_back(next);
  CHECK(planned(host, "dax0.1 system-ram: movable\n") ==
        "bind 20..22\nonline_movable 22..20 Movable\n");
  const Compilation c = plan_for(host, "dax system-ram: movable\n");
  REQUIRE(c.plan);
  CHECK(steps_text(*c.plan).find("bind 16..19\nbind 24..25\n") != std::string::npos);
  CHECK(steps_text(*c.plan).find("bind 20..22\n") != std::string::npos);
  CHECK(c.outcome.dax_devices[0].is_system_ram());
  CHECK(c.outcome.dax_devices[1].is_system_ram());
  Model model(host);
  REQUIRE(model.configure({BlockId(19), BlockId(20)}));
  CHECK(model.host().find_block(BlockId(25)) != nullptr);
  CHECK(model.host().find_block(BlockId(22)) != nullptr);
  REQUIRE(model.deconfigure({BlockId(22), BlockId(16)}));
  CHECK(model.host().find_block(BlockId(22)) == nullptr);
}

TEST_CASE(
    "system-ram: thousands of devices are planned, and none of them where a rule keeps them") {
  Host host = host_with_card();
  host.dax_devices.clear();
  for (std::uint64_t i = 0; i < 4000; ++i) {
    model::DaxDevice dax;
    dax.name = "dax" + std::to_string(i) + ".0";
    dax.size = host.block_size;
    dax.node = model::NodeId(1);
    dax.blocks = {{BlockId(16 + 2 * i), BlockId(16 + 2 * i)}};
    host.dax_devices.push_back(dax);
  }
  const Compilation c = plan_for(host, "block 0-99999: keep; dax system-ram: movable\n");
  REQUIRE(c.plan);
  CHECK(steps_text(*c.plan).empty());
  const Compilation all = plan_for(host, "dax system-ram: normal\n");
  REQUIRE(all.plan);
  CHECK(all.plan->steps.size() == 8000);
}

TEST_CASE("system-ram: memory is not added if kernel memory cannot hold its memory map") {
  Host host = host_with_card();
  const Bytes map = host.block_size / 64;
  host.memory_available = map * 6;
  CHECK(codes(host, "dax system-ram: movable\n") == "ML0505");
  CHECK_FALSE(plan_for(host, "dax system-ram: movable\n").plan);
  host.memory_available = map * 7;
  CHECK(plan_for(host, "dax system-ram: movable\n").plan);
  // Unless the device holds its own map, which its own file decides.
  host.memory_available = map;
  host.knobs.memmap_on_memory = "Y";
  host.facts.memmap_pages = true;
  CHECK(plan_for(host, "dax system-ram: movable\n").plan);
  host.dax_devices[0].own_map = false;
  const auto refused = plan_for(host, "dax system-ram: movable\n");
  CHECK(codes_text(refused.diagnostics) == "ML0505");
  CHECK(refused.diagnostics.all().front().help.find("write 1 to /sys/bus/dax/devices/dax0.0") !=
        std::string::npos);
}

TEST_CASE("system-ram: a plan does not depend on drivers that it does not change") {
  Host host = host_with_card();
  const Compilation c = plan_for(host, "boot: keep\n");
  REQUIRE(c.plan);
  host.kmem = false;
  CHECK(compare(*c.plan, host).same);
  host.dax_devices[0].driver = "device_dax";
  CHECK(compare(*c.plan, host).same);
  // Nor on addresses, which only root sees.
  host.dax_devices[0].blocks.clear();
  CHECK(compare(*c.plan, host).same);
}

TEST_CASE("system-ram: a plan is for the devices that it was made for, and may be finished") {
  const Host before = host_with_card();
  const Compilation c = plan_for(before, "dax system-ram: movable\n");
  REQUIRE(c.plan);
  CHECK(compare(*c.plan, before).same);
  Host other = before;
  other.dax_devices[0].blocks.back().last = BlockId(26);
  CHECK(compare(*c.plan, other).lines ==
        std::vector<std::string>{"unconfigured memory is gone: memory24..25 (dax0.0)",
                                 "unconfigured memory is new: memory24..26 (dax0.0)"});
  CHECK_FALSE(compare(*c.plan, other).on_the_way);
  // Killed after the first block; the node has come with the device.
  Model model(before);
  REQUIRE(model.configure({BlockId(16), BlockId(19)}));
  REQUIRE(model.online({BlockId(25), BlockId(25)}, model::OnlineWord::OnlineMovable));
  Host half = model.host();
  if (half.find_node(model::NodeId(1)) == nullptr) half.nodes.push_back({model::NodeId(1), false});
  CHECK(compare(*c.plan, half).on_the_way);
  half.nodes.push_back({model::NodeId(2), false});
  CHECK_FALSE(compare(*c.plan, half).on_the_way);
  CHECK(compare(*c.plan, c.outcome).fulfilled);
}

TEST_CASE("system-ram: facts of memory without blocks are read as they are written") {
  Host host = host_with_card();
  host.arch = "s390x";
  host.standby = {{BlockId(8), BlockId(11)}};
  host.standby_own_map = std::vector<BlockRange>{{BlockId(9), BlockId(9)}};
  const auto lines = model::lines_of(model::facts_of(host));
  const std::vector<std::string> tail(lines.end() - 5, lines.end());
  CHECK(tail ==
        std::vector<std::string>{"unconfigured 8..8 standby", "unconfigured 9..9 standby own-map",
                                 "unconfigured 10..11 standby", "unconfigured 16..19 dax0.0",
                                 "unconfigured 24..25 dax0.0"});
  const auto read = model::parse_facts(lines);
  REQUIRE(read);
  CHECK(*read == model::facts_of(host));
  for (const char* bad : {"unconfigured 8..7 standby", "unconfigured 8..9", "unconfigured 8..9 dax",
                          "unconfigured 8..9 dax0.0 own-map", "unconfigured x..9 standby"}) {
    INFO(bad);
    auto wrong = lines;
    wrong.resize(lines.size() - 5);
    wrong.emplace_back(bad);
    CHECK_FALSE(model::parse_facts(wrong));
  }
}

}  // namespace memonline
