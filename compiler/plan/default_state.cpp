// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/default_state.hpp"

namespace memonline::plan {

using model::Era;

// Two words from 4.7 on, four from 5.7 on (mm/memory_hotplug.c: setup_memhp_default_state).
bool knows_default_state(const model::Host& host, std::string_view word) {
  if (host.facts.auto_online_blocks == false || host.era == Era::A1) return false;
  if (word == "online" || word == "offline") return true;
  if (word != "online_kernel" && word != "online_movable") return false;
  return host.era == Era::D || (host.era == Era::C2 && host.facts.foll_pin != false);
}

std::optional<std::string> default_state_of(const model::Host& host) {
  constexpr std::string_view kKey = "memhp_default_state=";
  for (auto word = host.command_line.rbegin(); word != host.command_line.rend(); ++word)
    if (word->starts_with(kKey) && knows_default_state(host, word->substr(kKey.size())))
      return word->substr(kKey.size());
  return std::nullopt;
}

}  // namespace memonline::plan
