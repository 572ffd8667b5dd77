// SPDX-License-Identifier: LGPL-2.1-or-later
// Which blocks there are, and where: ids come from one listing of the directory, nodes from one
// listing of each node's directory (a link memoryM stands there for each of its blocks).
#include "runtime/host/blocks.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "runtime/host/text.hpp"

namespace memonline::runtime {

namespace {

using model::NodeId;

constexpr const char* kMemory = "sys/devices/system/memory";
constexpr const char* kNode = "sys/devices/system/node";
// Larger numbers are no hardware of ours but garbage, and would overflow addresses.
constexpr std::uint64_t kLargestBlock = std::uint64_t{1} << 46U;
constexpr std::uint64_t kMostNodes = 65536;

using Ids = std::vector<std::uint64_t>;

/// The numbers N of what is named "prefixN" in a directory, ascending.
Result<Ids, Errno> ids_in(const Tree& tree, const char* path, std::string_view prefix) {
  Ids ids;
  const auto listed = tree.visit(path, [&](std::string_view name) {
    if (const auto id = number_after(prefix, name)) ids.push_back(*id);
  });
  if (!listed) return fail(Errno{listed.error()});
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

Block* find(std::vector<Block>& blocks, std::uint64_t id) {
  const auto at =
      std::lower_bound(blocks.begin(), blocks.end(), id,
                       [](const Block& block, std::uint64_t i) { return block.id < i; });
  return at != blocks.end() && at->id == id ? &*at : nullptr;
}

void give_node(Block& block, NodeId node) {
  if (!block.node) {
    block.node = node;
  } else if (*block.node != node) {
    block.several_nodes = true;
    block.node = std::min(*block.node, node);
  }
}

// Where others have a node, a block without one is not all there yet. A tree that shows no links at
// all (a kernel without NUMA, a capture without them) says nothing of that.
void leave_out_unlinked(Blocks& blocks, Notes& notes) {
  const auto linked = [](const Block& block) { return block.node.has_value(); };
  const auto first = std::find_if_not(blocks.all.begin(), blocks.all.end(), linked);
  if (first == blocks.all.end() || std::none_of(blocks.all.begin(), blocks.all.end(), linked))
    return;
  const std::uint64_t id = first->id;
  const auto count = std::erase_if(blocks.all, std::not_fn(linked));
  notes.add(fmt::format("{}/memory{}", kMemory, id),
            count == 1
                ? "has no link to a node: it is being added, or removed"
                : fmt::format("{} blocks have no link to a node: they are being added, or removed",
                              count));
}

}  // namespace

std::vector<std::uint64_t> block_ids(const Tree& tree) {
  return ids_in(tree, kMemory, "memory").value_or(Ids());
}

Blocks list_blocks(const Tree& tree, Notes& notes) {
  Blocks blocks;
  const std::string size_path = fmt::format("{}/block_size_bytes", kMemory);
  const auto size = hexadecimal(trimmed(notes.read(tree, size_path.c_str())));
  const auto ids = ids_in(tree, kMemory, "memory");
  if (!ids) {
    notes.failure(kMemory, ids.error());
    return blocks;
  }
  if (!size || *size < 4096 || *size > kLargestBlock) {
    if (!ids->empty()) notes.add(size_path, "no size of a memory block is in it");
    return blocks;
  }
  blocks.size = *size;
  blocks.all.reserve(ids->size());
  for (const std::uint64_t id : *ids) {
    if (id >= UINT64_MAX / 2 / *size) {
      notes.add(fmt::format("{}/memory{}", kMemory, id), "no memory can be at such an address");
      break;
    }
    blocks.all.emplace_back().id = id;
  }
  return blocks;
}

NodeFacts read_nodes(const Tree& tree, Blocks& blocks, Notes& notes) {
  NodeFacts facts;
  const auto ids = ids_in(tree, kNode, "node");
  if (!ids) {
    notes.failure(kNode, ids.error());
    return facts;
  }
  const std::string has_cpu_path = fmt::format("{}/has_cpu", kNode);
  const auto has_cpu = tree.read(has_cpu_path.c_str());
  std::vector<std::uint32_t> with_cpu;
  if (has_cpu) with_cpu = list_of(*has_cpu);
  for (const std::uint64_t id : *ids) {
    if (id >= kMostNodes) continue;
    facts.any = true;
    model::Node& node = facts.nodes.emplace_back();
    node.id = NodeId(static_cast<std::uint32_t>(id));
    if (has_cpu) {
      node.has_cpu = std::find(with_cpu.begin(), with_cpu.end(), id) != with_cpu.end();
    } else if (const auto cpus = tree.read(fmt::format("{}/node{}/cpulist", kNode, id).c_str())) {
      node.has_cpu = !trimmed(*cpus).empty();
    }
    const std::string path = fmt::format("{}/node{}", kNode, id);
    const auto links = tree.visit(path.c_str(), [&](std::string_view name) {
      if (const auto number = number_after("memory", name))
        if (Block* block = find(blocks.all, *number)) give_node(*block, node.id);
    });
    if (!links) notes.failure(path, links.error());
  }
  // A block's own links tell too, where the node's directory was not complete.
  for (Block& block : blocks.all) {
    if (block.node) continue;
    (void)tree.visit(fmt::format("{}/memory{}", kMemory, block.id).c_str(),
                     [&](std::string_view name) {
                       if (const auto id = number_after("node", name); id && *id < kMostNodes)
                         give_node(block, NodeId(static_cast<std::uint32_t>(*id)));
                     });
  }
  leave_out_unlinked(blocks, notes);
  return facts;
}

}  // namespace memonline::runtime
