// SPDX-License-Identifier: LGPL-2.1-or-later
// What a plan makes of blocks of which the host does not show enough.
#include <nlohmann/json.hpp>

#include "compiler/plan/drift.hpp"
#include "compiler/plan/verdict.hpp"
#include "compiler/render/plan.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

namespace memonline {

using model::Device;
using model::Host;
using model::Origin;
using model::State;
using model::ValidZones;
using model::Zone;
using namespace test;  // NOLINT

namespace {

/// 8 boot blocks; 8 offline ones that may belong to a driver; a DIMM of 8.
Host some_host(Origin origin = Origin::Hotplugged) {
  Host host = HostBuilder().boot(0, 0, 8).dimm(0, 32, 8).dimm(1, 48, 8).build();
  Device& unknown = host.devices.at(host.find_block(model::BlockId(32))->device);
  unknown = Device{};
  unknown.origin = origin;
  return host;
}

std::string kept(const Compilation& c) {
  std::string text;
  for (const plan::Skipped& skipped : c.plan->skipped)
    if (!skipped.unknown.empty())
      text += std::to_string(skipped.blocks.first.value()) + ".." +
              std::to_string(skipped.blocks.last.value()) + " " + skipped.unknown + "; ";
  return text;
}

std::string message_of(const Compilation& c, diag::Code code) {
  for (const diag::Diagnostic& d : c.diagnostics.all())
    if (d.code == code) return d.message;
  return {};
}

}  // namespace

TEST_CASE("unknown: a block that an earlier rule may select is kept, and warned of once") {
  const auto c =
      plan_for(some_host(), "driver NVIDIA: keep\ndriver amdgpu: keep\nhotplugged: movable\n");
  CHECK(steps_text(*c.plan).find("online_movable 55..48") != std::string::npos);
  CHECK(steps_text(*c.plan).find("32") == std::string::npos);
  CHECK(kept(c) == "32..39 driver; ");
  CHECK(codes_text(c.diagnostics) == "ML0602");
  CHECK(message_of(c, diag::Code::HostDoesNotTell).find("the driver of memory32..39") == 0);
}

TEST_CASE(
    "unknown: an `except` that cannot be decided keeps, one that is certainly false does not") {
  CHECK(kept(plan_for(some_host(), "hotplugged except driver NVIDIA: movable\n")) ==
        "32..39 driver; ");
  CHECK(kept(plan_for(some_host(), "hotplugged except driver NVIDIA node7: movable\n")).empty());
  // Excepted for certain: the next rule takes it.
  const auto c = plan_for(some_host(), "hotplugged except node0: movable\nnode0: normal\n");
  CHECK(kept(c).empty());
  CHECK(steps_text(*c.plan).find("online_kernel") != std::string::npos);
}

TEST_CASE("unknown: beside a class that is certainly false nothing is unknown") {
  const auto c = plan_for(some_host(), "driver NVIDIA node1: keep\nhotplugged: movable\n");
  CHECK(kept(c).empty());
  CHECK(layout_text(c.outcome) == "NNNNNNNNMMMMMMMMMMMMMMMM");
}

TEST_CASE("unknown: a kind of device that is ruled out selects nothing") {
  Host host = some_host();
  const std::string policy = "virtio-mem: keep\ndax: keep\ndimm0: keep\nhotplugged: movable\n";
  CHECK(kept(plan_for(host, policy)) == "32..39 device; ");
  host.ruled_out = {true, true, true};
  CHECK(kept(plan_for(host, policy)).empty());
  CHECK(kept(plan_for(host, "driver kmem: keep\nhotplugged: movable\n")).empty());
}

TEST_CASE("unknown: only s390x has standby memory") {
  Host host = some_host();
  const std::string policy = "standby: keep\nhotplugged: movable\n";
  for (const char* arch : {"s390x", ""}) {
    host.arch = arch;
    CHECK(kept(plan_for(host, policy)) == "32..39 device; ");
  }
  host.arch = "x86_64";
  CHECK(kept(plan_for(host, policy)).empty());
}

TEST_CASE("unknown: memory of unknown origin is kept under `boot` and `hotplugged` alike") {
  for (const char* policy : {"boot: movable\n", "hotplugged: movable\n"})
    CHECK(kept(plan_for(some_host(Origin::Unknown), policy)) == "32..39 origin; ");
  CHECK(kept(plan_for(some_host(Origin::Unknown), "block 32-39: movable\n")).empty());
}

TEST_CASE("unknown: without a node a block is kept under rules that ask for it") {
  Host host = HostBuilder().boot(0, 0, 8).dimm(0, 32, 8).build();
  host.blocks.back().node.reset();
  CHECK(kept(plan_for(host, "node0: movable\n")) == "32..39 node; ");
  CHECK(kept(plan_for(host, "cpuless: movable\n")) == "32..39 node; ");
  host.blocks.back().node = model::NodeId(0);
  host.nodes.front().has_cpu.reset();
  CHECK(kept(plan_for(host, "cpuless hotplugged: movable\n")) == "32..39 CPU list of the node; ");
}

TEST_CASE("unknown: shares count no block of an unknown zone, and the plan says so") {
  Host host =
      HostBuilder().boot(0, 0, 8).dimm(0, 32, 8).dimm_online(0, 40, 4, Zone::Normal).build();
  for (model::BlockRun& run : host.blocks)
    if (run.first == model::BlockId(40)) run.zones = ValidZones();
  host.zone_spans_known = false;
  const auto c = plan_for(host, "hotplugged: 2 blocks normal, rest movable\n");
  CHECK(codes_text(c.diagnostics).find("ML0605") != std::string::npos);
  CHECK(codes_text(c.diagnostics).find("ML0502") == std::string::npos);
  CHECK(kept(c) == "40..43 zone; ");
  REQUIRE(c.plan->outcome.size() == 1);
  CHECK(c.plan->outcome.front().unknown == host.block_size * 4);
  const auto json = nlohmann::json::parse(render::plan_to_json(*c.plan));
  CHECK(json["outcome"][0]["bytes"]["unknown"] == (host.block_size * 4).value());
  CHECK(render::plan_to_text(*c.plan, host).find("4 online (zone unknown)") != std::string::npos);
  // A share of any zone counts them.
  CHECK(kept(plan_for(host, "hotplugged: auto\n")).empty());
}

TEST_CASE("unknown: a limit counts blocks of an unknown zone as Movable") {
  Host host =
      HostBuilder().boot(0, 0, 8).dimm(0, 32, 8).dimm_online(0, 40, 4, Zone::Normal).build();
  host.zone_spans_known = false;
  for (model::BlockRun& run : host.blocks)
    if (run.first == model::BlockId(40)) run.zones = ValidZones();
  const auto c = plan_for(host, "hotplugged: movable\nlimit movable to 6 blocks\n");
  std::uint64_t movable = 0;
  for (const plan::Step& step : c.plan->steps)
    if (const auto* online = std::get_if<plan::OnlineBlocks>(&step.action))
      if (online->zone == Zone::Movable) movable += online->blocks.count();
  CHECK(movable == 2);
}

TEST_CASE("unknown: a block whose state cannot be read is kept, named, and not judged") {
  Host host = HostBuilder().boot(0, 0, 8).dimm(0, 32, 8).build();
  host.blocks.back().state = State::Unknown;
  const auto c = plan_for(host, "hotplugged: movable\n");
  CHECK(message_of(c, diag::Code::StateUnknown).find("memory32..39") != std::string::npos);
  CHECK(kept(c) == "32..39 state; ");
  CHECK(plan::judged_blocks(*c.plan).unknown == 8);
  CHECK(plan::when_done(c.plan->judgement).verdict == plan::Verdict::PartlyJudged);
  CHECK(render::plan_to_text(*c.plan, host).find("8 in an unknown state") != std::string::npos);
}

TEST_CASE("unknown: standby memory is named, and no rule applies to it") {
  Host host = HostBuilder().boot(0, 0, 8).build();
  host.standby = {{model::BlockId(8), model::BlockId(15)}};
  const auto c = plan_for(host, "hotplugged: movable\n");
  CHECK(message_of(c, diag::Code::StandbyMemory).find("memory8..15 (1 GiB)") != std::string::npos);
  CHECK(c.plan->skipped.size() == 1);
}

}  // namespace memonline
