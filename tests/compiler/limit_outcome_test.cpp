// SPDX-License-Identifier: LGPL-2.1-or-later
// `limit movable to ...` (step 4 of "Allocation in full"), sentence by sentence, and the ways in
// which collisions are decided (policies/README.md, "Limits").
#include "compiler/plan/drift.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

using namespace memonline;
using model::Era;
using model::Zone;
using test::codes_text;
using test::HostBuilder;
using test::layout_text;
using test::plan_for;
using test::steps_text;

namespace {

// The layout after the plan; a second plan has no steps, and finds memory as the policy says.
std::string outcome(const model::Host& host, const std::string& policy) {
  const Compilation c = plan_for(host, policy);
  if (!c.plan) return "no plan: " + codes_text(c.diagnostics);
  const Compilation again = plan_for(c.outcome, policy);
  if (!again.plan) return "no second plan: " + codes_text(again.diagnostics);
  if (!again.plan->steps.empty()) return "second plan:\n" + steps_text(*again.plan);
  return layout_text(c.outcome);
}

HostBuilder one_dimm(std::uint64_t blocks = 8) {
  HostBuilder builder;
  return builder.boot(0, 0, 2).dimm(0, 32, blocks);
}

}  // namespace

TEST_CASE("limit: what it refuses stays offline where the shares leave memory offline") {
  const auto host = one_dimm().build();
  for (const char* rest : {"rest offline", "rest keep", "3 blocks offline", "1 blocks normal"}) {
    INFO(rest);
    const std::string policy =
        std::string("hotplugged: last 2 blocks movable, ") + rest + "; limit movable to 1 blocks";
    const std::string normal = std::string(rest) == "1 blocks normal" ? "N" : ".";
    CHECK(outcome(host, policy) == "NN" + normal + "......M");
    CHECK(codes_text(plan_for(host, policy).diagnostics) == "ML0560");
  }
}

TEST_CASE("limit: what it refuses becomes normal where the shares put the whole group online") {
  const auto host = one_dimm().build();
  for (const char* shares :
       {"last 4 blocks movable, rest normal", "50% movable, 50% normal", "movable",
        "512MiB movable, 512MiB normal", "rest movable", "6 blocks movable, 2 blocks normal"}) {
    INFO(shares);
    CHECK(outcome(host, std::string("hotplugged: ") + shares + "; limit movable to 1 blocks") ==
          "NNNNNNNNNM");
  }
}

TEST_CASE("limit: the shares as written decide, not how they round") {
  // Half of three blocks is one: two of three are asked for, and one is left by rounding.
  const auto host = one_dimm(3).build();
  CHECK(outcome(host, "hotplugged: 50% movable, 50% auto; limit movable to 0.1x normal") ==
        "NN.NN");
  CHECK(outcome(host,
                "hotplugged: 33.333333% movable, 33.333333% auto, 33.333333% normal; "
                "limit movable to 0.1x normal") == "NNNNN");
  CHECK(outcome(host, "hotplugged: 50% movable, 49% auto; limit movable to 0.1x normal") ==
        "NN..N");
}

TEST_CASE("limit: refused blocks are given back where there is room again") {
  HostBuilder builder;
  const auto host = builder.boot(0, 0, 4).boot(1, 8, 4).dimm(0, 32, 6).dimm(1, 64, 6).build();
  // Node 1 has room for two only, so node 0 gets back two of what the first limit refused.
  CHECK(outcome(host,
                "hotplugged: movable; limit movable to 4 blocks; "
                "limit movable to 2 blocks per node") ==
        "NNNNNNNN"
        "NNNNMM"
        "NNNNMM");
}

TEST_CASE("limit: another way of counting leaves nothing to do") {
  HostBuilder builder;
  builder.boot(0, 0, 1).boot(1, 8, 1).boot(2, 16, 1);
  builder.dimm(0, 32, 3).dimm(1, 64, 3).dimm(2, 96, 3);
  CHECK(outcome(builder.build(),
                "hotplugged: first 3 blocks movable, last 3 blocks movable, rest offline; "
                "limit movable to 1 blocks per node") ==
        "NNN"
        "..M"
        "..."
        "..M");
}

TEST_CASE("limit: memory that spans zones was not made normal by it") {
  HostBuilder builder;
  builder.boot(0, 0, 1, Zone::Normal, true).dimm(0, 1, 1).dimm_online(0, 2, 1, Zone::Movable);
  CHECK(outcome(builder.build(), "all: 50% movable, 50% movable; limit movable to 1x normal") ==
        "NNM");
}

TEST_CASE("limit: a block that it does not refuse is used, although it refuses another") {
  HostBuilder builder;
  builder.boot(0, 0, 1).dimm(0, 1, 3).dimm(1, 4, 1);
  // Not even one block is online that the first share could count instead.
  CHECK(outcome(builder.build(),
                "all: first 1 block movable, rest offline, last 1 block movable; "
                "limit movable to 33.3% per node") == "NM...");
}

TEST_CASE("limit: `auto` counts by what the kernel would pick") {
  HostBuilder builder;
  builder.boot(0, 0, 4).virtio_mem(0, 32, 8).auto_movable(100, false);
  const auto host = builder.build();
  CHECK(outcome(host, "hotplugged: auto") ==
        "NNNN"
        "MMMMNMNM");
  // Three of six stay what the kernel picked; its own choice would have changed with the others.
  CHECK(outcome(host, "hotplugged: auto; limit movable to 3 blocks") ==
        "NNNN"
        "NNNMNMNM");
  CHECK(outcome(host, "hotplugged: 4 blocks auto, rest offline; limit movable to 3 blocks") ==
        "NNNN"
        "....."
        "MMM");
}

TEST_CASE("limit: with `rezone = allowed` the lowest of what is Movable becomes normal") {
  HostBuilder builder;
  builder.boot(0, 0, 2).dimm(0, 32, 0).dimm_online(0, 32, 6, Zone::Movable);
  const auto host = builder.build();
  const std::string limit = "; limit movable to 2 blocks";
  CHECK(outcome(host, "set rezone = allowed; hotplugged: movable" + limit) == "NNNNNNMM");
  CHECK(outcome(host, "set rezone = allowed; hotplugged: 6 blocks movable, rest keep" + limit) ==
        "NNMMMMMM");
  const Compilation stays = plan_for(host, "hotplugged: movable" + limit);
  CHECK(stays.plan->steps.empty());
  CHECK(stays.diagnostics.sorted().front().message ==
        "this host has 4 blocks (512 MiB) more Movable online than the limit allows");
}

TEST_CASE("limit: nothing is rezoned into Movable that it would refuse") {
  HostBuilder builder;
  builder.boot(0, 0, 2).dimm(0, 32, 0).dimm_online(0, 32, 4, Zone::Normal);
  const std::string limit = "; limit movable to 1 blocks";
  CHECK(outcome(builder.build(), "set rezone = allowed; hotplugged: movable" + limit) == "NNNNNM");
  CHECK(outcome(builder.build(),
                "set rezone = allowed; hotplugged: last 2 blocks movable, rest "
                "offline" +
                    limit) == "NN..NM");
}

TEST_CASE("limit: before 4.14 a refused block that cannot be normal is left, and the plan stands") {
  HostBuilder builder(Era::B);
  builder.boot(0, 0, 1).boot(1, 8, 2).dimm(1, 64, 4).dimm(1, 68, 7);
  CHECK(outcome(builder.build(),
                "block 64-70: last 1% keep, movable; each dimm: movable; "
                "limit movable to 1x normal") ==
        "NNN"
        "...."
        "....MMM");
}

TEST_CASE("limit: before 4.14 an `offline` share offlines nothing beside it") {
  const std::string policy = "set rezone = allowed; hotplugged: offline; limit movable to 1 blocks";
  for (const Era era : {Era::B, Era::C1}) {
    HostBuilder builder(era);
    builder.boot(0, 0, 2).dimm(0, 32, 0).dimm_online(0, 32, 2, Zone::Normal);
    const auto host = builder.build();
    CHECK(outcome(host, policy) == (era == Era::B ? "NNNN" : "NN.."));
    if (era == Era::B)
      CHECK(plan_for(host, policy).diagnostics.sorted().front().help.find("before Linux 4.14") ==
            0);
  }
}

TEST_CASE("limit: memory that it keeps out of Movable is no drift") {
  const auto host = one_dimm().build();
  for (const char* rest : {"rest offline", "rest normal"}) {
    INFO(rest);
    const std::string policy =
        std::string("hotplugged: last 2 blocks movable, ") + rest + "; limit movable to 1 blocks";
    const Compilation again = plan_for(plan_for(host, policy).outcome, policy);
    REQUIRE(again.plan);
    CHECK(again.plan->judgement.verdict == plan::Verdict::AsDesired);
    CHECK(codes_text(again.diagnostics).find("ML0502") == std::string::npos);
  }
}
