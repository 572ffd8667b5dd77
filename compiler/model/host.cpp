// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/model/host.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace memonline::model {

std::string_view state_name(State state) {
  switch (state) {
    case State::Online: return "online";
    case State::Offline: return "offline";
    case State::GoingOffline: return "going-offline";
    case State::Unknown: return "unknown";
  }
  return "unknown";
}

std::string_view era_name(Era era) {
  switch (era) {
    case Era::A1: return "A1";
    case Era::A2: return "A2";
    case Era::A3: return "A3";
    case Era::B: return "B";
    case Era::C1: return "C1";
    case Era::C2: return "C2";
    case Era::D: return "D";
  }
  return "D";
}

std::optional<Era> era_named(std::string_view name) {
  for (Era era : {Era::A1, Era::A2, Era::A3, Era::B, Era::C1, Era::C2, Era::D})
    if (era_name(era) == name) return era;
  return std::nullopt;
}

const Node* Host::find_node(NodeId id) const {
  const auto at =
      std::find_if(nodes.begin(), nodes.end(), [&](const Node& n) { return n.id == id; });
  return at == nodes.end() ? nullptr : &*at;
}

std::optional<std::string> Host::command_line_value(std::string_view word_name) const {
  std::optional<std::string> value;
  for (const std::string& word : command_line) {
    if (word == "--") break;
    if (word == word_name) value = "";
    if (word.size() > word_name.size() && word[word_name.size()] == '=' &&
        word.compare(0, word_name.size(), word_name) == 0)
      value = word.substr(word_name.size() + 1);
  }
  return value;
}

const BlockRun* Host::find_block(BlockId id) const {
  const auto after = std::upper_bound(blocks.begin(), blocks.end(), id,
                                      [](BlockId i, const BlockRun& run) { return i < run.first; });
  if (after == blocks.begin()) return nullptr;
  const BlockRun& run = *std::prev(after);
  return id < run.end() ? &run : nullptr;
}

void append_run(std::vector<BlockRun>& runs, BlockRun run) {
  if (run.count == 0) return;
  if (!runs.empty() && runs.back().end() == run.first && runs.back().same_kind(run))
    runs.back().count += run.count;
  else
    runs.push_back(run);
}

namespace {

std::string zones_text(const ValidZones& zones) {
  switch (zones.kind()) {
    case ValidZones::Kind::Unknown: return "unknown";
    case ValidZones::Kind::Empty: return "empty";
    case ValidZones::Kind::None: return "none";
    case ValidZones::Kind::Listed: break;
  }
  std::string text;
  for (Zone zone : zones) {
    if (!text.empty()) text += ' ';
    text += zone_name(zone);
  }
  return text;
}

}  // namespace

std::string canonical_text(const Host& host) {
  std::string text;
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "block-size {}\npage-size {}\nera {}\narch {}\nhot-remove {}\n",
                 host.block_size.value(), host.page_size, era_name(host.era), host.arch,
                 host.hot_remove);
  for (const std::string& word : host.command_line) fmt::format_to(out, "parameter {}\n", word);
  const auto knob = [&](std::string_view name, const std::optional<std::string>& value) {
    if (value) fmt::format_to(out, "knob {} {}\n", name, *value);
  };
  knob("auto_online_blocks", host.knobs.auto_online_blocks);
  knob("online_policy", host.knobs.online_policy);
  if (host.knobs.auto_movable_ratio)
    knob("auto_movable_ratio", std::to_string(*host.knobs.auto_movable_ratio));
  if (host.knobs.auto_movable_numa_aware)
    knob("auto_movable_numa_aware", *host.knobs.auto_movable_numa_aware ? "Y" : "N");
  knob("memmap_on_memory", host.knobs.memmap_on_memory);
  for (const Node& node : host.nodes)
    fmt::format_to(out, "node {} cpu {}\n", node.id.value(),
                   node.has_cpu ? (*node.has_cpu ? "yes" : "no") : "unknown");
  for (const BlockRun& run : host.blocks) {
    const Device& device = host.devices.at(run.device);
    fmt::format_to(out, "blocks {}..{} {} [{}] node {}{} {}{}{}\n", run.first.value(),
                   run.last().value(), state_name(run.state), zones_text(run.zones),
                   run.node ? std::to_string(run.node->value()) : "unknown",
                   run.several_nodes ? "+" : "", device.name, device.driver.empty() ? "" : " ",
                   device.driver);
  }
  return text;
}

}  // namespace memonline::model
