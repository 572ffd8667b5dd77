// SPDX-License-Identifier: LGPL-2.1-or-later
// Right policies: they are read, and read as what they say.
#include "compiler/sema/analyse.hpp"

#include <string>

#include "tests/support/catch.hpp"

namespace sema = memonline::sema;
namespace diag = memonline::diag;
using memonline::model::Bytes;
using memonline::model::NodeId;

namespace {

std::string problems(const diag::Sink& sink) {
  std::string text;
  for (const diag::Diagnostic& d : sink.sorted())
    text += diag::name_of(d.code) + " at " + std::to_string(d.span ? d.span->begin : 0) + ": " +
            d.message + "\n";
  return text;
}

sema::Policy read(const std::string& text) {
  diag::Sink sink;
  auto policy = sema::analyse({{"t.mempolicy", text}}, sink);
  INFO(text);
  CHECK(problems(sink) == "");
  REQUIRE(policy.has_value());
  return std::move(*policy);
}

const sema::Rule& first_rule(const sema::Policy& policy) {
  return std::get<sema::Rule>(policy.statements.at(0));
}

}  // namespace

TEST_CASE("analyse: policies that are right") {
  for (const char* text : {
           "",
           "\n\n# only a comment",
           "\xEF\xBB\xBFnode1: movable\n",
           "node1: last 80% movable, rest normal",
           "node1:movable;node2:normal;",
           "node 0-3,8: first 4GiB normal, rest movable",
           "node 0 - 3 , 8 : keep",
           "each node: last 12.5% movable, rest normal",
           "each node0-3: movable",
           "each hotplugged node: movable",
           "each dimm: offline",
           "dimm2: offline",
           "dimm 0-2,7: auto",
           "each virtio-mem: last 50% movable, rest normal",
           "virtio-mem: movable",
           "dax: keep",
           "dax dax0.0: keep",
           "dax0.0: keep",
           "dax 1.0 hotplugged: keep",
           "each dax: movable",
           "driver kmem: keep",
           "driver \"dev dax\": keep",
           "each driver nvidia_gpu: keep",
           "block32-47: offline",
           "block 32-47: offline",
           "address 0x100000000-0x13fffffff: normal",
           "hotplugged node1 except dimm2 node1: movable",
           "all except boot: movable",
           "cpuless: movable",
           "standby: movable",
           "hotplugged except standby: 50% movable, rest normal",
           "boot: 64 blocks normal, 1.5 GiB movable, 4K offline, 5M auto, 6T keep, rest keep",
           "limit movable to 3x normal",
           "limit movable to 3 x normal per node",
           "limit movable to 2.5x normal",
           "limit movable to 16GiB per node",
           "limit movable to 50% per node",
           "limit movable to 64 blocks",
           "set rezone = allowed",
           "set hotplug=service\nset memmap-on-memory = force\r\nset boot-parameters = ignore",
           "when arch is s390x, ppc64le { all: keep } else { all: movable }",
           "when arch is s390x { all: keep } else when virtualization is none { all: movable } "
           "else "
           "{ all: auto }",
           "when vendor is \"VMware, Inc.\" { hotplugged: movable }",
           "when product is not PowerEdge*, \"Standard PC (Q35 + ICH9, 2009)\"\n{\n hotplugged: "
           "movable\n}\n# between\nelse\n{\n}\n",
           "when kernel < 6.12 { }",
           "when kernel >= 5.14.0-427 { hotplugged: movable } all: keep",
           "when memory >= 64GiB { when nodes > 1 { each node: movable } }",
           "when memory <= 1.5 TiB { all: keep }",
           "when nodes is 1, 2 { all: keep }",
           "all: movable # caf\xc3\xa9 \xff\r\n",
       })
    read(text);
}

TEST_CASE("analyse: numbers, units and places are applied") {
  const sema::Policy policy = read(
      "each node0-1,3,2: last 12.5% movable, first 1.5GiB normal, 64 blocks offline, rest keep");
  const sema::Rule& rule = first_rule(policy);
  CHECK(rule.selector.each == sema::Each::Node);
  REQUIRE(rule.selector.classes.size() == 1);
  CHECK(std::get<sema::NodeList>(rule.selector.classes[0].is).ranges ==
        std::vector<std::pair<NodeId, NodeId>>{{NodeId(0), NodeId(3)}});
  REQUIRE(rule.shares.size() == 4);
  CHECK(rule.shares[0].place == sema::Place::Last);
  CHECK(rule.shares[0].amount == sema::Amount(sema::Percent{12'500'000}));
  CHECK(rule.shares[0].target == sema::Target::Movable);
  CHECK(rule.shares[1].place == sema::Place::First);
  CHECK(rule.shares[1].amount == sema::Amount(Bytes(1610612736)));
  CHECK(rule.shares[1].target == sema::Target::Normal);
  CHECK(rule.shares[2].place == sema::Place::Unplaced);
  CHECK(rule.shares[2].amount == sema::Amount(sema::Blocks{64}));
  CHECK(rule.shares[3].place == sema::Place::Rest);
  CHECK(!rule.shares[3].amount.has_value());
  CHECK(rule.shares[3].target == sema::Target::Keep);
}

TEST_CASE("analyse: each groups by the first class that can") {
  CHECK(first_rule(read("each dimm node1: movable")).selector.each == sema::Each::Device);
  CHECK(first_rule(read("each node dimm: movable")).selector.each == sema::Each::Node);
  CHECK(first_rule(read("node1 dimm: movable")).selector.each == sema::Each::None);
}

TEST_CASE("analyse: else when hangs in the otherwise of the one before") {
  const sema::Policy policy = read(
      "when arch is s390x { set rezone = never } else when kernel is not 6.1 { set hotplug = best "
      "} "
      "else { limit movable to 1x normal }");
  REQUIRE(policy.statements.size() == 1);
  const auto& outer = std::get<sema::When>(policy.statements[0]);
  CHECK(outer.then.size() == 1);
  REQUIRE(outer.otherwise.size() == 1);
  const auto& inner = std::get<sema::When>(outer.otherwise[0]);
  CHECK(inner.fact == sema::Fact::Kernel);
  CHECK(inner.test == sema::Test::IsNot);
  REQUIRE(inner.otherwise.size() == 1);
  const auto& limit = std::get<sema::Limit>(inner.otherwise[0]);
  CHECK(std::get<sema::Limit::TimesNormal>(limit.bound).thousandths == 1000);
}
