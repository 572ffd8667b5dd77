// SPDX-License-Identifier: LGPL-2.1-or-later
// The blocks and their nodes: ids come from one listing of the directory, nodes from one listing of
// each node's directory, which has a link memoryM for each of its blocks.
#include "runtime/host/blocks.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <thread>

#include <fmt/format.h>

#include "runtime/host/text.hpp"

namespace memonline::runtime {

namespace {

using model::NodeId;

constexpr const char* kMemory = "sys/devices/system/memory";
constexpr const char* kNode = "sys/devices/system/node";
// Larger numbers are garbage, and would overflow addresses.
constexpr std::uint64_t kLargestBlock = std::uint64_t{1} << 46U;
constexpr std::uint64_t kMaxNodes = 65536;

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

/// Reads the links nodeN in a block's own directory.
void read_own_links(const Tree& tree, Block& block) {
  (void)tree.visit(fmt::format("{}/memory{}", kMemory, block.id).c_str(),
                   [&](std::string_view name) {
                     if (const auto id = number_after("node", name); id && *id < kMaxNodes)
                       give_node(block, NodeId(static_cast<std::uint32_t>(*id)));
                   });
}

bool is_linked(const Block& block) { return block.node.has_value(); }

std::string unlinked_text(std::uint64_t count, std::string_view what) {
  return count == 1 ? fmt::format("has no link to a node: {}", what)
                    : fmt::format("{} blocks have no link to a node: {}", count, what);
}

/// Whether blocks without a link appear, vanish or get one while this watches them.
bool are_changing(const Tree& tree, const std::vector<Block>& blocks) {
  constexpr int kLooks = 10;
  constexpr auto kBetween = std::chrono::milliseconds(50);
  std::vector<Block> unlinked;
  std::copy_if(blocks.begin(), blocks.end(), std::back_inserter(unlinked), std::not_fn(is_linked));
  const Ids before = block_ids(tree);
  for (int look = 0; look < kLooks; ++look) {
    std::this_thread::sleep_for(kBetween);
    for (Block& block : unlinked) {
      read_own_links(tree, block);
      if (is_linked(block)) return true;
    }
    if (block_ids(tree) != before) return true;
  }
  return false;
}

// If other blocks have a node, a block without one is still being added, or will never have one. A
// tree without any links (a kernel without NUMA, a capture without them) proves neither.
void judge_unlinked(const Tree& tree, Liveness liveness, Blocks& blocks, Notes& notes) {
  const auto first = std::find_if_not(blocks.all.begin(), blocks.all.end(), is_linked);
  if (first == blocks.all.end() || std::none_of(blocks.all.begin(), blocks.all.end(), is_linked))
    return;
  const std::string path = fmt::format("{}/memory{}", kMemory, first->id);
  if (liveness == Liveness::Live && are_changing(tree, blocks.all)) {
    const auto count = std::erase_if(blocks.all, std::not_fn(is_linked));
    notes.add(path, unlinked_text(count, count == 1 ? "it is being added, or removed"
                                                    : "they are being added, or removed"));
    return;
  }
  std::uint64_t count = 0;
  for (Block& block : blocks.all) {
    if (is_linked(block)) continue;
    block.unlinked = liveness == Liveness::Live;
    ++count;
  }
  notes.add(path,
            unlinked_text(count, count == 1 ? "its node is unknown" : "their nodes are unknown"));
}

model::Node& node_named(std::vector<model::Node>& nodes, NodeId id) {
  const auto at = std::lower_bound(nodes.begin(), nodes.end(), id,
                                   [](const model::Node& node, NodeId i) { return node.id < i; });
  if (at != nodes.end() && at->id == id) return *at;
  model::Node node;
  node.id = id;
  return *nodes.insert(at, node);
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
    if (!ids->empty()) notes.add(size_path, "invalid memory block size");
    blocks.missing = ids->size();
    return blocks;
  }
  blocks.size = *size;
  blocks.all.reserve(ids->size());
  for (const std::uint64_t id : *ids) {
    if (id >= UINT64_MAX / 2 / *size) {
      notes.add(fmt::format("{}/memory{}", kMemory, id), "address out of range");
      break;
    }
    blocks.all.emplace_back().id = id;
  }
  return blocks;
}

NodeFacts read_nodes(const Tree& tree, Liveness liveness, Blocks& blocks, Notes& notes) {
  NodeFacts facts;
  const auto ids = ids_in(tree, kNode, "node");
  if (!ids) notes.failure(kNode, ids.error());
  const std::string has_cpu_path = fmt::format("{}/has_cpu", kNode);
  const auto has_cpu = tree.read(has_cpu_path.c_str());
  std::vector<std::uint32_t> with_cpu;
  if (has_cpu) with_cpu = list_of(*has_cpu);
  if (const auto possible = tree.read(fmt::format("{}/possible", kNode).c_str())) {
    for (const std::uint32_t id : list_of(*possible)) {
      if (!facts.possible.empty() && facts.possible.back().second.value() + 1 == id)
        facts.possible.back().second = NodeId(id);
      else
        facts.possible.emplace_back(NodeId(id), NodeId(id));
    }
  }
  std::uint64_t missing = 0;
  std::uint64_t missing_id = 0;
  for (const std::uint64_t id : ids.value_or(Ids())) {
    if (id >= kMaxNodes) continue;
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
      const auto number = number_after("memory", name);
      if (!number) return;
      if (Block* block = find(blocks.all, *number))
        give_node(*block, node.id);
      else if (missing++ == 0)
        missing_id = *number;
    });
    if (!links) notes.failure(path, links.error());
  }
  // A block's own links show its node if the node's directory is missing or was not complete.
  for (Block& block : blocks.all) {
    if (block.node) continue;
    read_own_links(tree, block);
    if (!block.node) continue;
    facts.any = true;
    node_named(facts.nodes, *block.node);
  }
  if (blocks.all.empty()) {
    blocks.missing = std::max(blocks.missing, missing);
  } else if (missing > 0 && liveness == Liveness::Captured) {
    blocks.missing = missing;
    notes.add(fmt::format("{}/memory{}", kMemory, missing_id),
              missing == 1
                  ? "is missing, though a node links to it"
                  : fmt::format("{} blocks are missing, though nodes link to them", missing));
  }
  judge_unlinked(tree, liveness, blocks, notes);
  return facts;
}

}  // namespace memonline::runtime
