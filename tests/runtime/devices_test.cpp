// SPDX-License-Identifier: LGPL-2.1-or-later
// Boot memory and devices from /proc/iomem, /sys/firmware/memmap and firmware_node.
#include "runtime/host/devices.hpp"

#include "runtime/host/dimms.hpp"
#include "tests/runtime/sample_tree.hpp"
#include "tests/support/catch.hpp"

namespace memonline {

using model::BlockId;
using model::Device;
using model::Origin;
using runtime::AddressRange;
using runtime::Block;
using runtime::boot_ranges;
using runtime::FirmwareRange;
using runtime::MemoryTree;
using namespace test;  // NOLINT

namespace {

constexpr std::uint64_t kSize = std::uint64_t{128} << 20U;

FirmwareRange ram(std::uint64_t first, std::uint64_t last) { return {{first, last}, true}; }
FirmwareRange reserved(std::uint64_t first, std::uint64_t last) { return {{first, last}, false}; }

std::vector<Block> blocks_of(std::uint64_t first, std::uint64_t last,
                             std::optional<std::uint32_t> dimm = {}) {
  std::vector<Block> blocks;
  for (std::uint64_t id = first; id <= last; ++id) {
    blocks.emplace_back().id = id;
    blocks.back().dimm = dimm;
  }
  return blocks;
}

std::vector<Block> operator+(std::vector<Block> a, const std::vector<Block>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const Device& device_at(const model::Host& host, std::uint64_t id) {
  return host.devices[host.find_block(BlockId(id))->device];
}

}  // namespace

TEST_CASE("boot memory: the firmware's entries, without those of hot-added memory") {
  const AddressRange low{0, 0x3ffdffff};
  const AddressRange high{0x100000000, 0x13fffffff};
  // Below an entry that came earlier: appended.
  CHECK(boot_ranges({ram(0, 0x3ffdffff), reserved(0xfd00000000, 0xffffffffff),
                     ram(0x100000000, 0x13fffffff)},
                    kSize, blocks_of(0, 7))
            .boot == std::vector{low});
  // Added by ACPI while the kernel booted, and so numbered before the firmware's own list.
  CHECK(
      boot_ranges({ram(0x180000000, 0x1bfffffff), ram(0x1c0000000, 0x1dfffffff), ram(0, 0x3ffdffff),
                   ram(0x100000000, 0x13fffffff), reserved(0xfd00000000, 0xffffffffff)},
                  kSize, blocks_of(0, 7))
          .boot == std::vector{low, high});
  // In its place in the order: the firmware's.
  CHECK(boot_ranges({ram(0, 0x3ffdffff), ram(0x100000000, 0x13fffffff),
                     reserved(0xfd00000000, 0xffffffffff)},
                    kSize, blocks_of(0, 7))
            .boot == std::vector{low, high});
  // Right behind RAM: the firmware's own would have been merged.
  CHECK(boot_ranges({ram(0, 0x3ffdffff), ram(0x100000000, 0x13fffffff),
                     ram(0x140000000, 0x147ffffff), ram(0x200000000, 0x207ffffff)},
                    kSize, blocks_of(0, 7))
            .boot == std::vector{low, high});
  // In order, but all of it came with one ACPI device.
  CHECK(boot_ranges({ram(0, 0x3ffdffff), ram(0x100000000, 0x13fffffff)}, kSize,
                    blocks_of(0, 7) + blocks_of(32, 39, 0))
            .boot == std::vector{low});
  // A device that was there at boot, for it has memory that the firmware lists unaligned.
  CHECK(boot_ranges({ram(0, 0x3ffdffff), ram(0x100000000, 0x13fffffff)}, kSize,
                    blocks_of(0, 7, 0) + blocks_of(32, 39, 0))
            .boot == std::vector{low, high});
  // DIMMs that are there when the kernel starts get the first numbers.
  CHECK(boot_ranges({ram(0x140000000, 0x17fffffff), ram(0x180000000, 0x1bfffffff),
                     ram(0, 0x3ffdffff), ram(0x100000000, 0x13fffffff)},
                    kSize, blocks_of(40, 55))
            .boot ==
        std::vector{AddressRange{0, 0x3ffdffff}, AddressRange{0x100000000, 0x13fffffff}});
  CHECK(boot_ranges({}, kSize, blocks_of(0, 7)).boot.empty());
}

TEST_CASE("boot memory: where boot memory has devices, one at the end of the map may be either") {
  const std::uint64_t gib = std::uint64_t{1} << 30U;
  const AddressRange low{0x100000, 2 * gib - 1};
  const AddressRange high{4 * gib, 8 * gib - 1};
  const AddressRange far{1024 * gib, 1028 * gib - 1};
  const AddressRange farther{2048 * gib, 2052 * gib - 1};
  const std::vector<FirmwareRange> map{
      {low, true}, reserved(0xfe000000, 0xffffffff), {high, true}, {far, true}, {farther, true}};
  const auto blocks = [&](std::uint32_t first_far, std::uint32_t last_far) {
    auto all = blocks_of(0, 15, 0) + blocks_of(32, 63, 0) + blocks_of(8192, 8207, first_far) +
               blocks_of(8208, 8223, last_far) + blocks_of(16384, 16415, 9);
    return boot_ranges(map, kSize, all);
  };
  const auto either = blocks(3, 3);
  CHECK(either.boot == std::vector{low, high});
  CHECK(either.unclear == std::vector{far, farther});
  // A hot-add has an entry for each device: one of several is the firmware's, and all before it.
  const auto several = blocks(3, 4);
  CHECK(several.boot == std::vector{low, high, far});
  CHECK(several.unclear == std::vector{farther});
  // Out of order, or right behind another: added later, device or not.
  const auto added = boot_ranges({{low, true}, {high, true}, {farther, true}, {far, true}}, kSize,
                                 blocks_of(0, 15, 0) + blocks_of(32, 63, 0) +
                                     blocks_of(8192, 8223, 3) + blocks_of(16384, 16415, 9));
  CHECK(added.boot == std::vector{low, high});
  CHECK(added.unclear == std::vector{farther});
}

TEST_CASE("iomem: drivers, their devices and merged neighbors") {
  const auto memory = runtime::parse_iomem(
      "00001000-0009fbff : System RAM\n"
      "100000000-1ffffffff : virtio0\n"
      "  100000000-13fffffff : System RAM (virtio_mem)\n"
      "200000000-2ffffffff : CXL Window 0\n"
      "  200000000-2ffffffff : region0\n"
      "    200000000-2ffffffff : dax0.0\n"
      "      200000000-2ffffffff : System RAM (kmem)\n"
      "300000000-33fffffff : System RAM (gpu driver)\n");
  CHECK(memory.readable);
  REQUIRE(memory.drivers.size() == 3);
  CHECK(memory.drivers[0].device == "virtio0");
  CHECK(memory.drivers[0].driver == "virtio_mem");
  CHECK(memory.drivers[0].range == AddressRange{0x100000000, 0x13fffffff});
  CHECK(memory.drivers[1].device == "dax0.0");
  CHECK(memory.drivers[2].device.empty());
  CHECK(memory.drivers[2].driver == "gpu driver");
  CHECK(memory.ram.size() == 4);
  CHECK_FALSE(runtime::parse_iomem("00000000-00000000 : System RAM\n").readable);
}

TEST_CASE("devices: kinds and origins") {
  MemoryTree tree;
  add_sample(tree);
  add_blocks(tree, 64, 71, "offline", "Normal Movable");
  add_blocks(tree, 80, 83, "online", "Movable");
  add_blocks(tree, 90, 90, "online", "Movable");
  tree.add_link(kMemory + "memory90/firmware_node", "../../../LNXSYSTM:00/PNP0C80:1a");
  tree.add_file("proc/iomem",
                "00000000-3fffffff : System RAM\n100000000-11fffffff : System RAM\n"
                "200000000-23fffffff : dax0.0\n  200000000-23fffffff : System RAM (kmem)\n"
                "280000000-29fffffff : System RAM (other)\n2d0000000-2d7ffffff : System RAM\n");
  const model::Host host = host_of(tree);
  CHECK(device_at(host, 0) == Device{Device::Kind::Boot, Origin::Boot, "boot", "", {}});
  CHECK(device_at(host, 32) == Device{Device::Kind::None, Origin::Hotplugged, "none", "", {}});
  CHECK(device_at(host, 71) == Device{Device::Kind::Dax, Origin::Hotplugged, "dax0.0", "kmem", {}});
  CHECK(device_at(host, 80) ==
        Device{Device::Kind::Driver, Origin::Hotplugged, "other", "other", {}});
  CHECK(device_at(host, 90) == Device{Device::Kind::Dimm, Origin::Hotplugged, "dimm26", "", 26});
}

TEST_CASE("devices: a DIMM in the firmware's map is boot memory and stays a DIMM") {
  MemoryTree tree;
  add_basis(tree);
  add_blocks(tree, 0, 7, "online", "Normal");
  for (int id = 0; id < 8; ++id)
    tree.add_link(kMemory + "memory" + std::to_string(id) + "/firmware_node", "../PNP0C80:00");
  tree.add_file("sys/firmware/memmap/0/start", "0x0\n");
  tree.add_file("sys/firmware/memmap/0/end", "0x3ffdffff\n");
  tree.add_file("sys/firmware/memmap/0/type", "System RAM\n");
  CHECK(device_at(host_of(tree), 3) == Device{Device::Kind::Dimm, Origin::Boot, "dimm0", "", 0});
}

TEST_CASE("devices: links are found wherever they change within what was added at once") {
  for (const bool root : {true, false}) {
    MemoryTree tree;
    add_basis(tree);
    add_blocks(tree, 0, 63, "online", "Normal");
    tree.add_file("proc/iomem", root ? "00000000-1ffffffff : System RAM\n" : "");
    const auto dimm_of = [](std::uint64_t id) { return id < 5 ? 0 : id < 6 ? 1 : id < 50 ? 2 : 3; };
    for (std::uint64_t id = 0; id < 64; ++id)
      tree.add_link(fmt::format("{}memory{}/firmware_node", kMemory, id),
                    fmt::format("../PNP0C80:{:02x}", dimm_of(id)));
    const model::Host host = host_of(tree);
    for (std::uint64_t id = 0; id < 64; ++id)
      CHECK(device_at(host, id).number == static_cast<std::uint32_t>(dimm_of(id)));
  }
}

TEST_CASE("devices: without a firmware map, being online or offline proves nothing") {
  for (const std::string arch : {"x86_64", "aarch64", "ppc64le"}) {
    INFO(arch);
    MemoryTree tree;
    add_sample_without_map(tree);
    tree.add_file("proc/version", "Linux version 6.8.0-1." + arch + " (a@b) #1\n");
    add_block(tree, 20, "offline", "Normal Movable");
    add_block(tree, 50, "online", "Movable");
    add_block(tree, 51, "strange", "Normal Movable");
    const auto origin_at = [&](std::uint64_t block) {
      return device_at(host_of(tree), block).origin;
    };
    // The lowest resource in /proc/iomem, on any machine; of a PC, all below 4 GiB.
    CHECK(origin_at(0) == Origin::Boot);
    CHECK(origin_at(20) == (arch == "x86_64" ? Origin::Boot : Origin::Unknown));
    for (const std::uint64_t block : {32U, 50U, 51U}) CHECK(origin_at(block) == Origin::Unknown);

    // What is hot-added on bare metal has a device, if no driver.
    tree.add_file("sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
    tree.add_file("proc/cpuinfo", "flags : fpu\n");
    const model::Host host = host_of(tree);
    const bool by_devices = host.virtualization == "none" && arch != "ppc64le";
    CHECK(device_at(host, 32).origin == (by_devices ? Origin::Boot : Origin::Unknown));
  }
}

TEST_CASE(
    "devices: without addresses in /proc/iomem any memory without a device may be a driver's") {
  for (const char* text : {"", "00000000-00000000 : System RAM\n"}) {
    MemoryTree tree;
    add_sample_without_map(tree);
    add_blocks(tree, 40, 41, "offline", "Normal Movable");
    for (const char* id : {"40", "41"})
      tree.add_link(kMemory + "memory" + id + "/firmware_node", "../PNP0C80:02");
    tree.add_file("proc/iomem", text);
    tree.add_file("proc/version", "Linux version 6.8.0-1.aarch64 (a@b) #1\n");
    tree.add_directory("sys/bus/dax/devices/dax0.0");
    const model::Host host = host_of(tree);
    CHECK(device_at(host, 0) == Device{});
    CHECK(device_at(host, 32).kind == Device::Kind::Unknown);
    CHECK(device_at(host, 40).kind == Device::Kind::Dimm);
    CHECK(host.ruled_out == model::RuledOut{true, true, false});
  }
}

TEST_CASE("devices: resources of /proc/iomem tell boot memory from what was added behind it") {
  for (const char* arch : {"s390x", "ppc64le", "aarch64"}) {
    INFO(arch);
    MemoryTree tree;
    add_sample_without_map(tree);
    add_blocks(tree, 8, 15, "online", "Normal");
    add_blocks(tree, 24, 25, "online", "Normal");
    tree.add_file("proc/version", fmt::format("Linux version 6.8.0-1.{} (a@b) #1\n", arch));
    tree.add_file("proc/iomem",
                  "00000000-3fffffff : System RAM\n  00010000-00ffffff : Kernel code\n"
                  "40000000-7fffffff : System RAM\nc0000000-cfffffff : System RAM\n");
    const model::Host host = host_of(tree);
    CHECK(device_at(host, 7).origin == Origin::Boot);
    CHECK(device_at(host, 8).origin == Origin::Hotplugged);
    // Apart from the rest: no hypervisor is known that would hand out memory without a device.
    CHECK(device_at(host, 24).origin == Origin::Unknown);
  }
}

TEST_CASE("devices: on a machine whose boot memory has ACPI devices, a device proves nothing") {
  for (const bool removable : {true, false}) {
    MemoryTree tree;
    add_basis(tree);
    add_blocks(tree, 0, 7, "online", "Normal");
    add_blocks(tree, 1024, 1031, "online", "Normal");
    tree.add_file("proc/version", "Linux version 6.8.0-1.aarch64 (a@b) #1\n");
    for (int id = removable ? 0 : 1024; id < 1032; id = id == 7 ? 1024 : id + 1)
      tree.add_link(fmt::format("{}memory{}/firmware_node", kMemory, id),
                    fmt::format("../PNP0C80:{:02x}", id < 8 ? 0 : 1));
    const model::Host host = host_of(tree);
    CHECK(device_at(host, 0).origin == Origin::Boot);
    CHECK(device_at(host, 1024).origin == (removable ? Origin::Unknown : Origin::Hotplugged));
  }
}

TEST_CASE("devices: boot blocks that are not all RAM are told apart") {
  for (const bool root : {true, false}) {
    MemoryTree tree;
    add_basis(tree);
    add_blocks(tree, 0, 7, "online", "Normal");
    add_blocks(tree, 32, 35, "offline", "Normal Movable");
    tree.add_file("sys/firmware/memmap/0/start", "0x0\n");
    tree.add_file("sys/firmware/memmap/0/end", "0x3ffdffff\n");
    tree.add_file("sys/firmware/memmap/0/type", "System RAM\n");
    tree.add_file("proc/iomem",
                  root ? "00000000-27ffffff : System RAM\n28000000-3ffdffff : System RAM\n"
                       : "00000000-00000000 : System RAM\n");
    const model::Host host = host_of(tree);
    for (const std::uint64_t id : {0U, 4U, 5U, 6U, 32U})
      CHECK_FALSE(host.find_block(BlockId(id))->holes);
    CHECK(host.find_block(BlockId(7))->holes);
    CHECK(host.find_block(BlockId(7))->count == 1);
  }
}

}  // namespace memonline
