// SPDX-License-Identifier: LGPL-2.1-or-later
// A small host as a tree in memory, to be changed by each test: 128 MiB blocks, one node, blocks
// 0..7 online and Normal, 32..35 offline.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include <fmt/format.h>

#include "runtime/host/read_host.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::test {

inline const std::string kMemory = "sys/devices/system/memory/";
inline const std::string kNode = "sys/devices/system/node/";

inline void add_block(runtime::MemoryTree& tree, std::uint64_t id, const std::string& state,
                      const std::string& zones, unsigned node = 0) {
  const std::string block = fmt::format("{}memory{}", kMemory, id);
  tree.add_file(block + "/state", state + "\n");
  tree.add_file(block + "/valid_zones", zones + "\n");
  tree.add_file(block + "/removable", "1\n");
  tree.add_link(fmt::format("{}/node{}", block, node), fmt::format("../../node/node{}", node));
  tree.add_link(fmt::format("{}node{}/memory{}", kNode, node, id),
                fmt::format("../../memory/memory{}", id));
}

inline void add_blocks(runtime::MemoryTree& tree, std::uint64_t first, std::uint64_t last,
                       const std::string& state, const std::string& zones, unsigned node = 0) {
  for (std::uint64_t id = first; id <= last; ++id) add_block(tree, id, state, zones, node);
}

struct TestZone {
  unsigned node = 0;
  std::string zone;
  std::uint64_t start = 0;  ///< pages
  std::uint64_t spanned = 0;
  std::uint64_t present = 0;
};

inline std::string zoneinfo(std::initializer_list<TestZone> zones) {
  std::string text;
  for (const TestZone& z : zones) {
    text += fmt::format(
        "Node {}, zone {:>8}\n  pages free     1\n        spanned  {}\n        present  {}\n"
        "        managed  {}\n        cma      0\n        protection: (0, 0)\n",
        z.node, z.zone, z.spanned, z.present, z.present);
    if (z.present > 0) text += fmt::format("  start_pfn:           {}\n", z.start);
  }
  return text;
}

/// The basis without blocks: knobs, one node, texts of /proc as of a kernel of era C2.
inline void add_basis(runtime::MemoryTree& tree) {
  tree.add_file(kMemory + "block_size_bytes", "8000000\n");
  tree.add_file(kMemory + "auto_online_blocks", "offline\n");
  tree.add_directory("sys/module");
  tree.add_file(kNode + "has_cpu", "0\n");
  tree.add_directory(kNode + "node0");
  tree.add_file("proc/zoneinfo",
                zoneinfo({{0, "Normal", 0, 262144, 262144}, {0, "Movable", 0, 0, 0}}));
  tree.add_file("proc/meminfo",
                "MemTotal:        1048576 kB\nMemAvailable:     524288 kB\nKReclaimable:  1 kB\n");
  tree.add_file("proc/vmstat", "nr_free_pages 1\nnr_foll_pin_acquired 0\nswap_ra 0\n");
  tree.add_file("proc/cmdline", "root=/dev/sda quiet movable_node token=secret\n");
  tree.add_file("proc/iomem", "00000000-3fffffff : System RAM\n");
}

/// Nothing but /proc/iomem shows what was there at boot.
inline void add_sample_without_map(runtime::MemoryTree& tree) {
  add_basis(tree);
  add_blocks(tree, 0, 7, "online", "Normal");
  add_blocks(tree, 32, 35, "offline", "Normal Movable");
}

inline void add_sample(runtime::MemoryTree& tree) {
  add_sample_without_map(tree);
  tree.add_file("sys/firmware/memmap/0/start", "0x0\n");
  tree.add_file("sys/firmware/memmap/0/end", "0x3fffffff\n");
  tree.add_file("sys/firmware/memmap/0/type", "System RAM\n");
}

inline model::Host host_of(const runtime::MemoryTree& tree) {
  return runtime::read_tree(tree, runtime::Liveness::Captured);
}

}  // namespace memonline::test
