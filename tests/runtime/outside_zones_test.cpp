// SPDX-License-Identifier: LGPL-2.1-or-later
// Blocks that no zone reaches: two files tell of all between, where the kernel's rules say so, and
// nowhere else.
#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include <fmt/format.h>

#include "runtime/host/read_host.hpp"
#include "tests/runtime/sample_tree.hpp"
#include "tests/support/catch.hpp"

namespace memonline {

using model::BlockId;
using model::State;
using runtime::Errno;
using runtime::MemoryTree;
using namespace test;  // NOLINT

namespace {

const std::string kPolicy = "sys/module/memory_hotplug/parameters/online_policy";
constexpr std::uint64_t kPages = 32768;  // of a block

/// A kernel of era D. One zone ends where 40 begins, one begins where 79 ends: none reaches 40 to
/// 59 of node 0 and 60 to 79 of node 1.
void add_outside_zones(MemoryTree& tree) {
  add_sample(tree);
  tree.add_file(kPolicy, "contig-zones\n");
  tree.add_file("proc/zoneinfo", zoneinfo({{0, "Normal", 0, 8 * kPages, 8 * kPages},
                                           {0, "Movable", 0, 0, 0},
                                           {1, "Normal", 80 * kPages, 8 * kPages, 1},
                                           {1, "Movable", 36 * kPages, 4 * kPages, 2 * kPages}}));
  add_blocks(tree, 36, 37, "online", "Movable", 1);
  add_blocks(tree, 40, 59, "offline", "Normal Movable");
  add_blocks(tree, 60, 79, "offline", "Movable Normal", 1);
}

model::Host to_write(const MemoryTree& tree) {
  return runtime::read_tree(tree, runtime::Liveness::Captured, runtime::Detail::ToWrite);
}

/// What is read to write where of 40 to 79 no files can be read but those at the ends.
model::Host with_readable_ends(MemoryTree& tree) {
  constexpr std::array<std::uint64_t, 4> kEnds{40, 59, 60, 79};
  for (std::uint64_t id = 40; id < 80; ++id)
    if (std::find(kEnds.begin(), kEnds.end(), id) == kEnds.end())
      for (const char* file : {"state", "valid_zones"})
        tree.add_error(fmt::format("{}memory{}/{}", kMemory, id, file), Errno{EACCES});
  return to_write(tree);
}

}  // namespace

TEST_CASE("outside zones: the two blocks at the ends are read, on each node") {
  MemoryTree tree;
  add_outside_zones(tree);
  const model::Host all = host_of(tree);
  CHECK(all.unread.empty());
  CHECK(with_readable_ends(tree) == all);
}

TEST_CASE("outside zones: all are read where the rules do not say that they are alike") {
  MemoryTree tree;
  add_outside_zones(tree);
  SECTION("each may come into another zone") { tree.add_file(kPolicy, "auto-movable\n"); }
  SECTION("the policy cannot be read") { tree.add_error(kPolicy, Errno{EACCES}); }
  SECTION("the zones cannot be read") { tree.add_error("proc/zoneinfo", Errno{EACCES}); }
  SECTION("a zone ends in the first page of one, behind a shorter one within it") {
    tree.add_file("proc/zoneinfo", zoneinfo({{0, "Normal", 0, 40 * kPages + 1, 8 * kPages},
                                             {1, "Movable", 36 * kPages, 2 * kPages, 1}}));
  }
  SECTION("a zone begins in the last page of one") {
    tree.add_file("proc/zoneinfo", zoneinfo({{0, "Normal", 0, 8 * kPages, 8 * kPages},
                                             {1, "Movable", 60 * kPages - 1, 1, 1}}));
  }
  CHECK(with_readable_ends(tree).find_block(BlockId(50))->state == State::Unknown);
}

TEST_CASE("outside zones: all are read if the ends differ, as while others bring memory online") {
  MemoryTree tree;
  add_outside_zones(tree);
  add_blocks(tree, 40, 49, "online", "Normal");
  CHECK(to_write(tree) == host_of(tree));
  add_blocks(tree, 40, 59, "online", "Normal");
  CHECK(to_write(tree) == host_of(tree));
}

TEST_CASE("outside zones: of thousands of blocks it is so for everybody") {
  MemoryTree tree;
  add_outside_zones(tree);
  add_blocks(tree, 1000, 6000, "offline", "Normal Movable");
  tree.add_error(kMemory + "memory3000/state", Errno{EACCES});
  CHECK(host_of(tree).find_block(BlockId(3000))->state == State::Offline);
}

}  // namespace memonline
