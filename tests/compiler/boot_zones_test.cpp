// SPDX-License-Identifier: LGPL-2.1-or-later
// Boot zones by kernelcore=, movablecore= and movable_node (kernel rules 8.1 to 8.7): vectors that
// real kernels gave, and the corners of find_zone_movable_pfns_for_nodes().
#include "compiler/kernel/boot_zones.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"

using namespace memonline;
using kernel::BootMemory;
using kernel::BootZones;
using kernel::CoreRequest;
using model::NodeId;
using model::Zone;

namespace {

// Setup G: 1 GiB on node 0 with the holes of a PC, 1 GiB less 128 KiB on node 1, all below 4 GiB.
BootMemory setup_g() {
  BootMemory memory;
  memory.nodes = {{NodeId(0), {{1, 159}, {256, 262144}}, {}}, {NodeId(1), {{262144, 524256}}, {}}};
  memory.zone_ends.fill(524256);
  memory.zone_ends[0] = 4096;
  return memory;
}

CoreRequest core(std::string_view kernelcore, std::string_view movablecore = "") {
  CoreRequest request;
  if (!kernelcore.empty()) request.kernelcore = kernel::parse_core(kernelcore, 4096);
  if (!movablecore.empty()) request.movablecore = kernel::parse_core(movablecore, 4096);
  return request;
}

std::uint64_t pages(const BootZones& zones, Zone zone) {
  return zones.present[static_cast<std::size_t>(zone)];
}

}  // namespace

TEST_CASE("boot zones: setup G has the pages that zoneinfo shows") {
  const BootMemory memory = setup_g();
  CHECK(memory.pages() == 524158);
  const auto zones = kernel::boot_zones(memory, {});
  REQUIRE(zones.size() == 2);
  CHECK(zones[0].movable_start == 0);
  CHECK(pages(zones[0], Zone::Dma) == 3998);
  CHECK(pages(zones[0], Zone::Dma32) == 258048);
  CHECK(pages(zones[1], Zone::Dma32) == 262112);
  CHECK(pages(zones[1], Zone::Movable) == 0);
}

TEST_CASE("boot zones: kernelcore=50% of setup G, as 5.10 to 7.2 did it") {
  const auto zones = kernel::boot_zones(setup_g(), core("50%"));
  CHECK(zones[0].movable_start == 132096);
  CHECK(pages(zones[0], Zone::Dma32) == 132096 - 4096);
  CHECK(pages(zones[0], Zone::Movable) == 130048);
  CHECK(zones[1].movable_start == 393216);
  CHECK(pages(zones[1], Zone::Dma32) == 131072);
  CHECK(pages(zones[1], Zone::Movable) == 131040);
}

TEST_CASE("boot zones: the larger of kernelcore and what movablecore leaves counts") {
  const auto zones = kernel::boot_zones(setup_g(), core("600M", "512M"));
  CHECK(zones[0].movable_start == 197632);
  CHECK(zones[1].movable_start == 458752);
  CHECK(pages(zones[1], Zone::Movable) == 524256 - 458752);
}

TEST_CASE("boot zones: nothing or everything for the kernel means no Movable") {
  for (const char* value : {"0", "100%", "8G"}) {
    INFO(value);
    for (const BootZones& node : kernel::boot_zones(setup_g(), core(value)))
      CHECK(node.movable_start == 0);
  }
}

TEST_CASE("boot zones: large nodes take what small ones lack") {
  BootMemory memory;
  memory.nodes = {{NodeId(0), {{0, 65536}}, {}}, {NodeId(1), {{65536, 1048576}}, {}}};
  memory.zone_ends.fill(1048576);
  memory.zone_ends[0] = 0;
  const auto zones = kernel::boot_zones(memory, core("1G"));  // 262144 pages, 131072 a node
  CHECK(zones[0].movable_start == 0);
  CHECK(zones[1].movable_start == 65536 + 262144 - 65536);
}

TEST_CASE("boot zones: below the zone that Movable is cut from everything is the kernel's") {
  BootMemory memory;
  memory.nodes = {{NodeId(0), {{0, 786432}, {1048576, 1310720}}, {}}};
  memory.zone_ends = {4096, 1048576, 1310720, 1310720, 1310720, 1310720};
  const auto zones = kernel::boot_zones(memory, core("2G"));
  CHECK(zones[0].movable_start == 1048576);  // 3 GiB lie below 4 GiB already
  CHECK(pages(zones[0], Zone::Dma32) == 786432 - 4096);
  CHECK(pages(zones[0], Zone::Normal) == 0);
  CHECK(pages(zones[0], Zone::Movable) == 262144);
}

TEST_CASE("boot zones: movable_node begins Movable at the lowest hot-pluggable page of a node") {
  // 1 GiB on node 0; on node 1, 512 MiB above 4 GiB, all of it hot-pluggable, as 5.10 did it.
  BootMemory memory;
  memory.nodes = {{NodeId(0), {{1, 159}, {256, 262112}}, {}},
                  {NodeId(1), {{1048576, 1179648}}, 1048576}};
  memory.zone_ends = {4096, 1048576, 1179648, 1179648, 1179648, 1179648};
  CoreRequest request = core("50%", "256M");  // ignored beside it
  request.movable_node = true;
  auto zones = kernel::boot_zones(memory, request);
  CHECK(zones[0].movable_start == 0);
  CHECK(pages(zones[0], Zone::Dma) == 3998);
  CHECK(pages(zones[0], Zone::Dma32) == 258016);
  CHECK(zones[1].movable_start == 1048576);
  CHECK(pages(zones[1], Zone::Movable) == 131072);
  CHECK(pages(zones[1], Zone::Normal) == 0);
  // Rounded up to 4 MiB; from there on all of the node, hot-pluggable or not.
  memory.nodes[1] = {NodeId(1), {{786432, 917504}, {1048576, 1179648}}, 850001};
  zones = kernel::boot_zones(memory, request);
  CHECK(zones[1].movable_start == 850944);
  CHECK(pages(zones[1], Zone::Dma32) == 850944 - 786432);
  CHECK(pages(zones[1], Zone::Normal) == 0);
  CHECK(pages(zones[1], Zone::Movable) == 917504 - 850944 + 131072);
  // Nothing hot-pluggable: no Movable anywhere.
  memory.nodes[1].hotpluggable_from.reset();
  for (const BootZones& node : kernel::boot_zones(memory, request)) CHECK(node.movable_start == 0);
}

TEST_CASE("boot zones: a node with early allocations, or without a table, is not hot-pluggable") {
  test::HostBuilder builder;
  builder.boot(0, 0, 8, Zone::Dma32).boot(1, 8, 8, Zone::Dma32).boot(2, 32, 4, Zone::Normal);
  model::Host host = builder.build();
  host.arch = "x86_64";
  host.boot_memory = {{1, 160}, {256, 524256}, {1048576, 1179648}};
  CHECK_FALSE(kernel::boot_memory_of(host).hotpluggable_known);
  host.hotpluggable_memory = {{0, 524288}, {1048576 + 4096, 4194304}};
  const BootMemory memory = kernel::boot_memory_of(host);
  CHECK(memory.hotpluggable_known);
  REQUIRE(memory.nodes.size() == 3);
  CHECK_FALSE(memory.nodes[0].hotpluggable_from);  // the first MiB
  CHECK(memory.nodes[1].hotpluggable_from == 262144U);
  CHECK(memory.nodes[2].hotpluggable_from == 1048576U + 4096U);
  host.early_memory = {{520000, 524000}};  // a ramdisk at the end of what lies below 4 GiB
  CHECK_FALSE(kernel::boot_memory_of(host).nodes[1].hotpluggable_from);
  CHECK(kernel::boot_memory_of(host).nodes[2].hotpluggable_from);
  host.era = model::Era::A3;  // CONFIG_MOVABLE_NODE may be off
  CHECK_FALSE(kernel::boot_memory_of(host).hotpluggable_known);
  host.era = model::Era::D;
  host.arch = "aarch64";
  CHECK_FALSE(kernel::boot_memory_of(host).hotpluggable_known);
}

TEST_CASE("boot zones: amounts are read as the kernel reads them") {
  CHECK(kernel::parse_core("512M", 4096)->pages == 131072);
  CHECK(kernel::parse_core("0x100000", 4096)->pages == 256);
  CHECK(kernel::parse_core("3g", 65536)->pages == 49152);
  CHECK(kernel::parse_core("70%", 4096)->percent == 70);
  CHECK(kernel::parse_core("020%", 4096)->percent == 16);
  CHECK_FALSE(kernel::parse_core("mirror", 4096).has_value());
}
