// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the blocks' own files: one or two short ones per block, each with openat, read and close
// and nothing else.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <thread>

#include <fmt/format.h>
#include <sched.h>

#include "runtime/host/blocks.hpp"
#include "runtime/host/outside_zones.hpp"
#include "runtime/host/text.hpp"

namespace memonline::runtime {

namespace {

using model::State;
using model::ValidZones;

constexpr const char* kMemory = "sys/devices/system/memory";
constexpr std::size_t kBlocksPerThread = 2048;
// From this number on, every reader saves files; below it, readers that do not write read both
// files of every block, even if one implies the other.
constexpr std::size_t kManyBlocks = 4096;

/// What valid_zones of a block says about its `state`.
enum class Telling {
  Nothing,  ///< the older rule, or few blocks
  Online,   ///< whether it is online
  All,      ///< and if not, that it is offline
};

struct Trouble {
  int state = 0;
  int zones = 0;
  bool gone = false;  ///< the block itself vanished
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
  if (block.unlinked) {
    trouble.zones = ENOENT;  // kernels before 6.19 would use the zones of node -1
  } else if (const auto zones = memory.read_some(path("valid_zones"), text.data(), text.size())) {
    block.zones = zones_of({text.data(), *zones});
  } else {
    trouble.zones = zones.error().value;
  }
  if (telling != Telling::Nothing && online_by(block.zones)) {
    block.state = State::Online;
    return;
  }
  if (telling == Telling::All && block.zones.kind() == ValidZones::Kind::Listed) {
    block.state = State::Offline;
    return;
  }
  const auto state = memory.read_some(path("state"), text.data(), text.size());
  if (state) {
    block.state = state_of({text.data(), *state});
    return;
  }
  trouble.state = state.error().value;
  trouble.gone = trouble.state == ENODEV || trouble.state == ENOENT;
}

/// The blocks at some places in the list, in threads where there are many.
void read_each(const Tree& memory, Telling telling, const std::vector<std::size_t>& places,
               std::vector<Block>& blocks, std::vector<Trouble>& troubles) {
  const auto read_range = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i)
      read_block(memory, telling, blocks[places[i]], troubles[places[i]]);
  };
  const std::size_t wanted = std::min<std::size_t>(places.size() / kBlocksPerThread, 8);
  const std::size_t threads =  // asking for processors reads a file
      wanted < 2 ? 1 : std::min<std::size_t>(wanted, std::thread::hardware_concurrency());
  if (threads < 2) return read_range(0, places.size());
  std::vector<std::thread> helpers;
  const std::size_t share = (places.size() + threads - 1) / threads;
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
    // No more threads: this one reads the rest.
  }
  read_range(done, places.size());
  for (std::thread& helper : helpers) helper.join();
}

void add_range(std::vector<std::size_t>& places, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) places.push_back(i);
}

bool may_join_two(const Block& block) {
  return block.state == State::Offline && block.zones.kind() == ValidZones::Kind::Listed &&
         block.zones.size() == 2;
}

/// Of blocks that must be alike, reads the two at the ends; those between only if the ends differ
/// after all, because memory changes meanwhile.
std::vector<Trouble> read_all(const Tree& memory, Telling telling, const std::vector<Alike>& alike,
                              std::vector<Block>& blocks) {
  std::vector<Trouble> troubles(blocks.size());
  std::vector<std::size_t> places;
  std::size_t next = 0;
  for (const Alike& run : alike) {
    add_range(places, next, run.first + 1);
    next = run.last;
  }
  add_range(places, next, blocks.size());
  read_each(memory, telling, places, blocks, troubles);
  places.clear();
  for (const Alike& run : alike) {
    const Block& first = blocks[run.first];
    const Block& last = blocks[run.last];
    if (may_join_two(first) && may_join_two(last) && first.zones == last.zones)
      for (std::size_t i = run.first + 1; i < run.last; ++i) {
        blocks[i].state = first.state;
        blocks[i].zones = first.zones;
      }
    else
      add_range(places, run.first + 1, run.last);
  }
  read_each(memory, telling, places, blocks, troubles);
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
    const Trouble& trouble = troubles[i];
    count(trouble.gone ? "" : "state", trouble.state, blocks.all[i].id);
    if (!trouble.gone && trouble.zones != ENOENT)
      count("valid_zones", trouble.zones, blocks.all[i].id);
  }
  for (const auto& [what, first] : seen) {
    const std::string block = fmt::format("{}/memory{}", kMemory, first.id);
    if (what.first.empty())
      notes.add(block, first.count == 1 ? "vanished while the host was read"
                                        : fmt::format("{} blocks vanished while the host was read",
                                                      first.count));
    else if (what.second == ENOENT)
      notes.add(fmt::format("{}/{}", block, what.first),
                first.count == 1
                    ? "is missing"
                    : fmt::format("is missing (and {} more like it)", first.count - 1));
    else
      notes.failure(fmt::format("{}/{}", block, what.first), Errno{what.second}, first.count);
  }
}

/// Without valid_zones, `removable` shows whether the kernel has hot remove: it is 0 everywhere
/// otherwise.
bool some_removable(const Tree& memory, const std::vector<Block>& blocks) {
  return std::any_of(blocks.begin(), blocks.end(), [&](const Block& block) {
    char answer = '0';
    AttributePath path(block.id);
    return memory.read_some(path("removable"), &answer, 1) && answer == '1';
  });
}

}  // namespace

bool online_by(const ValidZones& zones) {
  return zones.kind() == ValidZones::Kind::None ||
         (zones.kind() == ValidZones::Kind::Listed && zones.size() == 1);
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
  if (text.empty()) return {};  // the kernel writes a newline even without a zone: a copy lost it
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

void read_states(const Tree& tree, Liveness liveness, Detail detail, const model::Host& host,
                 Blocks& blocks, Notes& notes) {
  if (blocks.all.empty()) return;
  const auto memory = tree.below(kMemory);
  if (!memory) {
    notes.failure(kMemory, memory.error());
    blocks.all.clear();
    return;
  }
  // online_policy exists since 5.15, so valid_zones follows the newer rule (online_by).
  const bool newer_rule = host.facts.online_policy == true;
  Telling telling = Telling::Nothing;
  if ((detail == Detail::ToWrite || blocks.all.size() >= kManyBlocks) && newer_rule)
    telling = detail == Detail::ToWrite ? Telling::All : Telling::Online;
  const std::vector<Alike> alike =
      telling == Telling::Nothing ? std::vector<Alike>{} : alike_outside_zones(blocks, host);
  std::vector<Trouble> troubles = read_all(**memory, telling, alike, blocks.all);
  // On a running kernel, a missing file means that the block is vanishing; a capture may just lack
  // it.
  if (liveness == Liveness::Captured)
    for (std::size_t i = 0; i < troubles.size(); ++i)
      if (troubles[i].state == ENOENT)
        troubles[i].gone =
            !(*memory)->visit(AttributePath(blocks.all[i].id)(""), [](std::string_view) {});
  note_troubles(blocks, troubles, notes);
  blocks.valid_zones = std::any_of(troubles.begin(), troubles.end(),
                                   [](const Trouble& t) { return t.zones != ENOENT; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < blocks.all.size(); ++i)
    if (!troubles[i].gone) blocks.all[kept++] = blocks.all[i];
  blocks.all.resize(kept);
  if (blocks.valid_zones == false) blocks.hot_remove = some_removable(**memory, blocks.all);
}

}  // namespace memonline::runtime
