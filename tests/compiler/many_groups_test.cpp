// SPDX-License-Identifier: LGPL-2.1-or-later
// A rule may make thousands of groups: it is reported once, with the first few of them, and the
// remedy is one that helps on this host.
#include <algorithm>
#include <string>

#include "compiler/diag/first_few.hpp"
#include "compiler/diag/render.hpp"
#include "compiler/plan/unplug.hpp"
#include "compiler/render/plan.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

using memonline::Compilation;
using memonline::model::Era;
using memonline::model::Zone;
using memonline::test::HostBuilder;
using memonline::test::layout_text;
using memonline::test::plan_for;
namespace diag = memonline::diag;
namespace model = memonline::model;
namespace plan = memonline::plan;

namespace {

constexpr std::uint64_t kDimms = 2000;

/// Each has four blocks, all but the first online in `zone`.
model::Host many_dimms(Zone zone, std::uint32_t nodes = 1) {
  HostBuilder builder(Era::D);
  builder.boot(0, 0, 16000);
  for (std::uint64_t i = 0; i < kDimms; ++i) {
    const auto node = static_cast<std::uint32_t>(i * nodes / kDimms);
    builder.dimm(node, 32000 + 4 * i, 1);
    builder.dimm_online(node, 32000 + 4 * i + 1, 3, zone);
  }
  return builder.build();
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

std::string text_for(const Compilation& compilation, const std::string& policy) {
  return diag::to_text(compilation.diagnostics.sorted(), {{"t.mempolicy", policy}});
}

std::string only_help(const model::Host& host, const std::string& policy) {
  const auto found = plan_for(host, policy).diagnostics.sorted();
  REQUIRE(!found.empty());
  return found.front().help;
}

}  // namespace

TEST_CASE("many groups: a share that 2,000 DIMMs cannot have is reported once") {
  const auto host = many_dimms(Zone::Normal);
  const std::string policy = "each dimm: movable";
  const Compilation compilation = plan_for(host, policy);
  REQUIRE(compilation.plan);
  CHECK(text_for(compilation, policy) ==
        "t.mempolicy:1:12: warning[ML0502]: dimm0, dimm1, dimm2 and 1997 more: 6000 of the 8000 "
        "requested blocks are online in another zone\n"
        "    1 | each dimm: movable\n"
        "      |            ^~~~~~~\n"
        "help: booting with `memhp_default_state=offline` places them there; `memonline boot show` "
        "lists the next boot's parameters\n");
  CHECK(compilation.plan->diagnostics.size() == 1);
  CHECK(lines_of(diag::to_json(compilation.diagnostics.sorted(), {{"t.mempolicy", policy}})) < 40);
}

TEST_CASE("many groups: all that can be said of groups stays short") {
  const auto host = many_dimms(Zone::Normal);
  for (const std::string policy :
       {"each dimm: 3 blocks normal, 3 blocks movable", "each dimm: 1MiB movable, rest normal",
        "each dimm: last 50% movable, rest normal", "each dimm: offline",
        "each dimm: first 1 blocks movable, 2 blocks offline, rest normal",
        "set rezone = allowed; each dimm: first 2 blocks offline, rest keep; limit movable to "
        "1%"}) {
    INFO(policy);
    const Compilation compilation = plan_for(host, policy);
    const std::string text = text_for(compilation, policy);
    INFO(text.substr(0, 4000));
    CHECK(!text.empty());
    CHECK(lines_of(text) <= 24);
    CHECK(text.find("1997 more") != std::string::npos);
    REQUIRE(compilation.plan);
    CHECK(compilation.plan->diagnostics.size() <= 5);
  }
}

TEST_CASE("many groups: blocks that are astray are reported once") {
  HostBuilder builder(Era::D);
  builder.boot(0, 0, 16000);
  for (std::uint64_t i = 0; i < kDimms; ++i) {
    builder.dimm(0, 32000 + 4 * i, 2);
    builder.dimm_online(0, 32000 + 4 * i + 2, 2, Zone::Movable);
  }
  const std::string policy = "each dimm: first 50% movable, rest normal";
  const Compilation compilation = plan_for(builder.build(), policy);
  const std::string text = text_for(compilation, policy);
  INFO(text);
  CHECK(text.find("ML0503") != std::string::npos);
  CHECK(text.find("dimm0, dimm1, dimm2 and 1997 more: 4000 of the 4000 blocks") !=
        std::string::npos);
  CHECK(lines_of(text) <= 12);
}

TEST_CASE("many groups: a limit that many nodes exceed is reported once") {
  const auto host = many_dimms(Zone::Movable, 1000);
  const std::string policy = "all: keep; limit movable to 1x normal per node";
  const std::string text = text_for(plan_for(host, policy), policy);
  INFO(text);
  CHECK(text.find("node1, node2, node3 and 996 more have 5994") != std::string::npos);
  CHECK(lines_of(text) <= 12);
}

TEST_CASE("many groups: an unplug of 2,000 DIMMs is reported in a few lines") {
  const auto host = many_dimms(Zone::Normal);
  diag::Sink sink;
  (void)plan::plan_unplug(plan::parse_unplug("900GiB").value(), host, sink);
  const std::string text = diag::to_text(sink.sorted(), {});
  INFO(text.substr(0, 4000));
  CHECK(!text.empty());
  CHECK(lines_of(text) <= 12);
}

TEST_CASE("many groups: two and three are all named") {
  CHECK(diag::first_few({"node0"}) == "node0");
  CHECK(diag::first_few({"node0", "node1"}) == "node0 and node1");
  CHECK(diag::first_few({"node0", "node1", "node2"}) == "node0, node1 and node2");
  CHECK(diag::first_few({"node0", "node1", "node2", "node3"}) == "node0, node1, node2 and 1 more");
}

TEST_CASE("remedies: of a share that cannot get its blocks") {
  HostBuilder builder(Era::D);
  builder.boot(0, 0, 16).virtio_mem(0, 32, 4);
  model::Host host = builder.build();
  for (model::BlockRun& run : host.blocks)
    if (run.first >= model::BlockId(32)) {
      run.state = model::State::Online;
      run.zones = host.blocks.front().zones;
    }
  // The driver adds this memory after boot: no boot parameter has a say.
  CHECK(only_help(host, "virtio-mem: movable") ==
        "`set rezone = allowed` lets memonline offline them and re-online them there");
  CHECK(only_help(host, "virtio-mem: offline") ==
        "`set rezone = allowed` lets memonline offline them");
  // A limit changes nothing about it.
  CHECK(only_help(host, "virtio-mem: offline; limit movable to 3x normal") ==
        "`set rezone = allowed` lets memonline offline them");
  CHECK(layout_text(
            plan_for(host, "set rezone = allowed; virtio-mem: offline; limit movable to 3x normal")
                .outcome) == std::string(16, 'N') + "....");
  CHECK(plan_for(host, "virtio-mem: offline").diagnostics.sorted().front().message ==
        "4 of the 4 requested blocks are online");
}

TEST_CASE("remedies: no rezoning of blocks that can never go offline") {
  HostBuilder builder(Era::D);
  builder.boot(0, 0, 16);
  model::Host host = builder.build();
  host.arch = "aarch64";
  CHECK(only_help(host, "set boot-parameters = ignore; boot: 50% movable, rest normal") ==
        "these blocks cannot be offlined; `set boot-parameters = suggest` shows what could "
        "place boot memory");
  CHECK(only_help(host, "boot: 50% offline, rest normal") ==
        "these blocks cannot be offlined; `except` leaves them out of the rule");
}

TEST_CASE("remedies: boot parameters in the plan solve it") {
  HostBuilder builder(Era::D);
  builder.boot(0, 0, 16);
  model::Host host = builder.build();
  host.boot_memory = {{0, 16 * host.pages_per_block()}};
  const Compilation compilation = plan_for(host, "boot: 50% movable, rest normal");
  REQUIRE(compilation.plan);
  REQUIRE(compilation.plan->boot.set.size() == 1);
  const auto found = compilation.diagnostics.sorted();
  REQUIRE(found.size() == 1);
  CHECK(found.front().help == "booting with `" + compilation.plan->boot.set.front() +
                                  "` places them there; `memonline boot show` lists the next "
                                  "boot's parameters");
}
