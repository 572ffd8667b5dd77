// SPDX-License-Identifier: LGPL-2.1-or-later
// What the firmware calls hot-pluggable, and where the boot loader and the kernel put themselves.
#include "runtime/host/firmware.hpp"

#include <cerrno>

#include "tests/runtime/sample_tree.hpp"
#include "tests/support/catch.hpp"

namespace memonline {

using model::PageRange;
using runtime::AddressRange;
using runtime::hotpluggable_in;
using runtime::MemoryTree;
using Ranges = std::vector<PageRange>;
using Addresses = std::vector<AddressRange>;

namespace {

constexpr const char* kSrat = "sys/firmware/acpi/tables/SRAT";

void put(std::string& bytes, std::size_t at, std::uint64_t value, std::size_t size) {
  if (bytes.size() < at + size) bytes.resize(at + size);
  for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
}

struct Affinity {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
  std::uint64_t flags = 0;
};

std::string srat(const std::vector<Affinity>& memory) {
  std::string table = "SRAT";
  table.resize(48);
  put(table, 48, 0, 16);  // a processor
  put(table, 49, 16, 1);
  for (const Affinity& one : memory) {
    const std::size_t at = table.size();
    put(table, at, 1, 40);
    put(table, at + 1, 40, 1);
    put(table, at + 8, one.first, 8);
    put(table, at + 16, one.length, 8);
    put(table, at + 28, one.flags, 4);
  }
  put(table, 4, table.size(), 4);
  return table;
}

}  // namespace

TEST_CASE("srat: what is enabled and hot-pluggable, ascending and merged") {
  const std::string table = srat({{0x200000000, 0x40000000, 3},
                                  {0, 0xa0000, 1},
                                  {0x100000000, 0x20000000, 3},
                                  {0x120000000, 0x20000000, 7},
                                  {0x300000000, 0x10000000, 2},
                                  {0x400000000, 0, 3}});
  CHECK(hotpluggable_in(table) ==
        Addresses{{0x100000000, 0x13fffffff}, {0x200000000, 0x23fffffff}});
  // Cut off, or nonsense: what came before counts, and nothing is read outside.
  CHECK(hotpluggable_in(table.substr(0, 48 + 16 + 40 + 39)) ==
        Addresses{{0x200000000, 0x23fffffff}});
  CHECK(hotpluggable_in(srat({{~0ULL, 16, 3}, {16, ~0ULL, 3}})) == Addresses{});
  CHECK_FALSE(hotpluggable_in(table.substr(0, 47)));
  CHECK_FALSE(hotpluggable_in("SLIT" + table.substr(4)));
}

TEST_CASE("firmware: no table, none that may be read, and none at all are told apart") {
  MemoryTree tree;
  test::add_sample(tree);
  CHECK_FALSE(test::host_of(tree).hotpluggable_memory);  // no ACPI
  tree.add_file("sys/firmware/acpi/tables/FACP", "FACP");
  CHECK(test::host_of(tree).hotpluggable_memory == Ranges{});
  tree.add_error(kSrat, runtime::Errno{EACCES});
  const model::Host closed = test::host_of(tree);
  CHECK_FALSE(closed.hotpluggable_memory);
  REQUIRE(closed.unread.size() == 1);
  CHECK(closed.unread[0].path == std::string("/") + kSrat);
  tree.add_file(kSrat, "no table");
  CHECK_FALSE(test::host_of(tree).hotpluggable_memory);
  CHECK(test::host_of(tree).unread.size() == 1);
  tree.add_file(kSrat, srat({{0x20000000, 0x20000000, 3}}));
  CHECK(test::host_of(tree).hotpluggable_memory == Ranges{{0x20000, 0x40000}});
}

TEST_CASE("firmware: the kernel's image and its ramdisk are early memory") {
  MemoryTree tree;
  test::add_sample(tree);
  tree.add_file("proc/iomem",
                "00100000-3fffffff : System RAM\n  01000000-01ffffff : Kernel code\n"
                "  02000000-020fffff : Kernel rodata\n  02800000-02ffffff : Kernel bss\n");
  CHECK(test::host_of(tree).early_memory == Ranges{{0x1000, 0x3000}});
  std::string parameters(4096, '\0');
  put(parameters, 0x218, 0x3f000000, 4);
  put(parameters, 0x21c, 0x800001, 4);
  tree.add_file("sys/kernel/boot_params/data", parameters);
  CHECK(test::host_of(tree).early_memory == Ranges{{0x1000, 0x3000}, {0x3f000, 0x3f801}});
  put(parameters, 0x0c0, 1, 4);  // above 4 GiB
  tree.add_file("sys/kernel/boot_params/data", parameters);
  CHECK(test::host_of(tree).early_memory.back() == PageRange{0x13f000, 0x13f801});
  tree.add_file("sys/kernel/boot_params/data", "short");
  CHECK(test::host_of(tree).early_memory.size() == 1);
}

}  // namespace memonline
