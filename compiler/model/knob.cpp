// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/model/knob.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace memonline::model {

std::string knob_path(Knob knob) {
  return fmt::format("/{}/{}", info_of(knob).directory, info_of(knob).name);
}

std::vector<std::string_view> knob_values(Knob knob) {
  std::vector<std::string_view> words;
  std::string_view rest = info_of(knob).values;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    words.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return words;
}

std::optional<std::string> knob_value(const Knobs& knobs, Knob knob) {
  switch (knob) {
    case Knob::AutoOnlineBlocks: return knobs.auto_online_blocks;
    case Knob::OnlinePolicy: return knobs.online_policy;
    case Knob::MemmapOnMemory: return knobs.memmap_on_memory;
    case Knob::AutoMovableRatio:
      if (!knobs.auto_movable_ratio) return std::nullopt;
      return std::to_string(*knobs.auto_movable_ratio);
    case Knob::AutoMovableNumaAware:
      if (!knobs.auto_movable_numa_aware) return std::nullopt;
      return *knobs.auto_movable_numa_aware ? "Y" : "N";
  }
  return std::nullopt;
}

}  // namespace memonline::model
