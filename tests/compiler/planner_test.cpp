// SPDX-License-Identifier: LGPL-2.1-or-later
// The allocation, the order and the diagnostics of plans, example by example.
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

using namespace memonline;
using model::Era;
using model::Zone;
using test::codes_text;
using test::eight_and_forty;
using test::HostBuilder;
using test::layout_text;
using test::plan_for;
using test::steps_text;

namespace {

std::string steps_for(const model::Host& host, const std::string& policy) {
  const Compilation c = plan_for(host, policy);
  return c.plan ? steps_text(*c.plan) : "no plan: " + codes_text(c.diagnostics);
}

std::string layout_for(const model::Host& host, const std::string& policy) {
  const Compilation c = plan_for(host, policy);
  return c.plan ? layout_text(c.outcome) : "no plan: " + codes_text(c.diagnostics);
}

}  // namespace

TEST_CASE("planner: the example of the design") {
  const auto host = eight_and_forty().build();
  const Compilation c = plan_for(host, "node1: last 80% movable, rest normal\n");
  REQUIRE(c.plan);
  CHECK(steps_text(*c.plan) == "online_kernel 40..41 Normal\nonline_movable 79..42 Movable\n");
  CHECK(c.plan->steps[0].rule == plan::RuleRef{"t.mempolicy", 1, 26, "rest normal"});
  CHECK(c.plan->steps[1].rule == plan::RuleRef{"t.mempolicy", 1, 8, "last 80% movable"});
  REQUIRE(c.plan->outcome.size() == 1);
  CHECK(c.plan->outcome[0].normal.value() == 1342177280);
  CHECK(c.plan->outcome[0].movable.value() == 5100273664);
  CHECK(c.plan->outcome[0].sentences == std::vector<std::string>{"80% would be 38.4"});
  CHECK(c.plan->hotplug.by == plan::Onliner::Service);
}

TEST_CASE("planner: planning after the outcome gives no steps") {
  for (const char* policy :
       {"node1: last 80% movable, rest normal", "all: auto", "hotplugged: movable",
        "node1: first 25% movable, 3 blocks offline, rest auto", "node1: 50% keep, rest movable"}) {
    INFO(policy);
    const Compilation first = plan_for(eight_and_forty().build(), policy);
    REQUIRE(first.plan);
    CHECK(steps_for(first.outcome, policy).empty());
  }
}

TEST_CASE("allocation: a fraction in six decimals is the fraction") {
  const auto layout = [](std::uint64_t blocks, const std::string& policy) {
    HostBuilder builder;
    builder.dimm(1, 32, blocks);
    return layout_for(builder.build(), policy);
  };
  CHECK(layout(9, "node1: 33.333333% movable, 66.666666% normal") == "NNNNNNMMM");
  CHECK(layout(9, "node1: 66.666667% normal, 33.333333% movable") == "NNNNNNMMM");
  CHECK(layout(3, "node1: 33.333333% movable, rest normal") == "NNM");
  CHECK(layout(7, "node1: 14.285714% movable, 85.714285% normal") == "NNNNNNM");
  CHECK(layout(7, "node1: 14.285714% movable, 85.714286% normal") == "NNNNNNM");
  // One millionth further away it is another amount.
  CHECK(layout(9, "node1: 33.333332% movable, rest normal") == "NNNNNNNMM");
  CHECK(layout(9, "node1: 66.666668% normal, rest movable") == "NNNNNNNMM");
  // The least percentage is no error.
  CHECK(layout(9, "node1: 0.000001% normal, rest movable") == "NMMMMMMMM");
  CHECK(layout(9, "node1: 99.999999% movable, rest normal") == "NMMMMMMMM");
}

TEST_CASE("allocation: normal rounds up, others down, rest takes what is left") {
  HostBuilder builder;
  builder.boot(0, 0, 4).dimm(1, 32, 5);
  const auto host = builder.build();
  CHECK(layout_for(host, "node1: 50% normal, 50% movable") ==
        "NNNN"
        "NNNMM");
  CHECK(layout_for(host, "node1: 50% movable, rest normal") ==
        "NNNN"
        "NNNMM");
  CHECK(layout_for(host, "node1: 50% movable") ==
        "NNNN"
        "...MM");
  CHECK(layout_for(host, "node1: 200MiB normal, rest movable") ==
        "NNNN"
        "NNMMM");
  CHECK(layout_for(host, "node1: 200MiB movable, rest offline") ==
        "NNNN"
        "....M");
  CHECK(layout_for(host, "node1: first 2 blocks movable, last 1 blocks normal") ==
        "NNNN"
        "MM..N");
  CHECK(layout_for(host, "node1: last 1 blocks movable, last 2 blocks normal, rest offline") ==
        "NNNN"
        "..NNM");
}

TEST_CASE("allocation: shares beyond the group are served in the order written, with a warning") {
  HostBuilder builder;
  builder.boot(0, 0, 4).dimm(1, 32, 4);
  const Compilation c = plan_for(builder.build(), "node1: first 3 blocks normal, 3 blocks movable");
  REQUIRE(c.plan);
  CHECK(layout_text(c.outcome) ==
        "NNNN"
        "NNNM");
  CHECK(codes_text(c.diagnostics) == "ML0501");
}

TEST_CASE("allocation: a share of less than a block is told, and one of nothing once") {
  const auto host = eight_and_forty().build();
  CHECK(codes_text(plan_for(host, "node1: 64MiB movable, rest normal").diagnostics) == "ML0509");
  CHECK(codes_text(plan_for(host, "node1: 0 blocks movable, rest normal").diagnostics) == "ML0307");
}

TEST_CASE("allocation: online blocks count for their zone and stay") {
  HostBuilder builder;
  builder.boot(0, 0, 8).dimm(0, 32, 8);
  const auto host = builder.build();
  // 16 blocks: movable 8 and normal 8, which are there.
  CHECK(layout_for(host, "all: 50% movable, rest normal") ==
        "NNNNNNNN"
        "MMMMMMMM");
  const Compilation c = plan_for(host, "all: 75% movable, rest normal");
  REQUIRE(c.plan);
  CHECK(layout_text(c.outcome) ==
        "NNNNNNNN"
        "MMMMMMMM");
  CHECK(codes_text(c.diagnostics) == "ML0502");
}

TEST_CASE("allocation: normal shares are paid first and in full") {
  HostBuilder builder;
  builder.boot(0, 0, 1).dimm(1, 32, 2).dimm_online(1, 34, 6, Zone::Movable);
  // Of node 1's 8 blocks normal is owed 4 and movable has 6 already: both offline ones are normal.
  CHECK(layout_for(builder.build(), "node1: 50% movable, rest normal") ==
        "N"
        "NNMMMMMM");
}

TEST_CASE("allocation: growing a group moves nothing that is online") {
  HostBuilder grown;
  grown.boot(0, 0, 1)
      .dimm(1, 32, 1)
      .dimm_online(1, 33, 2, Zone::Normal)
      .dimm_online(1, 35, 6, Zone::Movable)
      .dimm(1, 41, 8);
  const Compilation c = plan_for(grown.build(), "node1: last 80% movable, rest normal");
  REQUIRE(c.plan);
  // 17 blocks: movable 13, normal 4; 6 and 2 are there, 7 and 2 owed.
  CHECK(layout_text(c.outcome) ==
        "N"
        "NNNMMMMMM"
        "NMMMMMMM");
  CHECK(codes_text(c.diagnostics) == "ML0503");
}

TEST_CASE("allocation: rezone = allowed takes only what no share counts") {
  HostBuilder builder;
  builder.boot(0, 0, 2).dimm(1, 32, 1).dimm_online(1, 33, 7, Zone::Normal);
  const auto host = builder.build();
  CHECK(layout_for(host, "node1: last 50% movable, rest normal") ==
        "NN"
        "MNNNNNNN");
  const std::string policy = "set rezone = allowed\nnode1: last 50% movable, rest normal\n";
  CHECK(layout_for(host, policy) ==
        "NN"
        "MNNNNMMM");
  CHECK(steps_for(host, policy) ==
        "online_movable 32 Movable\noffline 39..37 Normal\nonline_movable 39..37 Movable\n");
}

TEST_CASE("allocation: rezone takes the blocks at the place of the share that lacks them") {
  const auto all_movable = [](std::uint64_t blocks) {
    return HostBuilder().boot(0, 0, 1).boot(0, 8, blocks, Zone::Movable).build();
  };
  const auto layout = [&](std::uint64_t blocks, const std::string& shares) {
    return layout_for(all_movable(blocks), "set rezone = allowed\nblock 8-15: " + shares);
  };
  CHECK(layout(2, "first 50% offline, 1 block movable") == "N.M");
  CHECK(layout(3, "last 1 block movable, rest offline") == "N..M");
  CHECK(layout(3, "first 1 block movable, rest offline") == "NM..");
  CHECK(layout(3, "rest movable, last 1 block offline") == "NMM.");
  // A share on either side of the one that lacks a block.
  CHECK(layout(3, "first 1 block movable, 1 block offline, last 1 block movable") == "NM.M");
  // Movable is above normal memory, and what goes offline is above both.
  CHECK(layout_for(all_movable(3),
                   "set rezone = allowed\nall: first 1 block normal, rest movable, "
                   "last 1 block offline") == "NMM.");
}

TEST_CASE("allocation: rezone leaves blocks alone that are not all RAM") {
  HostBuilder builder(model::Era::D);
  builder.boot(0, 0, 3, Zone::Dma32).boot(0, 3, 1, Zone::Dma32).holes(3, 1);
  CHECK(layout_for(builder.build(),
                   "set rezone = allowed\nboot: last 2 blocks movable, rest normal") == "NMMN");
}

TEST_CASE("skipped: online blocks in the wrong zone name the share that misses them") {
  HostBuilder builder;
  builder.boot(0, 0, 2).dimm(1, 32, 1).dimm_online(1, 33, 3, Zone::Normal);
  const Compilation c = plan_for(builder.build(), "node1: last 75% movable, rest normal");
  REQUIRE(c.plan);
  std::string skipped;
  for (const plan::Skipped& one : c.plan->skipped)
    skipped += std::to_string(one.blocks.first.value()) + ".." +
               std::to_string(one.blocks.last.value()) + " " + one.wanted + "\n";
  CHECK(skipped == "0..1 keep\n33..33 normal\n34..35 movable\n");
}

TEST_CASE("limit: the lowest blocks about to become movable become normal") {
  const auto host = eight_and_forty().build();
  // 40 Movable to 8 Normal: 36 to 12 keeps 3x.
  CHECK(layout_for(host, "hotplugged: movable\nlimit movable to 3x normal") ==
        std::string(12, 'N') + std::string(36, 'M'));
  CHECK(layout_for(host, "hotplugged: movable\nlimit movable to 50%") ==
        std::string(24, 'N') + std::string(24, 'M'));
  CHECK(layout_for(host, "hotplugged: movable\nlimit movable to 1GiB per node") ==
        std::string(40, 'N') + std::string(8, 'M'));
}

TEST_CASE("limit: what is Movable already stays, and is said") {
  HostBuilder builder;
  builder.boot(0, 0, 2).dimm(0, 32, 2).dimm_online(0, 34, 8, Zone::Movable);
  const Compilation c =
      plan_for(builder.build(), "hotplugged: movable\nlimit movable to 1x normal");
  REQUIRE(c.plan);
  CHECK(layout_text(c.outcome) ==
        "NN"
        "NNMMMMMMMM");
  CHECK(codes_text(c.diagnostics) == "ML0507");
}

TEST_CASE("limit: it holds for what the kernel picks, too") {
  HostBuilder builder;
  builder.boot(0, 0, 4).dimm(0, 32, 16).parameter("movable_node");
  CHECK(layout_for(builder.build(), "hotplugged: auto\nlimit movable to 1GiB") ==
        "NNNN"
        "NNNNNNNNMMMMMMMM");
}

TEST_CASE("select: the first rule that selects a block governs it") {
  HostBuilder builder;
  builder.boot(0, 0, 4).dimm(0, 32, 4).dimm(1, 40, 4).has_cpu(1, false);
  const auto host = builder.build();
  CHECK(layout_for(host, "dimm1: movable\nhotplugged: normal") ==
        "NNNN"
        "NNNN"
        "MMMM");
  CHECK(layout_for(host, "all except boot: movable") ==
        "NNNN"
        "MMMM"
        "MMMM");
  CHECK(layout_for(host, "hotplugged except node1: movable") ==
        "NNNN"
        "MMMM"
        "....");
  CHECK(layout_for(host, "cpuless: movable\nhotplugged: normal") ==
        "NNNN"
        "NNNN"
        "MMMM");
  CHECK(layout_for(host, "each dimm: first 1 blocks normal, rest movable") ==
        "NNNN"
        "NMMM"
        "NMMM");
  CHECK(layout_for(host, "each node: last 50% movable, rest normal") ==
        "NNNN"
        "MMMM"
        "NNMM");
  CHECK(layout_for(host, "block 33-34: movable") ==
        "NNNN"
        ".MM."
        "....");
  CHECK(layout_for(host, "address 0x100000000-0x10fffffff: movable") ==
        "NNNN"
        "MM.."
        "....");
}

TEST_CASE("select: standby memory is hotplugged memory of its own") {
  HostBuilder builder;
  builder.boot(0, 0, 4).standby(32, 4).virtio_mem(0, 40, 4);
  const auto host = builder.build();
  CHECK(layout_for(host, "standby: movable\nhotplugged: normal") ==
        "NNNN"
        "MMMM"
        "NNNN");
  CHECK(layout_for(host, "hotplugged except standby: movable") ==
        "NNNN"
        "...."
        "MMMM");
  CHECK(layout_for(host, "standby except block 32: last 50% movable, rest normal") ==
        "NNNN"
        ".NNM"
        "....");
}

TEST_CASE("select: a list of blocks with a gap selects the blocks of the list") {
  HostBuilder builder;
  builder.dimm(1, 32, 12);
  const Compilation c =
      plan_for(builder.build(), "block 32-33,38: keep\nblock 36,41-42: normal\nall: movable\n");
  REQUIRE(c.plan);
  CHECK(layout_text(c.outcome) == "..MMNM.MMNNM");
  CHECK(codes_text(c.diagnostics).find("ML0602") == std::string::npos);
}

TEST_CASE("select: a rule that names what is not there is noted, with what there is") {
  HostBuilder builder;
  builder.boot(0, 0, 4).dimm(0, 32, 4).dimm(2, 40, 4);
  const auto host = builder.build();
  const auto said = [&](const std::string& policy) {
    const Compilation c = plan_for(host, policy);
    REQUIRE(c.plan);
    std::string text;
    for (const plan::PlanDiagnostic& d : c.plan->diagnostics)
      text += d.code + " " + std::string(diag::severity_name(d.severity)) + " " +
              std::to_string(d.column) + ": " + d.help + "\n";
    return text;
  };
  CHECK(said("node1: movable") == "ML0513 note 1: its memory is on node0, node2\n");
  CHECK(said("hotplugged node3-5: movable") == "ML0513 note 12: its memory is on node0, node2\n");
  CHECK(said("dimm7: movable") == "ML0513 note 1: its DIMMs are dimm0-1\n");
  CHECK(said("block 8-9: movable") == "ML0513 note 1: `memonline status` lists all memory\n");
  CHECK(said("address 0x8000000000-0x8fffffffff: movable") ==
        "ML0513 note 1: `memonline status` lists all memory\n");
  CHECK(said("dax dax0.0: movable") == "ML0513 note 1: `memonline status` lists all memory\n");
  // One of a list is there; another rule had it before; nothing is named.
  CHECK(said("node1-2: movable").empty());
  CHECK(said("hotplugged: movable\nnode2: normal").empty());
  CHECK(said("virtio-mem: movable").empty());
}

TEST_CASE("select: of a host that does not tell its nodes, none is said to be missing") {
  auto host = eight_and_forty().build();
  for (model::BlockRun& run : host.blocks) run.node.reset();
  for (const char* policy : {"node7: movable", "all: keep\nnode7: movable"}) {
    const Compilation c = plan_for(host, policy);
    CHECK(codes_text(c.diagnostics).find("ML0513") == std::string::npos);
  }
}

TEST_CASE("order: kernel memory first on every node, movable downwards") {
  HostBuilder builder;
  builder.boot(0, 0, 4).dimm(0, 32, 4).dimm(1, 40, 24);
  CHECK(steps_for(builder.build(), "each dimm: first 25% normal, rest movable\n") ==
        "online_kernel 32 Normal\nonline_kernel 40..45 Normal\n"
        "online_movable 35..33 Movable\nonline_movable 63..46 Movable\n");
}

TEST_CASE("order: legal in every era, or an error that names the block in the way") {
  for (const Era era : {Era::A1, Era::A2, Era::A3, Era::B, Era::C1, Era::C2, Era::D}) {
    INFO(model::era_name(era));
    const auto host = eight_and_forty(era).build();
    CHECK(layout_for(host, "node1: last 80% movable, rest normal") ==
          std::string(10, 'N') + std::string(38, 'M'));
    const Compilation c = plan_for(host, "node1: first 30 blocks movable, rest normal");
    if (era >= Era::C1) {
      CHECK(c.plan.has_value());
    } else {
      CHECK_FALSE(c.plan.has_value());
      CHECK(codes_text(c.diagnostics) == "ML0506");
    }
  }
}

TEST_CASE("limit: planning again gives nothing, however many blocks it turns one after the other") {
  HostBuilder builder(model::Era::A2);
  builder.boot(0, 0, 1).boot(1, 8, 1).boot(2, 16, 1);
  builder.dimm(0, 64, 2).dimm(0, 66, 7).dimm(1, 73, 5).dimm(1, 78, 5).dimm(1, 83, 8);
  builder.dimm(2, 91, 3).dimm(2, 94, 7).dimm(2, 101, 10);
  const std::string policy =
      "set rezone = allowed\n"
      "boot: 1.1% movable, first 1.1% keep, last 1% movable, rest normal\n"
      "all: last 19.2% movable, rest offline\n"
      "node1: last 1% auto, last 1% normal, 1% keep, rest normal\n"
      "limit movable to 1GiB\n";
  const Compilation c = plan_for(builder.build(), policy);
  REQUIRE(c.plan.has_value());
  CHECK(steps_for(c.outcome, policy).empty());
}

TEST_CASE("balance: a limit is advised only where it can hold") {
  const auto help_of = [](const model::Host& host, const std::string& policy) {
    const Compilation c = plan_for(host, policy);
    for (const auto& d : c.diagnostics.all())
      if (d.code == diag::Code::Imbalance) return d.help;
    return std::string("no warning");
  };
  HostBuilder offline;
  offline.boot(0, 0, 2).dimm(0, 32, 30);
  CHECK(help_of(offline.build(), "hotplugged: movable").find("add `limit movable") == 0);
  // Memory that is Movable already would be beyond any limit that is written now.
  HostBuilder online;
  online.boot(0, 0, 2).dimm(0, 32, 0).dimm_online(0, 32, 30, Zone::Movable);
  for (const char* policy : {"each dimm: offline", "hotplugged: movable", "all: keep"}) {
    INFO(policy);
    CHECK(help_of(online.build(), policy).find("this memory is already in Movable") == 0);
    const std::string limited = std::string(policy) + "\nlimit movable to 3x normal";
    CHECK(codes_text(plan_for(online.build(), limited).diagnostics).find("ML0507") !=
          std::string::npos);
  }
  HostBuilder both;  // what comes to the kernel instead is enough
  both.boot(0, 0, 2).dimm(0, 32, 0).dimm_online(0, 32, 12, Zone::Movable).dimm(0, 64, 30);
  CHECK(help_of(both.build(), "hotplugged: movable").find("add `limit movable") == 0);
}

TEST_CASE("balance: beyond 4:1 is a warning unless a limit was written") {
  HostBuilder builder;
  builder.boot(0, 0, 2).dimm(0, 32, 30);
  CHECK(codes_text(plan_for(builder.build(), "hotplugged: movable").diagnostics) == "ML0504");
  CHECK(
      codes_text(
          plan_for(builder.build(), "hotplugged: movable\nlimit movable to 20x normal").diagnostics)
          .empty());
}

TEST_CASE("planner: a host without memory hotplug is an error, not a crash") {
  model::Host host;
  host.devices.emplace_back();
  CHECK(steps_for(host, "all: movable") == "no plan: ML0601");
}
