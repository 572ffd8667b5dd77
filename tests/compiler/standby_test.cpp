// SPDX-License-Identifier: LGPL-2.1-or-later
// Standby memory of s390x that must be configured first: the kernel model, and plans that do it.
#include "compiler/kernel/model.hpp"
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
using model::Host;
using model::State;
using model::Zone;
using namespace test;  // NOLINT

namespace {

/// 8 boot blocks, and 8 of standby memory above them; `configured` of these have blocks.
Host host_with_standby(std::uint64_t configured = 0) {
  HostBuilder builder;
  builder.boot(0, 0, 8);
  if (configured > 0) builder.standby(8, configured);
  Host host = builder.build();
  host.arch = "s390x";
  host.virtualization = "kvm";  // virtio-mem may come, so the service onlines hot-added memory
  host.configures_standby = true;
  if (configured < 8) host.standby = {{BlockId(8 + configured), BlockId(15)}};
  host.standby_own_map.emplace();
  return host;
}

std::string planned(const Host& host, const std::string& policy) {
  const Compilation c = plan_for(host, policy);
  REQUIRE(c.plan);
  return steps_text(*c.plan);
}

}  // namespace

TEST_CASE("standby: what many pieces of it may cost is bounded, where a rule names it") {
  Host host = host_with_standby();
  host.standby.clear();
  for (std::uint64_t block = 8; block < 24008; block += 2)
    host.standby.push_back({BlockId(block), BlockId(block)});
  const Compilation refused = plan_for(host, "standby: movable");
  CHECK_FALSE(refused.plan);
  CHECK(codes_text(refused.diagnostics) == "ML0514");
  CHECK(plan_for(host, "hotplugged: movable").plan);
}

TEST_CASE("kernel model: standby memory is added offline when it is configured") {
  Model model(host_with_standby());
  CHECK(model.configure({BlockId(10), BlockId(9)}));
  const Host host = model.host();
  CHECK(host.standby ==
        std::vector<BlockRange>{{BlockId(8), BlockId(8)}, {BlockId(11), BlockId(15)}});
  REQUIRE(host.find_block(BlockId(9)) != nullptr);
  CHECK(host.find_block(BlockId(9))->state == State::Offline);
  CHECK(host.find_block(BlockId(9))->node == model::NodeId(0));
  CHECK(host.devices.at(host.find_block(BlockId(9))->device).name == "standby");
  CHECK(zones_text(model.valid_zones(BlockId(9))) == "Normal Movable");
  // A second write changes nothing; memory that the firmware does not list has no file.
  CHECK(model.configure({BlockId(9), BlockId(10)}));
  CHECK(model.host() == host);
  CHECK(model.configure({BlockId(15), BlockId(16)}).error().error == Errno::Enoent);
}

TEST_CASE("kernel model: standby memory follows auto_online_blocks when it is configured") {
  for (const auto& [word, zone] :
       {std::pair("online", Zone::Normal), std::pair("online_kernel", Zone::Normal),
        std::pair("online_movable", Zone::Movable)}) {
    Model model(host_with_standby());
    REQUIRE(model.set_knob(model::Knob::AutoOnlineBlocks, word));
    REQUIRE(model.configure({BlockId(8), BlockId(15)}));
    CHECK(model.host().find_block(BlockId(12))->zones == model::ValidZones{zone});
  }
}

TEST_CASE("kernel model: only offline standby memory is deconfigured") {
  Model model(host_with_standby());
  REQUIRE(model.configure({BlockId(8), BlockId(11)}));
  REQUIRE(model.online({BlockId(10), BlockId(10)}, model::OnlineWord::OnlineMovable));
  const auto refused = model.deconfigure({BlockId(8), BlockId(11)});
  CHECK(refused.error().error == Errno::Ebusy);
  CHECK(refused.error().block == BlockId(10));
  CHECK(model.host().find_block(BlockId(8)) != nullptr);
  CHECK(model.deconfigure({BlockId(9), BlockId(8)}));
  CHECK(model.host().standby ==
        std::vector<BlockRange>{{BlockId(8), BlockId(9)}, {BlockId(12), BlockId(15)}});
  CHECK(model.deconfigure({BlockId(8), BlockId(9)}));
}

TEST_CASE("standby: a rule that names it configures what it onlines, kernel memory first") {
  const Compilation c = plan_for(host_with_standby(), "standby: last 50% movable, rest normal\n");
  REQUIRE(c.plan);
  CHECK(steps_text(*c.plan) ==
        "configure 8..11\n"
        "online_kernel 8..11 Normal\n"
        "configure 12..15\n"
        "online_movable 15..12 Movable\n");
  CHECK(layout_text(c.outcome) == "NNNNNNNNNNNNMMMM");
  CHECK(c.outcome.standby.empty());
  CHECK(steps_text(*plan_for(c.outcome, "standby: last 50% movable, rest normal\n").plan).empty());
}

TEST_CASE("standby: only rules that name it apply to memory without blocks") {
  const Host host = host_with_standby();
  for (const char* policy :
       {"hotplugged: movable\nset hotplug = service\n", "all: keep\nstandby: movable\n",
        "standby: keep\n", "standby: offline\n",
        "hotplugged: normal\nstandby: movable\nset hotplug = service\n"}) {
    INFO(policy);
    CHECK(planned(host, policy).empty());
    CHECK(layout_text(plan_for(host, policy).outcome) == "NNNNNNNN");
  }
  // Shares of other rules do not count it.
  CHECK(planned(host, "block 8: keep\nstandby: 50% movable, rest offline\n") ==
        "configure 13..15\nonline_movable 15..13 Movable\n");
  CHECK(planned(host, "standby node0 except block 10-15: movable\n") ==
        "configure 8..9\nonline_movable 9..8 Movable\n");
  CHECK(codes_text(plan_for(host, "standby: movable\n").diagnostics).find("ML0607") ==
        std::string::npos);
  CHECK(codes_text(plan_for(host, "standby block 8-9: movable\n").diagnostics) == "ML0607");
}

TEST_CASE("standby: blocks that are configured count for the shares") {
  CHECK(planned(host_with_standby(2), "standby: movable\n") ==
        "configure 10..15\nonline_movable 15..8 Movable\n");
  CHECK(planned(host_with_standby(2), "standby: first 4 blocks normal, rest offline\n") ==
        "configure 10..11\nonline_kernel 8..11 Normal\n");
  CHECK(planned(host_with_standby(), "standby: movable\nlimit movable to 3 blocks\n") ==
        "configure 8..12\nonline_kernel 8..12 Normal\n"
        "configure 13..15\nonline_movable 15..13 Movable\n");
}

TEST_CASE("standby: the kernel does not online what the plan configures") {
  Host host = host_with_standby();
  host.knobs.auto_online_blocks = "online";
  for (const char* hotplug : {"", "set hotplug = service\n"}) {
    const std::string steps = planned(host, std::string(hotplug) + "standby: movable\n");
    CHECK(steps.find("set auto_online_blocks=offline for the run\nconfigure 8..15\n") == 0);
  }
  host.knobs.auto_online_blocks = "online_movable";
  CHECK(planned(host, "standby: movable\n").find("set auto_online_blocks=offline for the run\n") ==
        0);
}

TEST_CASE("standby: offline returns what is configured") {
  Host host = host_with_standby(4);
  const Compilation c = plan_for(host, "standby: offline\n");
  REQUIRE(c.plan);
  CHECK(steps_text(*c.plan) == "deconfigure 11..8\n");
  CHECK(layout_text(c.outcome) == "NNNNNNNN");
  CHECK(c.outcome.standby == std::vector<BlockRange>{{BlockId(8), BlockId(15)}});
  CHECK(steps_text(*plan_for(c.outcome, "standby: offline\n").plan).empty());
  // Other rules leave it configured, and so does an older kernel.
  CHECK(planned(host, "hotplugged: offline\n").empty());
  CHECK(planned(host, "standby: keep\n").empty());
  host.configures_standby = false;
  CHECK(planned(host, "standby: offline\n").empty());
}

TEST_CASE("standby: offline returns what is online only if it may be rezoned") {
  Model model(host_with_standby(4));
  REQUIRE(model.online({BlockId(11), BlockId(10)}, model::OnlineWord::OnlineMovable));
  const Host host = model.host();
  CHECK(planned(host, "standby: offline\n") == "deconfigure 9..8\n");
  CHECK(planned(host, "standby: offline\nset rezone = allowed\n") ==
        "offline 11..10 Movable\ndeconfigure 11..10\ndeconfigure 9..8\n");
}

TEST_CASE("standby: memmap-on-memory is chosen before memory is configured") {
  const std::string movable = "\nonline_movable 15..8 Movable\n";
  Host host = host_with_standby();
  host.facts.memmap_pages = true;
  const std::string on = "standby: movable\nset memmap-on-memory = on\n";
  // The kernel was booted without it.
  CHECK(planned(host, on) == "configure 8..15" + movable);
  host.knobs.memmap_on_memory = "Y";
  CHECK(planned(host, on) == "configure 8..15 own map" + movable);
  CHECK(planned(host, "standby: movable\n") == "configure 8..15" + movable);
  host.standby_own_map = {{BlockId(8), BlockId(15)}};
  CHECK(planned(host, on) == "configure 8..15" + movable);
  CHECK(planned(host, "standby: movable\nset memmap-on-memory = off\n") ==
        "configure 8..15 no own map" + movable);
  host.standby_own_map.reset();
  const Compilation c = plan_for(host, on);
  CHECK(steps_text(*c.plan) == "configure 8..15" + movable);
  CHECK(codes_text(c.diagnostics).find("ML0608") != std::string::npos);
}

TEST_CASE("standby: a plan that was carried out in part is on the way") {
  const Host host = host_with_standby(2);
  Host known = host;
  const Compilation c = plan_for(host, "standby block 10-11: movable\nstandby: offline\n");
  REQUIRE(c.plan);
  CHECK(steps_text(*c.plan) ==
        "configure 10..11\nonline_movable 11..10 Movable\ndeconfigure 9..8\n");
  Model model(host);
  CHECK(plan::compare(*c.plan, model.host()).same);
  REQUIRE(model.configure({BlockId(10), BlockId(10)}));
  CHECK(plan::compare(*c.plan, model.host()).on_the_way);
  REQUIRE(model.configure({BlockId(11), BlockId(11)}));
  REQUIRE(model.online({BlockId(11), BlockId(10)}, model::OnlineWord::OnlineMovable));
  REQUIRE(model.deconfigure({BlockId(9), BlockId(9)}));
  CHECK(plan::compare(*c.plan, model.host()).on_the_way);
  CHECK_FALSE(plan::compare(*c.plan, model.host()).fulfilled);
  REQUIRE(model.deconfigure({BlockId(8), BlockId(8)}));
  CHECK(plan::compare(*c.plan, model.host()).fulfilled);
  // Blocks that no step adds or removes are a difference.
  REQUIRE(model.configure({BlockId(15), BlockId(15)}));
  CHECK_FALSE(plan::compare(*c.plan, model.host()).on_the_way);
}

}  // namespace memonline
