// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel model against real kernels (kernel rules 3.6 to 3.9, 5.1 to 5.6, 7.4): Debian 5.10,
// 6.1, 6.12 and 7.2 gave identical answers to these writes.
#include "compiler/kernel/model.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"

using namespace memonline;
using kernel::Model;
using model::BlockId;
using model::Era;
using model::NodeId;
using model::OnlineWord;
using model::WriteRun;
using model::Zone;
using test::HostBuilder;

namespace {

// Setup G: node 0 boots with blocks 0-7, node 1 with 8-15 (all DMA/DMA32); one DIMM of 8 blocks on
// node 1 (32-39), one on node 0 (40-47).
HostBuilder setup_g(Era era) {
  HostBuilder builder(era);
  builder.boot(0, 0, 1, Zone::Dma32, true)
      .boot(0, 1, 7, Zone::Dma32)
      .boot(1, 8, 8, Zone::Dma32)
      .dimm(1, 32, 8)
      .dimm(0, 40, 8)
      .span(0, Zone::Dma, 1, 4095, 3998)
      .span(0, Zone::Dma32, 4096, 258048, 258048)
      .span(1, Zone::Dma32, 262144, 262112, 262112);
  return builder;
}

std::string zones(const Model& model, std::uint64_t block) {
  return test::zones_text(model.valid_zones(BlockId(block)));
}

Zone online(Model& model, std::uint64_t block, OnlineWord word) {
  const auto placed = model.online({BlockId(block), BlockId(block)}, word);
  REQUIRE(placed.has_value());
  REQUIRE(placed->size() == 1);
  return placed->front().zone;
}

void offline(Model& model, std::uint64_t block) {
  REQUIRE(model.offline({BlockId(block), BlockId(block)}).has_value());
}

void check_zones(const Model& model, std::initializer_list<std::uint64_t> blocks,
                 const std::string& expected) {
  for (const std::uint64_t block : blocks) {
    INFO("memory" << block);
    CHECK(zones(model, block) == expected);
  }
}

}  // namespace

TEST_CASE("kernel model: setup G, step by step, on kernels from 5.5 on") {
  for (const Era era : {Era::C2, Era::D}) {
    Model model(setup_g(era).build());
    check_zones(model, {32, 39, 40, 47}, "Normal Movable");
    check_zones(model, {0}, "none");
    check_zones(model, {1, 15}, "DMA32");

    CHECK(online(model, 35, OnlineWord::OnlineMovable) == Zone::Movable);
    check_zones(model, {34, 36}, "Normal Movable");

    CHECK(online(model, 33, OnlineWord::OnlineKernel) == Zone::Normal);
    CHECK(online(model, 38, OnlineWord::OnlineKernel) == Zone::Normal);
    CHECK(model.state().nodes.at(NodeId(1))[Zone::Normal].span ==
          kernel::PageRange{33 * 32768, 39 * 32768});
    check_zones(model, {32, 34, 36, 37, 39}, "Normal Movable");

    offline(model, 35);
    CHECK(model.state().nodes.at(NodeId(1))[Zone::Movable].empty());
    check_zones(model, {35}, "Normal Movable");

    CHECK(online(model, 35, OnlineWord::OnlineMovable) == Zone::Movable);
    CHECK(online(model, 37, OnlineWord::OnlineMovable) == Zone::Movable);
    check_zones(model, {36}, "Normal Movable");
    CHECK(online(model, 36, OnlineWord::Online) == Zone::Normal);

    offline(model, 36);
    offline(model, 33);
    offline(model, 38);
    CHECK(model.state().nodes.at(NodeId(1))[Zone::Normal].empty());
    CHECK(model.state().nodes.at(NodeId(1))[Zone::Movable].span ==
          kernel::PageRange{35 * 32768, 38 * 32768});
    check_zones(model, {36}, "Movable Normal");
    check_zones(model, {34, 38}, "Normal Movable");

    CHECK(online(model, 36, OnlineWord::Online) == Zone::Movable);
    CHECK(online(model, 34, OnlineWord::Online) == Zone::Normal);
    CHECK_FALSE(model.online({BlockId(36), BlockId(36)}, OnlineWord::Online).has_value());
    CHECK_FALSE(model.offline({BlockId(32), BlockId(32)}).has_value());
    CHECK_FALSE(model.offline({BlockId(0), BlockId(0)}).has_value());

    CHECK(online(model, 39, OnlineWord::OnlineMovable) == Zone::Movable);
    offline(model, 34);
    offline(model, 12);
    check_zones(model, {12}, "DMA32 Movable");
    CHECK(online(model, 12, OnlineWord::OnlineMovable) == Zone::Movable);
    check_zones(model, {11, 13}, "DMA32");
    const auto& movable = model.state().nodes.at(NodeId(1))[Zone::Movable];
    CHECK(movable.span == kernel::PageRange{12 * 32768, 40 * 32768});
    CHECK(movable.present == 5 * 32768);

    for (const std::uint64_t block : {47U, 46U, 45U})
      CHECK(online(model, block, OnlineWord::OnlineMovable) == Zone::Movable);
    CHECK(online(model, 40, OnlineWord::Online) == Zone::Normal);
    CHECK(online(model, 41, OnlineWord::Online) == Zone::Normal);
    check_zones(model, {42, 44}, "Normal Movable");
  }
}

TEST_CASE("kernel model: setup G with movable_node") {
  Model model(setup_g(Era::D).parameter("movable_node").build());
  check_zones(model, {32, 39, 40, 47}, "Movable Normal");
  CHECK(online(model, 35, OnlineWord::Online) == Zone::Movable);
  check_zones(model, {34, 36}, "Movable Normal");
  CHECK(online(model, 33, OnlineWord::OnlineKernel) == Zone::Normal);
  CHECK(online(model, 37, OnlineWord::OnlineKernel) == Zone::Normal);
  check_zones(model, {34, 36}, "Normal Movable");
  check_zones(model, {32}, "Movable Normal");
  offline(model, 35);
  check_zones(model, {34, 35}, "Normal Movable");
}

namespace {

// node 0 and 1 boot with 1 GiB each, node 2 without; DIMMs A to D of 1 GiB on node 1, one on
// node 2.
Model auto_movable_host(std::uint64_t ratio, bool numa_aware) {
  HostBuilder builder(Era::D);
  builder.boot(0, 0, 8, Zone::Dma32)
      .boot(1, 8, 8, Zone::Dma32)
      .dimm(1, 32, 8)
      .dimm(1, 40, 8)
      .dimm(1, 48, 8)
      .dimm(1, 56, 8)
      .dimm(2, 64, 8)
      .span(0, Zone::Dma32, 4096, 258048, 258048)
      .span(1, Zone::Dma32, 262144, 262112, 262112)
      .auto_movable(ratio, numa_aware);
  return Model(builder.build());
}

}  // namespace

TEST_CASE("kernel model: auto-movable takes or refuses a DIMM as a whole") {
  Model model = auto_movable_host(301, true);
  check_zones(model, {32, 40, 48, 56}, "Movable Normal");
  check_zones(model, {64}, "Normal Movable");  // no boot memory on node 2
  const auto a = model.online({BlockId(32), BlockId(39)}, OnlineWord::Online);
  REQUIRE(a.has_value());
  CHECK(a->size() == 1);
  CHECK(a->front().zone == Zone::Movable);
  CHECK(online(model, 43, OnlineWord::OnlineKernel) == Zone::Normal);
  check_zones(model, {40, 41, 42, 44, 45, 46, 47}, "Normal Movable");
  const auto c = model.online({BlockId(48), BlockId(63)}, OnlineWord::Online);
  REQUIRE(c.has_value());
  CHECK(c->size() == 1);
  CHECK(c->front().zone == Zone::Movable);
}

TEST_CASE("kernel model: auto-movable follows its knobs") {
  Model model = auto_movable_host(301, true);
  for (const std::uint64_t first : {32U, 48U, 56U})
    REQUIRE(model.online({BlockId(first), BlockId(first + 7)}, OnlineWord::Online).has_value());
  REQUIRE(model.set_knob(model::Knob::AutoMovableNumaAware, "N").has_value());
  check_zones(model, {64}, "Movable Normal");
  for (const char* ratio : {"0", "100"}) {
    REQUIRE(model.set_knob(model::Knob::AutoMovableRatio, ratio).has_value());
    check_zones(model, {64}, "Normal Movable");
  }
  REQUIRE(model.set_knob(model::Knob::AutoMovableRatio, "301").has_value());
  check_zones(model, {64}, "Movable Normal");
  CHECK_FALSE(model.set_knob(model::Knob::OnlinePolicy, "bogus").has_value());
}

TEST_CASE("kernel model: virtio-mem under auto-movable, as 6.12 did it") {
  HostBuilder builder(Era::D);
  builder.boot(0, 0, 8, Zone::Dma32).span(0, Zone::Dma, 1, 4095, 3998);
  builder.span(0, Zone::Dma32, 4096, 258016, 258016).auto_movable();
  builder.virtio_mem(0, 32, 48);
  Model model(builder.build());
  std::string order;
  for (std::uint64_t block = 32; block < 80; ++block)
    order += online(model, block, OnlineWord::Online) == Zone::Movable ? 'M' : 'N';
  std::string expected(24, 'M');
  for (int i = 0; i < 6; ++i) expected += "NMMM";
  CHECK(order == expected);

  // Written as one run the answer is the same.
  Model at_once(builder.build());
  const auto placed = at_once.online({BlockId(32), BlockId(79)}, OnlineWord::Online);
  REQUIRE(placed.has_value());
  std::string runs;
  for (const auto& part : *placed)
    runs += std::string(part.blocks.count(), part.zone == Zone::Movable ? 'M' : 'N');
  CHECK(runs == expected);
}

TEST_CASE("kernel model: blocks that are not all RAM never go offline, from 5.5 on") {
  // Debian 5.10 to 7.2: the firmware keeps the last 128 KiB of low memory, writing `offline` into
  // that block says EINVAL (offline_pages(), "memory hole").
  for (const Era era : {Era::C1, Era::C2, Era::D}) {
    HostBuilder builder(era);
    builder.boot(0, 0, 3, Zone::Dma32).boot(0, 3, 1, Zone::Dma32).holes(3, 1);
    Model model(builder.build());
    const auto done = model.offline({BlockId(3), BlockId(2)});
    CHECK(done.has_value() == (era == Era::C1));
    if (!done) {
      CHECK(done.error().error == kernel::Errno::Einval);
      CHECK(done.error().block == BlockId(3));
      CHECK(model.host().find_block(BlockId(3))->holes);
    }
    CHECK(model.offline({BlockId(1), BlockId(1)}).has_value());
  }
}

TEST_CASE("kernel model: parameters take what the kernel's parsers take") {
  Model model(HostBuilder(Era::D).boot(0, 0, 8).build());
  const auto ratio = [&](const std::string& text) -> std::optional<std::uint64_t> {
    if (!model.set_knob(model::Knob::AutoMovableRatio, text)) return std::nullopt;
    return model.host().knobs.auto_movable_ratio;
  };
  CHECK(ratio("4294967295") == 4294967295U);
  CHECK(ratio("0x64") == 100U);
  CHECK(ratio("010") == 8U);
  CHECK(ratio("0") == 0U);
  for (const char* wrong : {"-1", "many", "", "1 0", "0x", "5 "}) CHECK_FALSE(ratio(wrong));
  const auto numa_aware = [&](const std::string& text) -> std::optional<bool> {
    if (!model.set_knob(model::Knob::AutoMovableNumaAware, text)) return std::nullopt;
    return model.host().knobs.auto_movable_numa_aware;
  };
  for (const char* yes : {"Y", "y", "1", "on"}) CHECK(numa_aware(yes) == true);
  for (const char* no : {"N", "n", "0", "off"}) CHECK(numa_aware(no) == false);
  for (const char* wrong : {"maybe", "", "o"}) CHECK_FALSE(numa_aware(wrong));
}
