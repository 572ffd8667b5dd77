// SPDX-License-Identifier: LGPL-2.1-or-later
// Eras A and B of the kernel model, kernels 3.8 to 4.13 (kernel rules 3.1 to 3.5), and spans of C1.
#include "compiler/kernel/model.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"

using namespace memonline;
using kernel::Model;
using model::BlockId;
using model::Era;
using model::NodeId;
using model::OnlineWord;
using model::Zone;
using test::HostBuilder;

namespace {

HostBuilder four_blocks(Era era) {
  HostBuilder builder(era);
  builder.boot(0, 0, 8).dimm(0, 32, 4);
  return builder;
}

auto write(Model& model, std::uint64_t first, std::uint64_t last, OnlineWord word) {
  return model.online({BlockId(first), BlockId(last)}, word);
}

std::string zones(const Model& model, std::uint64_t block) {
  return test::zones_text(model.valid_zones(BlockId(block)));
}

}  // namespace

TEST_CASE("era A: only the last block of Normal can become Movable, so movable goes down") {
  for (const Era era : {Era::A1, Era::A3}) {
    Model model(four_blocks(era).build());
    CHECK(zones(model, 32) == "Normal");
    CHECK(zones(model, 35) == "Normal Movable");
    const auto refused = write(model, 32, 32, OnlineWord::OnlineMovable);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().error == kernel::Errno::Einval);
    CHECK(refused.error().in_the_way == BlockId(35));
    const auto placed = write(model, 35, 33, OnlineWord::OnlineMovable);
    REQUIRE(placed.has_value());
    REQUIRE(placed->size() == 1);
    CHECK(placed->front().zone == Zone::Movable);
    CHECK(zones(model, 33) == "Movable Normal");  // online, and could shift back: era A only
    CHECK(write(model, 32, 32, OnlineWord::OnlineKernel).value().front().zone == Zone::Normal);
  }
}

TEST_CASE("era A2: what cannot be shifted goes to the wrong zone without a word") {
  Model model(four_blocks(Era::A2).build());
  const auto up = write(model, 32, 35, OnlineWord::OnlineMovable);
  REQUIRE(up.has_value());
  REQUIRE(up->size() == 2);
  CHECK(up->front().zone == Zone::Normal);
  CHECK(up->front().blocks.count() == 3);
  CHECK(up->back().zone == Zone::Movable);
}

TEST_CASE("era A: memory added above Movable is born there") {
  Model model(four_blocks(Era::A3).build());
  REQUIRE(write(model, 35, 34, OnlineWord::OnlineMovable).has_value());
  const auto device = model.add_device(
      {model::Device::Kind::Dimm, model::Origin::Hotplugged, "dimm9", "", std::uint32_t{9}});
  REQUIRE(model.add(BlockId(40), 2, NodeId(0), device).has_value());
  CHECK(zones(model, 40) == "Movable");
  CHECK(write(model, 40, 40, OnlineWord::Online).value().front().zone == Zone::Movable);
  CHECK_FALSE(write(model, 41, 41, OnlineWord::OnlineKernel).has_value());
  CHECK_FALSE(model.add(BlockId(41), 1, NodeId(0), device).has_value());
}

TEST_CASE("era B: kernel zones lie entirely below Movable, and spans never shrink") {
  Model model(four_blocks(Era::B).build());
  CHECK(zones(model, 33) == "Normal Movable");
  REQUIRE(write(model, 33, 33, OnlineWord::OnlineMovable).has_value());
  CHECK_FALSE(write(model, 34, 34, OnlineWord::OnlineKernel).has_value());
  CHECK(write(model, 34, 34, OnlineWord::Online).value().front().zone == Zone::Movable);
  CHECK(write(model, 32, 32, OnlineWord::OnlineKernel).value().front().zone == Zone::Normal);
  REQUIRE(model.offline({BlockId(32), BlockId(32)}).has_value());
  const auto refused = write(model, 32, 32, OnlineWord::OnlineMovable);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().in_the_way == BlockId(32));
}

TEST_CASE("era C1: spans keep what went offline, and shrink when it is removed") {
  Model model(four_blocks(Era::C1).build());
  REQUIRE(write(model, 34, 35, OnlineWord::OnlineMovable).has_value());
  REQUIRE(model.offline({BlockId(34), BlockId(35)}).has_value());
  CHECK(zones(model, 34) == "Movable Normal");
  REQUIRE(model.remove(BlockId(34), 2).has_value());
  CHECK(model.state().nodes.at(NodeId(0))[Zone::Movable].empty());
  CHECK_FALSE(model.remove(BlockId(0), 1).has_value());
  CHECK_FALSE(model.remove(BlockId(34), 1).has_value());
}

TEST_CASE("kernel model: a run costs as much as a block and answers the same") {
  HostBuilder builder(Era::D);
  builder.boot(0, 0, 8).dimm(0, 32, 500'000);
  Model at_once(builder.build());
  const auto placed = write(at_once, 500'031, 32, OnlineWord::OnlineMovable);
  REQUIRE(placed.has_value());
  CHECK(placed->size() == 1);
  CHECK(at_once.state().runs.size() == 2);
}
