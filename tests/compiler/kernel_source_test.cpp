// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the kernel model once differed from the kernels' own code (tests/kernel_source): the
// shortest sequences that showed it, and siblings.
#include "compiler/kernel/model.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"

using namespace memonline;
using kernel::Model;
using model::BlockId;
using model::Era;
using model::NodeId;
using model::OnlineWord;
using model::PageRange;
using model::Zone;
using test::HostBuilder;

namespace {

constexpr std::uint64_t kBlock = 32768;  // pages

PageRange span(const Model& model, std::uint32_t node, Zone zone) {
  return model.state().nodes.at(NodeId(node))[zone].span;
}

std::string zones(const Model& model, std::uint64_t block) {
  return test::zones_text(model.valid_zones(BlockId(block)));
}

void offline(Model& model, std::uint64_t first, std::uint64_t last) {
  REQUIRE(model.offline({BlockId(first), BlockId(last)}).has_value());
}

void online(Model& model, std::uint64_t block, OnlineWord word) {
  REQUIRE(model.online({BlockId(block), BlockId(block)}, word).has_value());
}

// Node 1 ends inside block 9, where RAM ends; node 2 begins at block 12. A DIMM is at block 20.
model::Host ends_in_a_hole(Era era, std::uint32_t dimm_node) {
  model::Host host = HostBuilder(era)
                         .boot(0, 0, 4, Zone::Dma32)
                         .boot(1, 4, 5, Zone::Normal)
                         .boot(1, 9, 1, Zone::Normal)
                         .holes(9, 1)
                         .boot(2, 12, 2, Zone::Normal)
                         .dimm(dimm_node, 20, 1)
                         .span(0, Zone::Dma32, 0, 4 * kBlock, 4 * kBlock)
                         .span(1, Zone::Normal, 4 * kBlock, 5 * kBlock + 8192, 5 * kBlock + 8192)
                         .span(2, Zone::Normal, 12 * kBlock, 2 * kBlock, 2 * kBlock)
                         .build();
  host.arch = "x86_64";
  host.boot_memory = {{0, 9 * kBlock + 8192}, {12 * kBlock, 14 * kBlock}};
  return host;
}

}  // namespace

TEST_CASE("kernel source: a boot block in a kernel zone makes room for the next of its write") {
  Model model(HostBuilder(Era::D)
                  .auto_movable(301, true)
                  .boot(0, 0, 3, Zone::Dma32)
                  .boot(1, 4, 6, Zone::Dma32)
                  .build());
  offline(model, 4, 9);
  const auto placed = model.online({BlockId(7), BlockId(9)}, OnlineWord::Online);
  REQUIRE(placed.has_value());
  REQUIRE(placed->size() == 2);
  CHECK(placed->at(0).zone == Zone::Normal);
  CHECK(placed->at(0).blocks.count() == 1);
  CHECK(placed->at(1).zone == Zone::Movable);
}

TEST_CASE("kernel source: so it does when the blocks are written downward") {
  Model model(HostBuilder(Era::D).auto_movable(150, true).boot(0, 0, 3).boot(1, 4, 6).build());
  offline(model, 4, 9);
  const auto placed = model.online({BlockId(9), BlockId(4)}, OnlineWord::Online);
  REQUIRE(placed.has_value());
  // One for the kernel allows for one that is Movable, two for three in all.
  std::string found;
  for (const kernel::Placed& part : *placed)
    found += std::string(part.blocks.count(), part.zone == Zone::Movable ? 'M' : 'N');
  CHECK(found == "NMNMMN");
}

TEST_CASE("kernel source: a span shrinks to the border inside a block of two zones") {
  const std::uint64_t border = 10 * kBlock + 8192;
  Model model(HostBuilder(Era::D)
                  .boot(0, 0, 10)
                  .boot(0, 10, 1, Zone::Normal, true)
                  .boot(0, 11, 1, Zone::Movable)
                  .span(0, Zone::Normal, 0, border, border)
                  .span(0, Zone::Movable, border, 12 * kBlock - border, 12 * kBlock - border)
                  .build());
  offline(model, 11, 11);
  CHECK(span(model, 0, Zone::Movable) == PageRange{border, 11 * kBlock});
  online(model, 11, OnlineWord::OnlineKernel);
  CHECK(span(model, 0, Zone::Normal) == PageRange{0, 12 * kBlock});
  offline(model, 11, 11);
  CHECK(span(model, 0, Zone::Normal) == PageRange{0, border});
}

TEST_CASE("kernel source: a hole belongs to the zone of the memory that follows") {
  SECTION("so the span of what lies below shrinks to the end of its RAM") {
    Model model(ends_in_a_hole(Era::D, 1));
    online(model, 20, OnlineWord::OnlineKernel);
    CHECK(span(model, 1, Zone::Normal) == PageRange{4 * kBlock, 21 * kBlock});
    offline(model, 20, 20);
    CHECK(span(model, 1, Zone::Normal) == PageRange{4 * kBlock, 9 * kBlock + 8192});
  }
  SECTION("and after the last memory to the highest zone of its node") {
    model::Host host = ends_in_a_hole(Era::D, 1);
    host.blocks.erase(host.blocks.end() - 2);  // node 2
    host.boot_memory.pop_back();
    Model model(host);
    online(model, 20, OnlineWord::OnlineKernel);
    offline(model, 20, 20);
    CHECK(span(model, 1, Zone::Normal) == PageRange{4 * kBlock, 10 * kBlock});
  }
  SECTION("but where no section of the memory map is, nothing is") {
    model::Host host = ends_in_a_hole(Era::D, 2);
    host.block_size = model::Bytes(8 * kBlock * 4096);
    host.boot_memory = {{0, 9 * 8 * kBlock + 8192}};
    host.blocks.erase(host.blocks.end() - 2);
    for (model::Node& node : host.nodes) node.zones = {};
    host.nodes[1].zones[static_cast<std::size_t>(Zone::Normal)] = {
        model::Pfn(4 * 8 * kBlock), 40 * kBlock + 8192, 40 * kBlock + 8192, 0, 0};
    for (model::BlockRun& run : host.blocks)
      if (run.first == BlockId(20)) run.node = NodeId(1);
    Model model(host);
    online(model, 20, OnlineWord::OnlineKernel);
    offline(model, 20, 20);
    CHECK(span(model, 1, Zone::Normal) == PageRange{32 * kBlock, 73 * kBlock});
  }
}

TEST_CASE(
    "kernel source: what follows a block of two nodes belongs to the one with the last memory") {
  const std::uint64_t border = 5 * kBlock + 8192;
  const std::uint64_t end = border + 4096;
  const auto host_with_dimm_of = [&](std::uint32_t node) {
    model::Host host = HostBuilder(Era::D)
                           .boot(0, 0, 5)
                           .boot(0, 5, 1, Zone::Normal, true)
                           .holes(5, 1)
                           .dimm(node, 20, 1)
                           .span(0, Zone::Normal, 0, border, border)
                           .span(1, Zone::Normal, border, end - border, end - border)
                           .build();
    host.arch = "x86_64";
    host.boot_memory = {{0, border}, {border, end}};
    for (model::BlockRun& run : host.blocks)
      if (run.first == BlockId(5)) run.several_nodes = true;
    return host;
  };
  SECTION("so the span of the lower node shrinks to its own memory") {
    Model model(host_with_dimm_of(0));
    online(model, 20, OnlineWord::OnlineKernel);
    CHECK(span(model, 0, Zone::Normal) == PageRange{0, 21 * kBlock});
    offline(model, 20, 20);
    CHECK(span(model, 0, Zone::Normal) == PageRange{0, border});
  }
  SECTION("and that of the upper node to the end of the block") {
    Model model(host_with_dimm_of(1));
    online(model, 20, OnlineWord::OnlineKernel);
    offline(model, 20, 20);
    CHECK(span(model, 1, Zone::Normal) == PageRange{border, 6 * kBlock});
  }
}

TEST_CASE("kernel source: up to 5.17 valid_zones looks at the pages, holes included") {
  // Of the kernels with era C2, the hole of the last memory is Normal, but not in the span of
  // Normal.
  model::Host host = ends_in_a_hole(Era::C2, 1);
  host.blocks.erase(host.blocks.end() - 2);  // node 2
  host.boot_memory.pop_back();
  for (model::BlockRun& run : host.blocks)
    if (run.holes) run.zones = model::ValidZones(model::ValidZones::Kind::None);
  Model model(host);
  CHECK(zones(model, 9) == "none");
  online(model, 20, OnlineWord::OnlineKernel);
  CHECK(zones(model, 9) == "Normal");
  offline(model, 20, 20);
  CHECK(zones(model, 9) == "Normal");  // the span keeps the hole
}

TEST_CASE("kernel source: from 5.18 on valid_zones of a block with a hole does not change") {
  Model model(ends_in_a_hole(Era::D, 1));
  CHECK(zones(model, 9) == "Normal");
  online(model, 20, OnlineWord::OnlineKernel);
  CHECK(zones(model, 9) == "Normal");
}

TEST_CASE("kernel source: the first kernel block of a DIMM gets the zone of what the DIMM needs") {
  // Node 1 begins with DMA32 at block 5; the DIMM lies below it and reaches it by its size.
  const auto host = [](std::uint64_t first, std::uint64_t count) {
    return HostBuilder(Era::D)
        .auto_movable(301, true)
        .boot(0, 0, 3, Zone::Dma32)
        .boot(1, 6, 5, Zone::Dma32)
        .dimm(2, 20, 1)
        .dimm(1, first, count)
        .span(0, Zone::Movable, 0, 0, 0)
        .build();
  };
  SECTION("of two blocks, only the second reaches it") {
    model::Host two = host(4, 2);
    two.knobs.auto_movable_ratio = 1;
    const Model model(two);
    CHECK(zones(model, 4) == "Normal Movable");
    CHECK(zones(model, 5) == "DMA32 Normal Movable");
  }
  SECTION("written upward, the next block gets the zone of its own pages") {
    model::Host three = host(3, 3);
    three.knobs.auto_movable_ratio = 1;
    Model model(three);
    CHECK(zones(model, 3) == "Normal Movable");
    CHECK(zones(model, 4) == "DMA32 Normal Movable");
    const auto placed = model.online({BlockId(4), BlockId(5)}, OnlineWord::Online);
    REQUIRE(placed.has_value());
    REQUIRE(placed->size() == 1);
    CHECK(placed->at(0).zone == Zone::Dma32);  // block 5 meets DMA32 once block 4 is in it
  }
  SECTION("written downward") {
    model::Host three = host(3, 3);
    three.knobs.auto_movable_ratio = 1;
    Model model(three);
    const auto placed = model.online({BlockId(5), BlockId(3)}, OnlineWord::Online);
    REQUIRE(placed.has_value());
    REQUIRE(placed->size() == 2);
    CHECK(placed->at(0).zone == Zone::Dma32);
    CHECK(placed->at(0).blocks.count() == 1);
    CHECK(placed->at(1).zone == Zone::Normal);
  }
}

TEST_CASE(
    "kernel source: what valid_zones says of a block counts more than what spans seem to show") {
  // The block spans zones, but only one zone of the node is known.
  const Model model(HostBuilder(Era::C2).boot(0, 0, 1, Zone::Normal, true).build());
  CHECK(zones(model, 0) == "none");
}

TEST_CASE("kernel source: a block whose pages are unknown counts for the zones that span it") {
  // Blocks 1 and 2 list `none`, but the spans explain only block 1.
  const std::uint64_t border = kBlock + kBlock / 2;
  Model model(HostBuilder(Era::C2)
                  .boot(0, 0, 1)
                  .boot(0, 1, 2, Zone::Normal, true)
                  .boot(0, 3, 3, Zone::Movable)
                  .span(0, Zone::Normal, 0, border, border)
                  .span(0, Zone::Movable, border, 6 * kBlock - border, 6 * kBlock - border)
                  .build());
  offline(model, 3, 5);
  CHECK(span(model, 0, Zone::Movable) == PageRange{border, 3 * kBlock});
}

TEST_CASE("kernel source: millions of blocks with holes cost as much as one") {
  model::Host host = HostBuilder(Era::D).boot(0, 0, 1).holes(0, 1).build();
  host.blocks.front().count = std::uint64_t{1} << 32U;
  const Model model(host);
  CHECK(model.state().shared.size() <= 2);
}
