// SPDX-License-Identifier: LGPL-2.1-or-later
// What must go offline to take memory out: the request's words, the choice, the order, the chances.
#include "compiler/plan/unplug.hpp"

#include <fmt/format.h>

#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

namespace memonline {

using model::BlockId;
using model::Era;
using model::Zone;
using test::HostBuilder;

namespace {

// Boot 0..7 on node 0 (0 mixed, 7 with a hole), dimm0 32..39 on node 0, dimm1 40..47 on node 1.
model::Host host(Era era = Era::D) {
  HostBuilder builder(era);
  builder.boot(0, 0, 1, Zone::Dma32, true).boot(0, 1, 6, Zone::Normal).boot(0, 7, 1, Zone::Normal);
  builder.holes(7, 1).dimm(0, 36, 4).dimm_online(0, 32, 4, Zone::Normal);
  builder.dimm(1, 40, 2).dimm_online(1, 42, 6, Zone::Movable);
  return builder.build();
}

std::string unplugged(const model::Host& host, const std::string& text, diag::Sink& sink) {
  const auto request = plan::parse_unplug(text);
  REQUIRE(request);
  const auto plan = plan::plan_unplug(*request, host, sink);
  if (!plan) return test::codes_text(sink);
  std::string steps;
  for (const plan::Step& step : plan->steps) {
    const auto& offline = std::get<plan::OfflineBlocks>(step.action);
    CHECK(offline.all_or_nothing);
    steps += fmt::format("{}{}..{} {}", steps.empty() ? "" : ", ", offline.blocks.first.value(),
                         offline.blocks.last.value(),
                         offline.chance ? plan::chance_name(*offline.chance) : "");
  }
  for (const plan::Skipped& one : plan->skipped)
    steps +=
        fmt::format("; {}..{} {}", one.blocks.first.value(), one.blocks.last.value(), one.reason);
  return steps;
}

std::string unplugged(const model::Host& host, const std::string& text) {
  diag::Sink sink;
  return unplugged(host, text, sink);
}

}  // namespace

TEST_CASE("unplug: a device goes downwards, what is hardest first, what is offline stays so") {
  CHECK(unplugged(host(), "dimm1") == "47..42 likely; 40..41 offline already");
  CHECK(unplugged(host(), "dimm0") == "35..32 unlikely; 36..39 offline already");
  CHECK(unplugged(host(), "memory32-47") ==
        "35..32 unlikely, 47..42 likely; 40..41 offline already; 36..39 offline already");
  diag::Sink sink;
  unplugged(host(), "dimm0", sink);
  CHECK(test::codes_text(sink) == "ML0541 ML0545");  // nobody told what is free
}

TEST_CASE("unplug: a size is served by what is offline, then by what goes most easily") {
  CHECK(unplugged(host(), "512MiB") == "; 40..41 offline already; 38..39 offline already");
  // dimm1 goes as a whole, though offline blocks of dimm0 would be enough for a part of it.
  CHECK(unplugged(host(), "1GiB") == "47..42 likely; 40..41 offline already");
  CHECK(unplugged(host(), "1GiB@node1") == "47..42 likely; 40..41 offline already");
  CHECK(unplugged(host(), "300MiB@node1") == "47..47 likely; 40..41 offline already");
  // Boot memory comes last of all, and what can never go not at all.
  CHECK(unplugged(host(), "2304MiB") ==
        "35..32 unlikely, 6..5 unlikely, 47..42 likely; 40..41 offline already; 36..39 offline "
        "already");
  CHECK(unplugged(host(), "3GiB") == "ML0542");
}

TEST_CASE("unplug: what can never go is an error, by the era's rules") {
  CHECK(unplugged(host(), "memory0") == "ML0540");
  CHECK(unplugged(host(), "memory7") == "ML0540");
  CHECK(unplugged(host(Era::C1), "memory7") == "7..7 unlikely");  // holes count from 5.5 on
  auto arm = host();
  arm.arch = "aarch64";
  CHECK(unplugged(arm, "memory5") == "ML0540");
  auto fixed = host();
  fixed.hot_remove = false;
  CHECK(unplugged(fixed, "dimm1") == "ML0540");
  CHECK(unplugged(host(), "dimm7") == "ML0543");
  CHECK(unplugged(host(), "memory100-120") == "ML0543");
  CHECK(unplugged(host(), "1GiB@node5") == "ML0543");
}

TEST_CASE("unplug: Movable boot memory may go") {
  const auto host = HostBuilder(Era::D)
                        .boot(0, 0, 4, Zone::Normal)
                        .boot(0, 4, 4, Zone::Movable)
                        .dimm(0, 32, 1)
                        .build();
  CHECK(unplugged(host, "memory4-7") == "7..4 maybe");
}

TEST_CASE("unplug: the words of a request") {
  using plan::parse_unplug;
  CHECK(plan::block_range(parse_unplug("memory7").value()) ==
        model::BlockRange{BlockId(7), BlockId(7)});
  CHECK(plan::block_range(parse_unplug("memory32-39").value()) ==
        model::BlockRange{BlockId(32), BlockId(39)});
  CHECK(plan::block_range(parse_unplug("block 32-39").value()) ==
        model::BlockRange{BlockId(32), BlockId(39)});
  CHECK_FALSE(plan::block_range(parse_unplug("dimm12").value()));
  for (const char* same : {"1.5GiB@node3", "1.5GiB of node3", "1.5 GiB of node3"}) {
    INFO(same);
    const auto sized = parse_unplug(same);
    REQUIRE(sized);
    CHECK(sized->size == model::Bytes(1536ULL << 20U));
    CHECK(sized->selected == "node3");
  }
  CHECK(parse_unplug("virtio-mem3 except block 9").value().device == "virtio3");
  CHECK(parse_unplug("virtio-mem").value().device.empty());
  CHECK(parse_unplug("1GiB of standby").value().selected == "standby");
  for (const char* wrong : {"",
                            "x",
                            "dimm-1",
                            "dimm99999999999",
                            "memory",
                            "memory1-",
                            "memory-1",
                            "memory9-3",
                            "GiB",
                            "1",
                            "0GiB",
                            "1XiB",
                            "1.2.3GiB",
                            "1GiB@",
                            "1GiB@1",
                            "1GiB@node",
                            "99999999999TiB",
                            "1.00000000000000001GiB",
                            "1GiB@node1@node2",
                            "1GiB@node1 of dimm0",
                            "1GiB of",
                            "1GiB of 2GiB",
                            "each node",
                            "node1: movable",
                            "node1\nnode2",
                            "node1 node",
                            "virtio-mem0x",
                            "dimm1 except"}) {
    INFO(wrong);
    CHECK_FALSE(parse_unplug(wrong));
  }
}

}  // namespace memonline
