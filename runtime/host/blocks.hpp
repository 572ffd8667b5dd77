// SPDX-License-Identifier: LGPL-2.1-or-later
// The memory blocks of a tree, one value each; they are combined into runs once devices are known.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "compiler/model/host.hpp"
#include "runtime/host/notes.hpp"
#include "runtime/host/read_host.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::runtime {

struct Block {
  std::uint64_t id = 0;
  model::State state = model::State::Unknown;
  model::ValidZones zones;
  std::optional<model::NodeId> node;
  bool several_nodes = false;
  bool unlinked = false;  ///< a running kernel links it to no node: its zones are not read
  std::optional<std::uint32_t> dimm;  ///< NN of PNP0C80:NN behind firmware_node
};

struct Blocks {
  std::uint64_t size = 0;           ///< of a block in bytes; 0: no memory hotplug
  std::vector<Block> all;           ///< by ascending id
  std::optional<bool> valid_zones;  ///< some block has the file; empty without blocks
  bool hot_remove = true;
  std::uint64_t missing = 0;  ///< blocks that the source mentions but lacks
};

/// Lists sys/devices/system/memory: fills in the blocks and their size.
Blocks list_blocks(const Tree& tree, Notes& notes);

struct NodeFacts {
  std::vector<model::Node> nodes;                                 ///< ids and has_cpu
  std::vector<std::pair<model::NodeId, model::NodeId>> possible;  ///< ranges; empty: unknown
  bool any = false;                                               ///< the kernel shows nodes at all
};

/// Reads sys/devices/system/node and the links in the blocks' own directories, and gives each block
/// its node. On a running kernel, blocks without one are left out while they are being added; if
/// nothing changes for a while, they are kept, and their node is unknown.
NodeFacts read_nodes(const Tree& tree, Liveness liveness, Blocks& blocks, Notes& notes);

/// Reads the blocks' own files, with few system calls and, where there are many, several threads.
/// Blocks that vanish meanwhile are left out. Only after `read_nodes`: the files of a block without
/// a node have undefined contents. `host` holds what `read_proc` found.
void read_states(const Tree& tree, Liveness liveness, Detail detail, const model::Host& host,
                 Blocks& blocks, Notes& notes);

/// The numbers of the present blocks, ascending: one listing, no file is read.
std::vector<std::uint64_t> block_ids(const Tree& tree);

/// Whether a block with these zones is online by them alone. Since 4.14 valid_zones_show() names
/// the one zone of an online block ("none" where it has several), and two for any other block: its
/// default, then what else it may join.
bool online_by(const model::ValidZones& zones);

/// Parse the contents of `state` and `valid_zones`.
model::State state_of(std::string_view text);
model::ValidZones zones_of(std::string_view text);

}  // namespace memonline::runtime
