// SPDX-License-Identifier: LGPL-2.1-or-later
// Snapshots: their exact text, the way back, and what is refused.
#include "runtime/host/capture.hpp"
#include "runtime/host/finish.hpp"
#include "tests/runtime/sample_tree.hpp"
#include "tests/support/catch.hpp"

namespace memonline {

using runtime::read_host_text;
using runtime::write_snapshot;

TEST_CASE("snapshot: small, readable, without secrets") {
  runtime::MemoryTree tree;
  test::add_sample(tree);
  const model::Host host = test::host_of(tree);
  CHECK(write_snapshot(host) == R"(schema: memonline.host/1
memory: 1073741824
memory-available: 536870912
block-size: 134217728
page-size: 4096
era: C2
era-evidence: "vmstat has nr_foll_pin_acquired"
hot-remove: true
boot-memory:
  - [0, 262144]
command-line:
  - "movable_node"
knobs:
  auto_online_blocks: "offline"
facts:
  online_policy: false
  valid_zones: true
  auto_online_blocks: true
  foll_pin: true
  swap_ra: true
  kreclaimable: true
  empty_zones_listed: true
  memmap_pages: false
zone-spans-known: true
nodes:
  - node: 0
    cpu: true
    zones:  # start, spanned, present, managed, cma; in pages
      Normal: [0, 262144, 262144, 262144, 0]
    use:  # free, high watermark, page cache; in pages
      Normal: [1, ~, ~]
devices:  # runs refer to them by place, from 0
  - name: "boot"
    kind: boot
    origin: boot
  - name: "none"
    kind: none
    origin: hotplugged
blocks:
  - {blocks: [0, 7], state: online, zones: [Normal], node: 0, device: 0}
  - {blocks: [32, 35], state: offline, zones: [Normal, Movable], node: 0, device: 1}
)");
}

TEST_CASE("snapshot: what is in use is kept, and is no part of the fingerprint") {
  runtime::MemoryTree tree;
  test::add_sample(tree);
  tree.add_file("sys/devices/system/node/node0/meminfo",
                "Node 0 MemTotal:       1048576 kB\nNode 0 MemFree:        2048 kB\n"
                "Node 0 Active(file):   100 kB\nNode 0 Inactive(file): 24 kB\n"
                "Node 0 SReclaimable:   12 kB\n");
  model::Host host = test::host_of(tree);
  CHECK(host.nodes[0].memory.free == model::Bytes(2048 << 10U));
  CHECK(host.nodes[0].memory.file == model::Bytes(124 << 10U));
  CHECK(host.nodes[0].memory.slab == model::Bytes(12 << 10U));
  host.nodes[0].use[2] = {std::uint64_t{7}, std::nullopt, std::uint64_t{9}};
  const auto read = read_host_text(write_snapshot(host));
  REQUIRE(read);
  CHECK(read->nodes == host.nodes);
  CHECK(read->fingerprint == host.fingerprint);
}

TEST_CASE("snapshot: odd hosts come back equal") {
  runtime::MemoryTree tree;
  test::add_sample(tree);
  test::add_block(tree, 7, "online", "none", 3);
  tree.add_file("sys/firmware/memmap/0/start", "0x0\n");
  tree.add_file("sys/firmware/memmap/0/end", "0x27ffefff\n");
  tree.add_file("sys/firmware/memmap/0/type", "System RAM\n");
  test::add_block(tree, 33, "going-offline", "");
  test::add_block(tree, 34, "?", "?");
  tree.add_error("proc/iomem", runtime::Errno{13});
  tree.add_file("proc/cmdline", "memonline.x=\"a \\ b\" mem=4G kernelcore=mirror movable-node\n");
  tree.add_file("sys/class/dmi/id/sys_vendor", "A \"vendor\" \\ \x01\xff\n");
  tree.add_file("sys/class/dmi/id/product_family", "RHV\n");
  model::Host firmware = test::host_of(tree);
  firmware.hotpluggable_memory = {{262144, 524288}, {1048576, 4194304}};
  firmware.early_memory = {{4096, 16384}};
  model::Host nothing_hotpluggable = test::host_of(tree);
  nothing_hotpluggable.hotpluggable_memory.emplace();
  tree.add_file("run/memonline/service", "");
  const model::Host served = test::host_of(tree);
  CHECK(served.service);
  CHECK(served.family == "RHV");
  for (model::Host host : {test::host_of(tree), test::host_of(runtime::MemoryTree()), firmware,
                           nothing_hotpluggable, served}) {
    const auto back = read_host_text(write_snapshot(host));
    INFO((back ? "" : back.error().message));
    REQUIRE(back.has_value());
    CHECK(*back == host);
  }
}

TEST_CASE("snapshot: an era given by hand is kept") {
  const auto host = read_host_text(
      "schema: memonline.host/1\nblock-size: 134217728\nera: A2\nblocks:\n"
      "  - {blocks: [0, 7], state: online, zones: [Normal, Movable]}\n");
  REQUIRE(host.has_value());
  CHECK(host->era == model::Era::A2);
  CHECK(host->devices.size() == 1);
  CHECK(host->fingerprint.size() == 71);
}

TEST_CASE("snapshot: words of the command line go through the same sieve") {
  const auto host = read_host_text(
      "schema: memonline.host/1\nblock-size: 0\ncommand-line: [quiet, movable-node, mem=1G]\n");
  REQUIRE(host.has_value());
  CHECK(host->command_line == std::vector<std::string>{"movable_node", "mem=1G"});
}

TEST_CASE("snapshot: mistakes are errors with their line") {
  const std::string head = "schema: memonline.host/1\nblock-size: 134217728\n";
  for (const auto& [rest, message] : std::vector<std::pair<std::string, std::string>>{
           {"era: E\n", "line 3: unknown era: expected A1, A2, A3, B, C1, C2 or D"},
           {"page-size: 1\n", "line 3: invalid page size: expected at least 512"},
           {"hot-remove: maybe\n", "line 3: invalid value `maybe`: expected true or false"},
           {"memory: -1\n", "line 3: invalid number `-1`"},
           {"blocks: 5\n", "line 3: expected a list"},
           {"blocks:\n  - {blocks: [4, 3], state: online}\n",
            "line 4: blocks must be in ascending order"},
           {"blocks:\n  - {blocks: [0, 3], state: online}\n  - {blocks: [3, 3], state: online}\n",
            "line 5: blocks must be in ascending order"},
           {"blocks:\n  - {blocks: [0, 3], state: on}\n", "line 4: unknown word `on`"},
           {"blocks:\n  - {blocks: [0, 3], state: online, device: 1}\n",
            "line 4: unknown device: the number is too large"},
           {"blocks:\n  - {state: online}\n", "line 4: missing key `blocks`"},
           {"nodes:\n  - node: 1\n  - node: 0\n", "line 5: nodes must be in ascending order"},
           {"nodes:\n  - node: 0\n    zones: {Normal: [1]}\n", "line 5: expected five numbers"},
           {"nodes:\n  - node: 0\n    zones: {Other: [1]}\n", "line 5: unknown zone"}}) {
    const auto host = read_host_text(head + rest);
    INFO(rest);
    REQUIRE_FALSE(host.has_value());
    CHECK(host.error().message == message);
  }
  CHECK(read_host_text("schema: memonline.host/1\n").error().message ==
        "line 1: missing key `block-size`");
  CHECK_FALSE(read_host_text("schema: [memonline.host/1\n").has_value());
}

TEST_CASE("snapshot: words of agents are printable, whatever a host has in them") {
  model::Host host;
  model::OnliningAgent agent;
  agent.states = {"a\x01"};
  agent.only_with = {"\xff"};
  host.agents = {agent};
  runtime::make_printable(host);
  CHECK(host.agents.front().states.front() == "a\\x01");
  CHECK(host.agents.front().only_with.front() == "\\xff");
}

}  // namespace memonline
