// SPDX-License-Identifier: LGPL-2.1-or-later
// A host from a tree: blocks, nodes, /proc, the blocks' files, devices, then what follows from
// them.
#include <unistd.h>

#include "runtime/host/adders.hpp"
#include "runtime/host/blocks.hpp"
#include "runtime/host/dax_devices.hpp"
#include "runtime/host/devices.hpp"
#include "runtime/host/finish.hpp"
#include "runtime/host/firmware.hpp"
#include "runtime/host/machine.hpp"
#include "runtime/host/onlining_agents.hpp"
#include "runtime/host/proc.hpp"
#include "runtime/host/read_host.hpp"
#include "runtime/host/standby.hpp"

namespace memonline::runtime {

model::Host read_tree(const Tree& tree, Liveness liveness, Detail detail) {
  model::Host host;
  Notes notes;
  Blocks blocks = list_blocks(tree, notes);
  NodeFacts nodes = read_nodes(tree, liveness, blocks, notes);
  host.service = tree.exists(kServiceSign);
  host.missing_blocks = blocks.missing;

  host.nodes = std::move(nodes.nodes);
  host.possible_nodes = std::move(nodes.possible);
  read_proc(tree, notes, host);
  // A kernel without NUMA shows no nodes, and zoneinfo speaks of node 0 alone.
  if (!nodes.any && host.nodes.size() == 1 && host.nodes[0].id == model::NodeId(0)) {
    host.nodes[0].has_cpu = true;
    for (Block& block : blocks.all) block.node = host.nodes[0].id;
  }
  if (liveness == Liveness::Live)
    if (const long size = ::sysconf(_SC_PAGESIZE); size > 0)
      host.page_size = static_cast<std::uint64_t>(size);
  if (blocks.size < host.page_size) blocks = {};
  read_states(tree, liveness, detail, host, blocks, notes);
  host.block_size = model::Bytes(blocks.size);
  host.facts.valid_zones = blocks.valid_zones;
  host.hot_remove = blocks.hot_remove;
  read_machine(tree, liveness, notes, host);
  assign_devices(tree, blocks, notes, host);
  read_firmware(tree, notes, host);
  read_standby(tree, notes, host);
  read_dax_devices(tree, host);
  host.agents = read_onlining_agents(tree, host);
  read_adders(tree, host);
  host.unread = notes.take();
  finish(host);
  return host;
}

}  // namespace memonline::runtime
