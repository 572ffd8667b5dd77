// SPDX-License-Identifier: LGPL-2.1-or-later
// A plan against hosts that changed since it was made: a table of what happened, what is to be said
// of it, and the words for it.
#include "compiler/plan/compare.hpp"

#include <functional>

#include "compiler/kernel/model.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

using namespace memonline;
using Lines = std::vector<std::string>;
using model::BlockId;
using model::Host;
using model::OnlineWord;
using model::Zone;
using test::HostBuilder;

namespace {

HostBuilder base() {
  HostBuilder builder;
  builder.boot(0, 0, 8).dimm(0, 32, 8).dimm(1, 40, 8).has_cpu(1, false).parameter("quiet");
  return builder;
}

Host host_before() {
  Host host = base().build();
  host.knobs.auto_online_blocks = "online";
  return host;
}

// online_kernel 32..33, online_movable 39..34, online_kernel 40..41, online_movable 47..42
plan::Plan plan_before() {
  const Compilation c =
      test::plan_for(host_before(),
                     "hotplugged except node1: first 2 blocks normal, rest movable\n"
                     "hotplugged: first 2 blocks normal, rest movable\n");
  REQUIRE(c.plan.has_value());
  REQUIRE(test::steps_text(*c.plan) ==
          "set auto_online_blocks=offline for the run\nonline_kernel 32..33 Normal\n"
          "online_kernel 40..41 Normal\nonline_movable 39..34 Movable\n"
          "online_movable 47..42 Movable\n");
  // A knob that is to stay counts for whether the plan is fulfilled.
  plan::Plan plan = *c.plan;
  std::get<plan::SetKnob>(plan.steps.front().action).scope = plan::KnobScope::Stay;
  return plan;
}

using Change = std::function<void(kernel::Model&)>;

Change writes(std::vector<std::pair<model::WriteRun, OnlineWord>> runs) {
  return [runs](kernel::Model& model) {
    REQUIRE(model.set_knob(model::Knob::AutoOnlineBlocks, "offline").has_value());
    for (const auto& [run, word] : runs) REQUIRE(model.online(run, word).has_value());
  };
}

model::WriteRun run(std::uint64_t first, std::uint64_t last) {
  return {BlockId(first), BlockId(last)};
}

const std::vector<std::pair<model::WriteRun, OnlineWord>> kAll{
    {run(32, 33), OnlineWord::OnlineKernel},
    {run(40, 41), OnlineWord::OnlineKernel},
    {run(39, 34), OnlineWord::OnlineMovable},
    {run(47, 42), OnlineWord::OnlineMovable}};

Host changed(const Change& change) {
  kernel::Model model(host_before());
  change(model);
  return model.host();
}

struct Case {
  const char* name;
  Host now;
  const char* verdict;  ///< what is true of it
  Lines lines;
};

std::string verdict_of(const plan::Comparison& c) {
  std::string text;
  if (c.same) text += "same ";
  if (c.fulfilled) text += "fulfilled ";
  if (c.on_the_way) text += "on the way ";
  if (!text.empty()) text.pop_back();
  return text;
}

template <class Edit>
Host edited(Edit edit) {
  Host host = host_before();
  edit(host);
  return host;
}

model::BlockRun& run_at(Host& host, std::uint64_t block) {
  for (model::BlockRun& run : host.blocks)
    if (run.first == BlockId(block)) return run;
  FAIL("no run starts there");
  return host.blocks.front();
}

}  // namespace

TEST_CASE("compare: a table of what may have happened since the plan was made") {
  const std::string knob = "auto_online_blocks was online, is offline";
  const std::vector<Case> cases{
      {"nothing", host_before(), "same", {}},
      {"all of it, by somebody",
       changed(writes(kAll)),
       "fulfilled on the way",
       {knob, "memory32..33 were offline, are online in Normal",
        "memory34..39 were offline, are online in Movable",
        "memory40..41 were offline, are online in Normal",
        "memory42..47 were offline, are online in Movable"}},
      {"killed before the first block", changed(writes({})), "on the way", {knob}},
      {"killed after a block of a run that goes down",
       changed(writes({kAll[0], kAll[1], {run(39, 39), OnlineWord::OnlineMovable}})),
       "on the way",
       {knob, "memory32..33 were offline, are online in Normal",
        "memory39 was offline, is online in Movable",
        "memory40..41 were offline, are online in Normal"}},
      {"one block is in the wrong zone",
       changed(writes({{run(32, 32), OnlineWord::OnlineMovable}})),
       "",
       {knob, "memory32 was offline, is online in Movable"}},
      {"a block that the plan does not touch",
       changed([](kernel::Model& model) { REQUIRE(model.offline(run(7, 7)).has_value()); }),
       "",
       {"memory7 was online in Normal, is offline"}},
      {"new blocks",
       changed([](kernel::Model& model) {
         REQUIRE(model.add(BlockId(64), 8, model::NodeId(1), 1).has_value());
       }),
       "",
       {"memory64..71 are new: offline, node1"}},
      {"a block is gone",
       edited([](Host& host) { run_at(host, 40).count = 7; }),
       "",
       {"memory47 is gone"}},
      {"all of it, and new memory",
       [] {
         kernel::Model model(host_before());
         writes(kAll)(model);
         REQUIRE(model.add(BlockId(64), 1, model::NodeId(1), 1).has_value());
         return model.host();
       }(),
       "fulfilled",
       {knob, "memory32..33 were offline, are online in Normal",
        "memory34..39 were offline, are online in Movable",
        "memory40..41 were offline, are online in Normal",
        "memory42..47 were offline, are online in Movable", "memory64 is new: offline, node1"}},
      {"all blocks, but the knob says something else",
       [] {
         Host host = changed(writes(kAll));
         host.knobs.auto_online_blocks = "online_movable";
         return host;
       }(),
       "",
       {"auto_online_blocks was online, is online_movable",
        "memory32..33 were offline, are online in Normal",
        "memory34..39 were offline, are online in Movable",
        "memory40..41 were offline, are online in Normal",
        "memory42..47 were offline, are online in Movable"}},
      {"other knobs",
       edited([](Host& host) {
         host.knobs.auto_movable_ratio.reset();
         host.knobs.online_policy = "auto-movable";
       }),
       "",
       {"online_policy was contig-zones, is auto-movable", "auto_movable_ratio is gone"}},
      {"another command line",
       edited([](Host& host) {
         host.command_line = {"a b", "c"};
       }),
       "",
       {"kernel parameter `quiet` is gone", "kernel parameter `a b` is new",
        "kernel parameter `c` is new"}},
      {"another machine",
       edited([](Host& host) {
         host.block_size = model::Bytes(2ULL << 30);
         host.page_size = 65536;
         host.arch = "ppc64le";
         host.era = model::Era::C2;
         host.hot_remove = false;
       }),
       "",
       {"block size was 128 MiB, is 2 GiB", "page size was 4096, is 65536",
        "era of the kernel was D, is C2", "architecture was x86_64, is ppc64le",
        "the kernel can no longer offline memory"}},
      {"other nodes and devices",
       edited([](Host& host) {
         host.nodes[1].has_cpu = true;
         host.nodes.push_back({model::NodeId(2), false, {}});
         run_at(host, 40).node = model::NodeId(2);
         run_at(host, 32).device = run_at(host, 40).device;
       }),
       "",
       {"node1 had no CPUs, has CPUs", "node2 is new", "memory32..39 were of dimm0, are of dimm1",
        "memory40..47 were on node1, are on node2"}},
      {"nothing but what offline blocks offer",
       edited([](Host& host) {
         run_at(host, 40).zones = {Zone::Movable, Zone::Normal};
       }),
       "on the way",
       {"memory40..47 offered `Normal Movable`, offer `Movable Normal`"}},
      {"a block between states",
       edited([](Host& host) { run_at(host, 32).state = model::State::GoingOffline; }),
       "",
       {"memory32..39 were offline, are being offlined"}},
  };
  const plan::Plan plan = plan_before();
  for (const Case& one : cases) {
    INFO(one.name);
    const plan::Comparison c = plan::compare(plan, one.now);
    CHECK(verdict_of(c) == one.verdict);
    CHECK(c.lines == one.lines);
  }
}

TEST_CASE("compare: a knob for the run counts on the way, and not for what is fulfilled") {
  Host host = base().build();
  host.knobs.auto_online_blocks = "online";
  const Compilation c = test::plan_for(host, "hotplugged: movable");
  REQUIRE(c.plan.has_value());
  kernel::Model model(host);
  const auto verdict = [&] { return verdict_of(plan::compare(*c.plan, model.host())); };
  REQUIRE(model.set_knob(model::Knob::AutoOnlineBlocks, "offline").has_value());
  CHECK(verdict() == "on the way");
  REQUIRE(model.online(run(39, 32), OnlineWord::OnlineMovable).has_value());
  REQUIRE(model.online(run(47, 40), OnlineWord::OnlineMovable).has_value());
  CHECK(verdict() == "on the way");
  REQUIRE(model.set_knob(model::Knob::AutoOnlineBlocks, "online_movable").has_value());
  CHECK(verdict() == "fulfilled on the way");
  REQUIRE(model.set_knob(model::Knob::AutoOnlineBlocks, "online_kernel").has_value());
  CHECK(verdict().empty());
}

TEST_CASE("compare: blocks that go offline and come back are on the way in both states") {
  HostBuilder builder;
  builder.boot(0, 0, 8).dimm(0, 31, 1).dimm_online(0, 32, 4, Zone::Normal);
  const Host host = builder.build();
  const Compilation c = test::plan_for(host, "set rezone = allowed\nhotplugged: movable\n");
  REQUIRE(c.plan.has_value());
  kernel::Model model(host);
  const auto verdict = [&] { return verdict_of(plan::compare(*c.plan, model.host())); };
  REQUIRE(model.offline(run(35, 34)).has_value());
  CHECK(verdict() == "on the way");
  REQUIRE(model.offline(run(33, 32)).has_value());
  REQUIRE(model.online(run(35, 35), OnlineWord::OnlineMovable).has_value());
  CHECK(verdict() == "on the way");
  REQUIRE(model.online(run(34, 33), OnlineWord::OnlineMovable).has_value());
  REQUIRE(model.online(run(32, 32), OnlineWord::OnlineKernel).has_value());
  CHECK(verdict() == "on the way");  // as planned for
}

TEST_CASE("compare: many differences are counted, not listed") {
  HostBuilder builder;
  builder.boot(0, 0, 2);
  for (std::uint64_t i = 0; i < 60; i += 2) builder.dimm(0, 32 + i, 1);
  Host host = builder.build();
  const Compilation c = test::plan_for(host, "hotplugged: offline");
  REQUIRE(c.plan.has_value());
  host.blocks.resize(1);
  const Lines lines = plan::compare(*c.plan, host).lines;
  REQUIRE(lines.size() == 21);
  CHECK(lines[0] == "memory32 is gone");
  CHECK(lines[19] == "memory70 is gone");
  CHECK(lines[20] == "and 10 more");
}

TEST_CASE("compare: a probed block may be new, and a plan without facts is never the same") {
  const Host host = base().build();
  Compilation c = test::plan_for(host, "boot: keep");
  REQUIRE(c.plan.has_value());
  CHECK(verdict_of(plan::compare(*c.plan, host)) == "same fulfilled");
  c.plan->steps.push_back({1, plan::ProbeBlock{64ULL * (128U << 20)}, {}, {}});
  CHECK(verdict_of(plan::compare(*c.plan, host)) == "same");
  kernel::Model model(host);
  REQUIRE(model.add(BlockId(64), 1, model::NodeId(0), 1).has_value());
  CHECK(verdict_of(plan::compare(*c.plan, model.host())) == "fulfilled on the way");
  c.plan->host.facts.clear();
  const plan::Comparison blind = plan::compare(*c.plan, host);
  CHECK(verdict_of(blind).empty());
  CHECK(blind.lines == Lines{"the plan does not contain the facts of its host"});
}

TEST_CASE("compare: kernel parameters count as done when the kernel was booted with them") {
  Host host = base().build();
  Compilation c = test::plan_for(host, "boot: keep");
  REQUIRE(c.plan.has_value());
  c.plan->steps.push_back({1, plan::SetParameters{{"movable_node"}, {"quiet"}}, {}, {}});
  CHECK(verdict_of(plan::compare(*c.plan, host)) == "same");
  host.command_line = {"movable_node"};
  CHECK(verdict_of(plan::compare(*c.plan, host)) == "fulfilled");
}

TEST_CASE("compare: the cost is that of the runs, not of their blocks") {
  constexpr std::uint64_t kMany = 1ULL << 40U;  // one by one this would never end
  HostBuilder builder;
  builder.boot(0, 0, 8).dimm(0, 32, kMany);
  const Host host = builder.build();
  const Compilation c = test::plan_for(host, "hotplugged: last 50% movable\n");
  REQUIRE(c.plan.has_value());
  CHECK(verdict_of(plan::compare(*c.plan, host)) == "same");
  const plan::Comparison done = plan::compare(*c.plan, c.outcome);
  CHECK(verdict_of(done) == "fulfilled on the way");
  CHECK(done.lines.size() == 1);
}
