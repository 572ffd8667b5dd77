// SPDX-License-Identifier: LGPL-2.1-or-later
// One or two short files a block: each costs openat, read, close and nothing else. Block ids come
// from one listing of the directory, nodes from one listing of each node's directory (a link
// memoryM stands there for each of its blocks), and files are read last: until a block that was
// just added has its link, kernels before 6.19 have no node for it and would read valid_zones of
// node -1 (contract 2.6).
#include "runtime/host/blocks.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <thread>

#include <fmt/format.h>
#include <sched.h>

#include "runtime/host/text.hpp"

namespace memonline::runtime {

namespace {

using model::NodeId;
using model::State;
using model::ValidZones;

constexpr const char* kMemory = "sys/devices/system/memory";
// There since 5.15, and so tells that valid_zones follows the newer rule (see online_by).
constexpr const char* kEraD = "sys/module/memory_hotplug/parameters/online_policy";
constexpr const char* kNode = "sys/devices/system/node";
// Larger numbers are no hardware of ours but garbage, and would overflow addresses.
constexpr std::uint64_t kLargestBlock = std::uint64_t{1} << 46U;
constexpr std::uint64_t kMostNodes = 65536;
constexpr std::size_t kBlocksPerThread = 2048;
// From here on a file less a block is worth having to everybody; below, who does not write reads
// `state` of every block even where valid_zones tells it already.
constexpr std::size_t kManyBlocks = 4096;

/// What valid_zones of a block says of its `state`.
enum class Telling {
  Nothing,  ///< the older rule, or few blocks
  Online,   ///< whether it is online
  All,      ///< and if not, that it is offline
};

struct Trouble {
  int state = 0;
  int zones = 0;
};

/// "memory123/" and room for an attribute's name behind it, without a string being made.
class AttributePath {
 public:
  explicit AttributePath(std::uint64_t id) {
    const auto end = fmt::format_to(text_.data(), "memory{}/", id);
    length_ = static_cast<std::size_t>(end - text_.data());
  }
  const char* operator()(std::string_view attribute) {
    std::memcpy(text_.data() + length_, attribute.data(), attribute.size());
    text_[length_ + attribute.size()] = '\0';
    return text_.data();
  }

 private:
  std::array<char, 64> text_{};
  std::size_t length_ = 0;
};

void read_block(const Tree& memory, Telling telling, Block& block, Trouble& trouble) {
  AttributePath path(block.id);
  std::array<char, 128> text{};
  const auto zones = memory.read_some(path("valid_zones"), text.data(), text.size());
  if (zones)
    block.zones = zones_of({text.data(), *zones});
  else
    trouble.zones = zones.error().value;
  if (telling != Telling::Nothing && online_by(block.zones)) {
    block.state = State::Online;
    return;
  }
  if (telling == Telling::All && block.zones.kind() == ValidZones::Kind::Listed) {
    block.state = State::Offline;
    return;
  }
  const auto state = memory.read_some(path("state"), text.data(), text.size());
  if (state)
    block.state = state_of({text.data(), *state});
  else
    trouble.state = state.error().value;
}

std::vector<Trouble> read_all(const Tree& memory, Telling telling, std::vector<Block>& blocks) {
  std::vector<Trouble> troubles(blocks.size());
  const auto read_range = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) read_block(memory, telling, blocks[i], troubles[i]);
  };
  const std::size_t wanted = std::min<std::size_t>(blocks.size() / kBlocksPerThread, 8);
  const std::size_t threads = std::min<std::size_t>(wanted, std::thread::hardware_concurrency());
  if (threads < 2) {
    read_range(0, blocks.size());
    return troubles;
  }
  std::vector<std::thread> helpers;
  const std::size_t share = (blocks.size() + threads - 1) / threads;
  std::size_t done = 0;
  try {
    for (; helpers.size() + 1 < threads; done += share)
      helpers.emplace_back([&read_range, done, share] {
        // A table of descriptors of its own: sharing one would make every open and close take a
        // lock.
        (void)::unshare(CLONE_FILES);
        read_range(done, done + share);
      });
  } catch (const std::system_error&) {
    // No more threads to be had: this one reads what is left.
  }
  read_range(done, blocks.size());
  for (std::thread& helper : helpers) helper.join();
  return troubles;
}

/// The same failure at many blocks is one note.
void note_troubles(const Blocks& blocks, const std::vector<Trouble>& troubles, Notes& notes) {
  struct First {
    std::uint64_t id = 0;
    std::uint64_t count = 0;
  };
  std::map<std::pair<std::string_view, int>, First> seen;
  const auto count = [&](std::string_view attribute, int error, std::uint64_t id) {
    if (error == 0) return;
    First& first = seen[{attribute, error}];
    if (first.count++ == 0) first.id = id;
  };
  for (std::size_t i = 0; i < troubles.size(); ++i) {
    const bool gone = troubles[i].state == ENOENT || troubles[i].state == ENODEV;
    count(gone ? "" : "state", gone ? ENODEV : troubles[i].state, blocks.all[i].id);
    if (!gone && troubles[i].zones != ENOENT)
      count("valid_zones", troubles[i].zones, blocks.all[i].id);
  }
  for (const auto& [what, first] : seen) {
    const std::string block = fmt::format("{}/memory{}", kMemory, first.id);
    if (what.first.empty())
      notes.add(block, first.count == 1 ? "vanished while the host was read"
                                        : fmt::format("{} blocks vanished while the host was read",
                                                      first.count));
    else
      notes.failure(fmt::format("{}/{}", block, what.first), Errno{what.second}, first.count);
  }
}

/// Without valid_zones, `removable` tells whether hot remove was compiled in: it is 0 everywhere
/// otherwise.
bool some_removable(const Tree& memory, const std::vector<Block>& blocks) {
  return std::any_of(blocks.begin(), blocks.end(), [&](const Block& block) {
    char answer = '0';
    AttributePath path(block.id);
    return memory.read_some(path("removable"), &answer, 1) && answer == '1';
  });
}

std::vector<std::uint64_t> ids_of(std::string_view prefix, const std::vector<std::string>& names) {
  std::vector<std::uint64_t> ids;
  ids.reserve(names.size());
  for (const std::string& name : names)
    if (const auto id = number_after(prefix, name)) ids.push_back(*id);
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

bool online_by(const ValidZones& zones) {
  return zones.kind() == ValidZones::Kind::None ||
         (zones.kind() == ValidZones::Kind::Listed && zones.size() == 1);
}

std::vector<std::uint64_t> block_ids(const Tree& tree) {
  const auto names = tree.list(kMemory);
  return names ? ids_of("memory", *names) : std::vector<std::uint64_t>{};
}

State state_of(std::string_view text) {
  text = trimmed(text);
  for (const State state : {State::Online, State::Offline, State::GoingOffline})
    if (text == model::state_name(state)) return state;
  return State::Unknown;
}

ValidZones zones_of(std::string_view text) {
  ValidZones zones;
  std::size_t count = 0;
  text = trimmed(text);
  if (text.empty()) return ValidZones(ValidZones::Kind::Empty);
  if (text == "none") return ValidZones(ValidZones::Kind::None);
  while (!text.empty()) {
    const auto zone = model::zone_named(take_until(text, ' '));
    if (!zone || ++count > 4) return {};
    zones.push_back(*zone);
    text = trimmed(text);
  }
  return zones;
}

Blocks list_blocks(const Tree& tree, Notes& notes) {
  Blocks blocks;
  const std::string size_path = fmt::format("{}/block_size_bytes", kMemory);
  const auto size = hexadecimal(trimmed(notes.read(tree, size_path.c_str())));
  const auto names = tree.list(kMemory);
  if (!names) {
    notes.failure(kMemory, names.error());
    return blocks;
  }
  const std::vector<std::uint64_t> ids = ids_of("memory", *names);
  if (!size || *size < 4096 || *size > kLargestBlock) {
    if (!ids.empty()) notes.add(size_path, "no size of a memory block is in it");
    return blocks;
  }
  blocks.size = *size;
  blocks.all.reserve(ids.size());
  for (const std::uint64_t id : ids) {
    if (id >= UINT64_MAX / 2 / *size) {
      notes.add(fmt::format("{}/memory{}", kMemory, id), "no memory can be at such an address");
      break;
    }
    blocks.all.emplace_back().id = id;
  }
  return blocks;
}

void read_states(const Tree& tree, Detail detail, Blocks& blocks, Notes& notes) {
  if (blocks.all.empty()) return;
  const auto memory = tree.below(kMemory);
  if (!memory) {
    notes.failure(kMemory, memory.error());
    blocks.all.clear();
    return;
  }
  Telling telling = Telling::Nothing;
  if ((detail == Detail::ToWrite || blocks.all.size() >= kManyBlocks) && tree.exists(kEraD))
    telling = detail == Detail::ToWrite ? Telling::All : Telling::Online;
  const std::vector<Trouble> troubles = read_all(**memory, telling, blocks.all);
  note_troubles(blocks, troubles, notes);
  blocks.valid_zones = std::any_of(troubles.begin(), troubles.end(),
                                   [](const Trouble& t) { return t.zones != ENOENT; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < blocks.all.size(); ++i)
    if (troubles[i].state != ENOENT && troubles[i].state != ENODEV)
      blocks.all[kept++] = blocks.all[i];
  blocks.all.resize(kept);
  if (blocks.valid_zones == false) blocks.hot_remove = some_removable(**memory, blocks.all);
}

NodeFacts read_nodes(const Tree& tree, Blocks& blocks, Notes& notes) {
  NodeFacts facts;
  const auto names = tree.list(kNode);
  if (!names) {
    notes.failure(kNode, names.error());
    return facts;
  }
  const std::string has_cpu_path = fmt::format("{}/has_cpu", kNode);
  const auto has_cpu = tree.read(has_cpu_path.c_str());
  std::vector<std::uint32_t> with_cpu;
  if (has_cpu) with_cpu = list_of(*has_cpu);
  for (const std::uint64_t id : ids_of("node", *names)) {
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
    const auto links = tree.list(path.c_str());
    if (!links) {
      notes.failure(path, links.error());
      continue;
    }
    for (const std::string& name : *links)
      if (const auto number = number_after("memory", name))
        if (Block* block = find(blocks.all, *number)) give_node(*block, node.id);
  }
  // A block's own links tell too, where the node's directory was not complete.
  for (Block& block : blocks.all) {
    if (block.node) continue;
    const auto links = tree.list(fmt::format("{}/memory{}", kMemory, block.id).c_str());
    if (!links) continue;
    for (const std::string& name : *links)
      if (const auto id = number_after("node", name); id && *id < kMostNodes)
        give_node(block, NodeId(static_cast<std::uint32_t>(*id)));
  }
  leave_out_unlinked(blocks, notes);
  return facts;
}

}  // namespace memonline::runtime
