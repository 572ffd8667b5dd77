// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading trees of hosts, the odd ones first of all.
#include <cerrno>

#include "runtime/host/read_host.hpp"
#include "tests/runtime/sample_tree.hpp"
#include "tests/support/catch.hpp"

namespace memonline {

using model::BlockId;
using model::Device;
using model::Era;
using model::NodeId;
using model::Origin;
using model::State;
using model::ValidZones;
using model::Zone;
using runtime::Errno;
using runtime::MemoryTree;
using namespace test;  // NOLINT

namespace {

bool said(const model::Host& host, const std::string& path, const std::string& part) {
  for (const model::Unread& note : host.unread)
    if (note.path == path && note.reason.find(part) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("read tree: a plain host becomes two runs") {
  MemoryTree tree;
  add_sample(tree);
  const model::Host host = host_of(tree);
  CHECK(host.block_size.value() == 128U << 20U);
  CHECK(host.page_size == 4096);
  REQUIRE(host.blocks.size() == 2);
  CHECK(host.blocks[0].first == BlockId(0));
  CHECK(host.blocks[0].count == 8);
  CHECK(host.blocks[0].state == State::Online);
  CHECK(host.blocks[0].zones == ValidZones{Zone::Normal});
  CHECK(host.blocks[0].node == NodeId(0));
  CHECK(host.blocks[1].first == BlockId(32));
  CHECK(host.blocks[1].count == 4);
  CHECK(host.blocks[1].zones == ValidZones{Zone::Normal, Zone::Movable});
  CHECK(host.devices[host.blocks[0].device].kind == Device::Kind::Boot);
  CHECK(host.devices[host.blocks[1].device].kind == Device::Kind::None);
  CHECK(host.devices[host.blocks[1].device].origin == Origin::Hotplugged);
  CHECK(host.era == Era::C2);
  CHECK(host.command_line == std::vector<std::string>{"movable_node"});
  CHECK(host.memory == model::Bytes(std::uint64_t{1} << 30U));
  CHECK(host.knobs.auto_online_blocks == "offline");
  CHECK_FALSE(host.knobs.online_policy.has_value());
  REQUIRE(host.nodes.size() == 1);
  CHECK(host.nodes[0].has_cpu == true);
  CHECK(host.zone_spans_known);
  CHECK(host.unread.empty());
  CHECK(host.fingerprint.size() == 71);
}

TEST_CASE("read tree: nothing is asked of a block that a running kernel links to no node") {
  for (const auto liveness : {runtime::Liveness::Live, runtime::Liveness::Captured}) {
    MemoryTree tree;
    add_sample(tree);
    for (const int id : {36, 37}) {
      const std::string block = kMemory + "memory" + std::to_string(id);
      tree.add_file(block + "/state", "offline\n");
      // A kernel before 6.19 would look for the zones of node -1.
      tree.add_error(block + "/valid_zones", Errno{EIO});
    }
    const bool live = liveness == runtime::Liveness::Live;
    const model::Host host = runtime::read_tree(tree, liveness);
    REQUIRE(host.find_block(BlockId(36)) != nullptr);
    CHECK_FALSE(host.find_block(BlockId(36))->node.has_value());
    CHECK(host.find_block(BlockId(36))->state == State::Offline);
    CHECK(said(host, "/" + kMemory + "memory36",
               "2 blocks have no link to a node: their nodes are unknown"));
    CHECK(said(host, "/" + kMemory + "memory36/valid_zones", "input/output error") == !live);
  }
}

TEST_CASE("read tree: a block that is just being added is left out") {
  /// Its link appears while it is watched.
  struct Adding : MemoryTree {
    Result<void, Errno> visit(const char* path, const Visitor& name) const override {
      if (std::string_view(path) == kMemory + "memory36" && ++visits > 2) name("node0");
      return MemoryTree::visit(path, name);
    }
    mutable int visits = 0;
  } tree;
  add_sample(tree);
  tree.add_file(kMemory + "memory36/state", "offline\n");
  const model::Host host = runtime::read_tree(tree, runtime::Liveness::Live);
  CHECK(host.find_block(BlockId(36)) == nullptr);
  CHECK(said(host, "/" + kMemory + "memory36", "it is being added"));
}

TEST_CASE("read tree: without a directory of nodes the blocks' own links tell") {
  MemoryTree tree;
  tree.add_file(kMemory + "block_size_bytes", "8000000\n");
  for (const auto& [id, node] : {std::pair(0, 0), std::pair(1, 0), std::pair(8, 3)}) {
    const std::string block = kMemory + "memory" + std::to_string(id);
    tree.add_file(block + "/state", "online\n");
    tree.add_link(block + "/node" + std::to_string(node), "../../node/node0");
  }
  const model::Host host = host_of(tree);
  CHECK(host.find_block(BlockId(1))->node == NodeId(0));
  CHECK(host.find_block(BlockId(8))->node == NodeId(3));
  REQUIRE(host.nodes.size() == 2);
  CHECK_FALSE(host.nodes[1].has_cpu.has_value());
}

TEST_CASE("read tree: a block whose state is missing or unreadable stays, with an unknown state") {
  MemoryTree tree;
  add_sample(tree);
  tree.add_file(kMemory + "memory36/valid_zones", "Normal Movable\n");
  tree.add_link(kMemory + "memory36/node0", "../../node/node0");
  tree.add_file(kMemory + "memory37/valid_zones", "Normal Movable\n");
  tree.add_link(kMemory + "memory37/node0", "../../node/node0");
  tree.add_error(kMemory + "memory37/state", Errno{EACCES});
  const model::Host host = host_of(tree);
  REQUIRE(host.find_block(BlockId(36)) != nullptr);
  CHECK(host.find_block(BlockId(36))->state == State::Unknown);
  CHECK(said(host, "/" + kMemory + "memory36/state", "is missing"));
  CHECK(said(host, "/" + kMemory + "memory37/state", "permission denied"));
}

TEST_CASE("read tree: links to blocks that are not there are an incomplete capture") {
  MemoryTree tree;
  for (const int id : {0, 1, 2})
    tree.add_link(kNode + "node0/memory" + std::to_string(id), "../../memory/memory0");
  const model::Host host = host_of(tree);
  CHECK_FALSE(host.has_hotplug());
  CHECK(host.missing_blocks == 3);
}

TEST_CASE("read tree: standby memory of s390x has no blocks before it is configured") {
  MemoryTree tree;
  add_sample(tree);
  for (const int id : {0, 7, 64, 65, 70}) {
    const std::string entry = "sys/firmware/memory/memory" + std::to_string(id);
    tree.add_file(entry + "/config", id < 8 ? "1\n" : "0\n");
    tree.add_file(entry + "/memmap_on_memory", id == 65 ? "1\n" : "0\n");
  }
  const model::Host host = host_of(tree);
  CHECK(host.configures_standby);
  CHECK(host.standby_own_map == std::vector<model::BlockRange>{{BlockId(65), BlockId(65)}});
  CHECK(host.standby ==
        std::vector<model::BlockRange>{{BlockId(64), BlockId(65)}, {BlockId(70), BlockId(70)}});
}

TEST_CASE("read tree: a capture without any link to a node has its blocks") {
  MemoryTree tree;
  add_basis(tree);
  tree.add_file(kMemory + "memory0/state", "online\n");
  tree.add_file(kMemory + "memory0/valid_zones", "Normal\n");
  const model::Host host = host_of(tree);
  REQUIRE(host.find_block(BlockId(0)) != nullptr);
  CHECK(host.find_block(BlockId(0))->zones == ValidZones{Zone::Normal});
}

TEST_CASE("read tree: ids have holes, start anywhere and sort as numbers") {
  MemoryTree tree;
  add_basis(tree);
  add_blocks(tree, 8, 11, "online", "Normal");
  add_blocks(tree, 99, 101, "online", "Normal");
  const model::Host host = host_of(tree);
  REQUIRE(host.blocks.size() == 2);
  CHECK(host.blocks[0].first == BlockId(8));
  CHECK(host.blocks[0].count == 4);
  CHECK(host.blocks[1].first == BlockId(99));
  CHECK(host.blocks[1].count == 3);
}

TEST_CASE("read tree: large blocks") {
  for (const auto& [text, size] :
       {std::pair{"40000000", std::uint64_t{1} << 30U}, {"80000000", std::uint64_t{2} << 30U}}) {
    MemoryTree tree;
    add_sample(tree);
    tree.add_file(kMemory + "block_size_bytes", std::string(text) + "\n");
    CHECK(host_of(tree).block_size.value() == size);
  }
}

TEST_CASE("read tree: a block of two nodes belongs to the lower") {
  MemoryTree tree;
  add_sample(tree);
  add_block(tree, 7, "online", "none", 3);
  add_block(tree, 7, "online", "none", 0);
  const model::Host host = host_of(tree);
  const model::BlockRun* run = host.find_block(BlockId(7));
  REQUIRE(run != nullptr);
  CHECK(run->node == NodeId(0));
  CHECK(run->several_nodes);
  CHECK(run->zones.kind() == ValidZones::Kind::None);
  REQUIRE(host.nodes.size() == 2);
  CHECK(host.nodes[1].id == NodeId(3));
  CHECK(host.nodes[1].has_cpu == false);
}

TEST_CASE("read tree: a block's own link tells the node where the node's directory does not") {
  MemoryTree tree;
  add_sample(tree);
  tree.add_file(kMemory + "memory40/state", "offline\n");
  tree.add_link(kMemory + "memory40/node0", "../../node/node0");
  CHECK(host_of(tree).find_block(BlockId(40))->node == NodeId(0));
}

TEST_CASE("read tree: valid_zones missing is era A1") {
  MemoryTree tree;
  tree.add_file(kMemory + "block_size_bytes", "8000000\n");
  tree.add_file(kMemory + "memory0/state", "online\n");
  tree.add_file(kMemory + "memory0/removable", "1\n");
  const model::Host host = host_of(tree);
  REQUIRE(host.blocks.size() == 1);
  CHECK(host.blocks[0].zones.kind() == ValidZones::Kind::Unknown);
  CHECK_FALSE(host.blocks[0].node.has_value());
  CHECK(host.hot_remove);
  CHECK(host.era == Era::A1);
  CHECK(host.unread.empty());
  tree.add_file(kMemory + "memory0/removable", "0\n");
  CHECK_FALSE(host_of(tree).hot_remove);
}

TEST_CASE("read tree: states") {
  MemoryTree tree;
  add_sample(tree);
  add_block(tree, 33, "going-offline", "Normal Movable");
  add_block(tree, 34, "\xff\x01 strange", "Normal Strange");
  const model::Host host = host_of(tree);
  CHECK(host.find_block(BlockId(33))->state == State::GoingOffline);
  CHECK(host.find_block(BlockId(34))->state == State::Unknown);
  CHECK(host.find_block(BlockId(34))->zones.kind() == ValidZones::Kind::Unknown);
}

TEST_CASE(
    "read tree: among thousands of blocks, from 5.15 on, one zone says that a block is online") {
  MemoryTree tree;
  add_sample(tree);
  tree.add_file("sys/module/memory_hotplug/parameters/online_policy", "contig-zones\n");
  tree.add_error(kMemory + "memory3/state", Errno{EACCES});
  CHECK(host_of(tree).find_block(BlockId(3))->state == State::Unknown);
  for (std::uint64_t id = 1000; id < 5100; ++id) add_block(tree, id, "offline", "Normal Movable");
  add_block(tree, 33, "going-offline", "Normal Movable");
  tree.add_file("proc/zoneinfo", zoneinfo({{0, "Normal", 0, 262144, 262144},
                                           {0, "Movable", 33 * 32768, 32768, 32768}}));
  const model::Host host = host_of(tree);
  CHECK(host.era == Era::D);
  CHECK(host.find_block(BlockId(3))->state == State::Online);
  CHECK(host.unread.empty());
  CHECK(host.find_block(BlockId(32))->state == State::Offline);
  CHECK(host.find_block(BlockId(33))->state == State::GoingOffline);
}

TEST_CASE("read tree: to write, valid_zones alone says from 5.15 on what is offline") {
  MemoryTree tree;
  add_sample(tree);
  add_block(tree, 33, "going-offline", "Normal Movable");
  add_block(tree, 36, "offline", "");
  const auto state = [&](std::uint64_t id) {
    return runtime::read_tree(tree, runtime::Liveness::Captured, runtime::Detail::ToWrite)
        .find_block(BlockId(id))
        ->state;
  };
  CHECK(state(33) == State::GoingOffline);
  tree.add_file("sys/module/memory_hotplug/parameters/online_policy", "contig-zones\n");
  for (const int id : {3, 32})
    tree.add_error(kMemory + "memory" + std::to_string(id) + "/state", Errno{EACCES});
  CHECK(state(3) == State::Online);
  CHECK(state(32) == State::Offline);
  CHECK(state(33) == State::Offline);
  CHECK(state(36) == State::Offline);
}

TEST_CASE("read tree: blocks that vanish are left out and said once") {
  for (const int error : {ENOENT, ENODEV}) {
    MemoryTree tree;
    add_sample(tree);
    tree.add_error(kMemory + "memory33/state", Errno{error});
    tree.add_error(kMemory + "memory34/state", Errno{error});
    const model::Host host = runtime::read_tree(tree, runtime::Liveness::Live);
    CHECK(host.find_block(BlockId(33)) == nullptr);
    CHECK(host.find_block(BlockId(34)) == nullptr);
    CHECK(host.find_block(BlockId(35)) != nullptr);
    REQUIRE(host.unread.size() == 1);
    CHECK(said(host, "/" + kMemory + "memory33", "2 blocks vanished"));
  }
}

TEST_CASE("read tree: unreadable files are said once, with the path of the first") {
  MemoryTree tree;
  add_sample(tree);
  for (int id = 32; id < 36; ++id) {
    tree.add_error(kMemory + "memory" + std::to_string(id) + "/valid_zones", Errno{EACCES});
    tree.add_error(kMemory + "memory" + std::to_string(id) + "/state", Errno{EIO});
  }
  tree.add_error("proc/zoneinfo", Errno{EACCES});
  const model::Host host = host_of(tree);
  CHECK(host.unread.size() == 3);
  CHECK(said(host, "/" + kMemory + "memory32/valid_zones", "permission denied (and 3 more"));
  CHECK(said(host, "/" + kMemory + "memory32/state", "input/output error (and 3 more"));
  CHECK(said(host, "/proc/zoneinfo", "permission denied"));
  CHECK_FALSE(host.zone_spans_known);
  CHECK(host.find_block(BlockId(32))->state == State::Unknown);
}

TEST_CASE("read tree: iomem without contents leaves devices of drivers unknown, and says so") {
  MemoryTree tree;
  add_sample(tree);
  tree.add_file("proc/iomem", "00000000-00000000 : System RAM\n  00000000-00000000 : Kernel\n");
  tree.add_file("sys/firmware/memmap/0/start", "0x0\n");
  tree.add_file("sys/firmware/memmap/0/end", "0x3fffffff\n");
  tree.add_file("sys/firmware/memmap/0/type", "System RAM\n");
  tree.add_link("sys/bus/dax/devices/dax0.0", "../../../devices/dax0.0");
  const model::Host host = host_of(tree);
  REQUIRE(host.unread.size() == 1);
  CHECK(said(host, "/proc/iomem", "shows addresses only to root"));
  CHECK(host.devices[host.find_block(BlockId(0))->device].kind == Device::Kind::Boot);
  const Device& device = host.devices[host.find_block(BlockId(32))->device];
  CHECK(device.kind == Device::Kind::Unknown);
  CHECK(device.origin == Origin::Hotplugged);
}

TEST_CASE("read tree: a host without memory hotplug is a host") {
  MemoryTree tree;
  tree.add_file("proc/meminfo", "MemTotal: 1024 kB\n");
  const model::Host host = host_of(tree);
  CHECK(host.block_size.value() == 0);
  CHECK(host.blocks.empty());
  CHECK_FALSE(host.has_hotplug());
  CHECK(host.devices.size() == 1);
  CHECK(host.unread.empty());
  CHECK(host_of(MemoryTree()).blocks.empty());
}

TEST_CASE("read tree: hotplugged memory of s390x without a driver is standby memory") {
  MemoryTree tree;
  add_basis(tree);
  tree.add_file(kMemory + "block_size_bytes", "10000000\n");
  tree.add_file("proc/version", "Linux version 5.14.0-70.el9.s390x (gcc) #1 SMP\n");
  tree.add_file("proc/sysinfo", "Manufacturer: IBM\nVM00 Control Program: z/VM    7.2.0\n");
  add_blocks(tree, 0, 3, "online", "Normal");
  add_blocks(tree, 4, 15, "offline", "Normal Movable");
  const model::Host host = host_of(tree);
  CHECK(host.arch == "s390x");
  CHECK(host.virtualization == "zvm");
  CHECK(host.devices[host.find_block(BlockId(0))->device].kind == Device::Kind::Boot);
  CHECK(host.devices[host.find_block(BlockId(9))->device] ==
        Device{Device::Kind::Standby, model::Origin::Hotplugged, "standby", "", {}});
}

TEST_CASE("read tree: garbage is said and never believed") {
  MemoryTree tree;
  add_sample(tree);
  tree.add_file(kMemory + "memory18446744073709551615/state", "online\n");
  tree.add_file(kMemory + "memory99999999999999999999/state", "online\n");
  tree.add_file("proc/zoneinfo",
                "Node 4294967295, zone Normal\n  spanned 18446744073709551615\nNode x, zone y\n"
                "Node 0, zone Movable\n spanned 99\n present 0\n managed 7\n");
  tree.add_file("proc/meminfo", std::string("MemTotal: 18446744073709551615 kB\n\0\xff", 35));
  tree.add_file("proc/iomem", "z-1 : System RAM (kmem)\n        5-4 : a\n : \n5\n");
  const model::Host host = host_of(tree);
  CHECK(host.blocks.size() == 2);
  CHECK(said(host, "/" + kMemory + "memory18446744073709551615", "address out of range"));
  CHECK(said(host, "/proc/zoneinfo", "does not show where zone Movable of node 0 starts"));
  CHECK_FALSE(host.memory.has_value());

  tree.add_file(kMemory + "block_size_bytes", "ffffffffffffffff\n");
  const model::Host other = host_of(tree);
  CHECK(other.block_size.value() == 0);
  CHECK(other.blocks.empty());
  CHECK(said(other, "/" + kMemory + "block_size_bytes", "invalid memory block size"));
}

TEST_CASE("read tree: a kernel without NUMA has node 0") {
  MemoryTree tree;
  tree.add_file(kMemory + "block_size_bytes", "8000000\n");
  tree.add_file(kMemory + "memory0/state", "online\n");
  tree.add_file(kMemory + "memory0/valid_zones", "Normal\n");
  tree.add_file("proc/zoneinfo", zoneinfo({{0, "Normal", 0, 32768, 32768}}));
  const model::Host host = host_of(tree);
  REQUIRE(host.nodes.size() == 1);
  CHECK(host.nodes[0].has_cpu == true);
  CHECK(host.blocks[0].node == NodeId(0));
}

TEST_CASE("read tree: the page size shows in MemTotal and zoneinfo") {
  for (const std::uint64_t size : {4096U, 16384U, 65536U}) {
    MemoryTree tree;
    add_sample(tree);
    const std::uint64_t pages = (std::uint64_t{1} << 30U) / size;
    tree.add_file("proc/zoneinfo", zoneinfo({{0, "Normal", 0, pages, pages}}));
    CHECK(host_of(tree).page_size == size);
  }
}

}  // namespace memonline
