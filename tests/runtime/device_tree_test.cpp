// SPDX-License-Identifier: LGPL-2.1-or-later
// Boot memory from the device tree.
#include "runtime/host/device_tree.hpp"

#include "tests/runtime/sample_tree.hpp"
#include "tests/support/catch.hpp"

namespace memonline {

using model::BlockId;
using model::Origin;
using runtime::AddressRange;
using runtime::MemoryTree;
using namespace test;  // NOLINT

namespace {

constexpr std::uint64_t kLmb = std::uint64_t{256} << 20U;

std::string cells(std::initializer_list<std::uint32_t> values) {
  std::string text;
  for (const std::uint32_t value : values)
    for (const unsigned shift : {24U, 16U, 8U, 0U}) text += static_cast<char>(value >> shift);
  return text;
}

std::uint32_t low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
std::uint32_t high(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32U); }

std::string reg(std::uint64_t first, std::uint64_t size) {
  return cells({high(first), low(first), high(size), low(size)});
}

struct Lmb {
  std::uint64_t address = 0;
  std::uint32_t flags = 0;
};

std::string dynamic_memory(std::initializer_list<Lmb> lmbs) {
  std::string text = cells({static_cast<std::uint32_t>(lmbs.size())});
  for (const Lmb& lmb : lmbs)
    text += cells({high(lmb.address), low(lmb.address), 0x80000000, 0, 0, lmb.flags});
  return text;
}

constexpr auto kDynamic = "proc/device-tree/ibm,dynamic-reconfiguration-memory/";

}  // namespace

TEST_CASE("device tree: memory nodes are boot memory, a GPU's memory is not") {
  MemoryTree tree;
  tree.add_file("proc/device-tree/memory@0/reg", reg(0, 4 * kLmb));
  tree.add_file("proc/device-tree/memory@2000000000/reg", reg(0x2000000000, kLmb));
  tree.add_file("proc/device-tree/memory@3000000000/reg", reg(0x3000000000, kLmb));
  tree.add_file("proc/device-tree/memory@3000000000/linux,usable-memory", reg(0x3000000000, 0));
  tree.add_file("proc/device-tree/memory@4000000000/reg", reg(0x4000000000, kLmb));
  tree.add_file("proc/device-tree/memory@4000000000/compatible",
                std::string("ibm,coherent-device-memory\0", 27));
  const auto memory = runtime::read_device_tree(tree);
  CHECK(memory.boot ==
        std::vector<AddressRange>{{0, 4 * kLmb - 1}, {0x2000000000, 0x2000000000 + kLmb - 1}});
  CHECK(memory.origin_of({0, kLmb - 1}) == Origin::Boot);
  CHECK(memory.origin_of({0x3000000000, 0x3000000000 + kLmb - 1}) == Origin::Hotplugged);
  CHECK(memory.origin_of({0x4000000000, 0x4000000000 + kLmb - 1}) == Origin::Hotplugged);
}

TEST_CASE("device tree: cells of one word, and values that are cut off") {
  MemoryTree tree;
  tree.add_file("sys/firmware/devicetree/base/#address-cells", cells({1}));
  tree.add_file("sys/firmware/devicetree/base/#size-cells", cells({1}));
  tree.add_file("sys/firmware/devicetree/base/memory@80000000/reg",
                cells({0x80000000, 0x40000000, 0xc0000000}));
  CHECK(runtime::read_device_tree(tree).boot ==
        std::vector<AddressRange>{{0x80000000, 0xbfffffff}});
  CHECK(runtime::parse_dynamic_memory(cells({9, 0}), kLmb).empty());
  CHECK(runtime::parse_dynamic_memory_v2("", kLmb).empty());
}

TEST_CASE("device tree: LMBs that can be added tell what came later") {
  // Boot memory is listed, and stays: so the rest came later.
  MemoryTree guest;
  guest.add_file("proc/device-tree/memory@0/reg", reg(0, 2 * kLmb));
  guest.add_file(kDynamic + std::string("ibm,lmb-size"), cells({0, low(kLmb)}));
  guest.add_file(kDynamic + std::string("ibm,dynamic-memory"),
                 dynamic_memory({{0, 0xa0}, {kLmb, 0xa0}, {2 * kLmb, 0x8}, {3 * kLmb, 0}}));
  const auto memory = runtime::read_device_tree(guest);
  CHECK(memory.origin_of({kLmb, 2 * kLmb - 1}) == Origin::Boot);
  CHECK(memory.origin_of({2 * kLmb, 3 * kLmb - 1}) == Origin::Hotplugged);
  CHECK(memory.origin_of({3 * kLmb, 4 * kLmb - 1}) == Origin::Unknown);
  // Boot memory is LMBs like those that are added while the system runs.
  MemoryTree partition;
  partition.add_file("proc/device-tree/memory@0/reg", reg(0, kLmb));
  partition.add_file(kDynamic + std::string("ibm,lmb-size"), cells({0, low(kLmb)}));
  partition.add_file(
      kDynamic + std::string("ibm,dynamic-memory-v2"),
      cells({2, 3, 0, low(kLmb), 0x80000001, 0, 0x8, 1, 0x1, 0, 0x80000008, 0, 0x108}));
  const auto lpar = runtime::read_device_tree(partition);
  CHECK(lpar.origin_of({0, kLmb - 1}) == Origin::Boot);
  CHECK(lpar.origin_of({3 * kLmb, 4 * kLmb - 1}) == Origin::Unknown);
  CHECK(lpar.origin_of({0x100000000, 0x100000000 + kLmb - 1}) == Origin::Hotplugged);
}

}  // namespace memonline
