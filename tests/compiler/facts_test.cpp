// SPDX-License-Identifier: LGPL-2.1-or-later
// The fact lines: what is written reads back, whatever a host calls itself, and nothing else does.
#include "compiler/model/facts.hpp"

#include <rapidcheck.h>

#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"

using namespace memonline;
using model::Facts;
using Lines = std::vector<std::string>;

namespace {

std::uint64_t number(std::uint64_t low, std::uint64_t high) {  // both included
  return *rc::gen::inRange(low, high + 1);
}

std::string any_text() { return *rc::gen::arbitrary<std::string>(); }

model::ValidZones any_zones() {
  using Kind = model::ValidZones::Kind;
  model::ValidZones zones(
      *rc::gen::elementOf(std::vector<Kind>{Kind::Unknown, Kind::Empty, Kind::None}));
  for (std::uint64_t count = number(0, 4); count > 0; --count)
    zones.push_back(static_cast<model::Zone>(number(0, model::kZoneCount - 1)));
  return zones;
}

model::Host any_host() {
  model::Host host;
  host.block_size = model::Bytes(number(0, 1ULL << 40));
  host.page_size = number(0, 65536);
  host.era = static_cast<model::Era>(number(0, 6));
  host.arch = any_text();
  host.hot_remove = number(0, 1) == 1;
  for (std::uint64_t count = number(0, 3); count > 0; --count)
    host.command_line.push_back(any_text());
  if (number(0, 1) == 1) host.knobs.auto_online_blocks = any_text();
  if (number(0, 1) == 1) host.knobs.online_policy = any_text();
  if (number(0, 1) == 1) host.knobs.auto_movable_ratio = number(0, 1000);
  if (number(0, 1) == 1) host.knobs.auto_movable_numa_aware = number(0, 1) == 1;
  if (number(0, 1) == 1) host.knobs.memmap_on_memory = any_text();
  for (std::uint32_t id = 0; id < number(0, 3); ++id) {
    model::Node node;
    node.id = model::NodeId(id);
    if (number(0, 2) > 0) node.has_cpu = number(0, 1) == 1;
    host.nodes.push_back(node);
  }
  host.devices.resize(2);
  host.devices[1].name = "d" + any_text();  // a reader never leaves it empty
  host.devices[1].driver = any_text();
  std::uint64_t at = 0;
  for (std::uint64_t count = number(0, 4); count > 0; --count) {
    model::BlockRun run;
    run.first = model::BlockId(at + number(0, 2));
    run.count = number(1, 5);
    run.state = static_cast<model::State>(number(0, 3));
    run.zones = any_zones();
    if (number(0, 3) > 0) run.node = model::NodeId(static_cast<std::uint32_t>(number(0, 9)));
    run.several_nodes = number(0, 3) == 0;
    run.device = static_cast<std::uint32_t>(number(0, 1));
    at = run.end().value();
    host.blocks.push_back(run);
  }
  return host;
}

// Lines that read well, with one of them replaced.
bool reads(const std::string& line) {
  return model::parse_facts({"block-size 134217728", "page-size 4096", "era D", "arch x86_64",
                             "hot-remove true", line})
      .has_value();
}

}  // namespace

TEST_CASE("facts: one line a fact, in a fixed order") {
  test::HostBuilder builder;
  builder.boot(0, 0, 8).dimm(1, 32, 4).has_cpu(1, false).parameter("a=\"b c\"\xff\\");
  CHECK(model::lines_of(model::facts_of(builder.build())) ==
        Lines{"block-size 134217728", "page-size 4096", "era D", "arch x86_64", "hot-remove true",
              "parameter a=\"b c\"\\xff\\x5c", "knob auto_online_blocks offline",
              "knob online_policy contig-zones", "knob auto_movable_ratio 301",
              "knob auto_movable_numa_aware Y", "knob memmap_on_memory N", "node 0 cpu yes",
              "node 1 cpu no", "blocks 0..7 online [Normal] node 0 boot",
              "blocks 32..35 offline [Normal Movable] node 1 dimm0"});
}

TEST_CASE("facts: what is written of any host reads back as the same facts") {
  const bool ok = rc::check("facts", [] {
    const model::Host host = any_host();
    const Facts facts = model::facts_of(host);
    const Lines lines = model::lines_of(facts);
    std::string joined;
    for (const std::string& line : lines) {
      RC_ASSERT(line.find('\n') == std::string::npos);
      joined += line + "\n";
    }
    RC_ASSERT(joined == model::canonical_text(host));
    const auto again = model::parse_facts(lines);
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == facts);
    RC_ASSERT(model::lines_of(*again) == lines);
  });
  CHECK(ok);
}

TEST_CASE("facts: a line that says nothing known is refused, and so is a missing one") {
  CHECK(reads("blocks 1..2 offline [Movable Normal] node 3+ virtio0 virtio_mem"));
  CHECK(reads("blocks 1..2 unknown [unknown] node unknown unknown"));
  CHECK(reads("parameter "));
  for (const char* line : {"",
                           "blocks",
                           "colour red",
                           "era D",
                           "block-size 1",
                           "arch s390x",
                           "hot-remove maybe",
                           "blocks 2..1 offline [Normal] node 0 boot",
                           "blocks 01..2 offline [Normal] node 0 boot",
                           "blocks 1..2 off [Normal] node 0 boot",
                           "blocks 1..2 offline [Warm] node 0 boot",
                           "blocks 1..2 offline [] node 0 boot",
                           "blocks 1..2 offline [Normal] node x boot",
                           "blocks 1..2 offline [Normal] node 0 ",
                           "blocks -1..2 offline [Normal] node 0 boot",
                           "blocks 1..99999999999999999999 offline [Normal] node 0 boot",
                           "blocks 1..2 offline [DMA DMA32 Normal Movable DMA] node 0 boot",
                           "node 0 cpu perhaps",
                           "node -1 cpu yes",
                           "knob auto_online_blocks",
                           "parameter a\nb",
                           "parameter \xff"}) {
    INFO(line);
    CHECK_FALSE(reads(line));
  }
  const auto missing = model::parse_facts({"block-size 1", "page-size 4096", "era D", "arch x"});
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error() == "hot-remove");
  const Lines two{"block-size 1",
                  "page-size 4096",
                  "era D",
                  "arch x",
                  "hot-remove true",
                  "blocks 1..2 offline [Normal] node 0 boot",
                  "blocks 2..3 offline [Normal] node 0 boot"};
  CHECK(model::parse_facts(two).error() == two.back());
}
