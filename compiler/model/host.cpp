// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/model/host.hpp"

#include <algorithm>
#include <iterator>

#include "compiler/base/names.hpp"

namespace memonline::model {

namespace {

constexpr Names<State, 4> kStates{{{State::Online, "online"},
                                   {State::Offline, "offline"},
                                   {State::GoingOffline, "going-offline"},
                                   {State::Unknown, "unknown"}}};

constexpr Names<Era, 7> kEras{{{Era::A1, "A1"},
                               {Era::A2, "A2"},
                               {Era::A3, "A3"},
                               {Era::B, "B"},
                               {Era::C1, "C1"},
                               {Era::C2, "C2"},
                               {Era::D, "D"}}};

}  // namespace

std::string_view state_name(State state) { return name_in(kStates, state); }
std::string_view era_name(Era era) { return name_in(kEras, era); }
std::optional<Era> era_named(std::string_view name) { return value_in(kEras, name); }

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

bool Host::is_fresh(BlockId id) const {
  return std::any_of(fresh.begin(), fresh.end(),
                     [&](const BlockRange& range) { return range.contains(id); });
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

}  // namespace memonline::model
