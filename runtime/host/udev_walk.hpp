// SPDX-License-Identifier: LGPL-2.1-or-later
// Which of udev's rules would online memory on this host: the rules are walked through as udev does
// for the events of memory blocks, nodes and dax devices, with the facts of the host.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/model/host.hpp"
#include "runtime/host/tree.hpp"
#include "runtime/host/udev_rules.hpp"

namespace memonline::runtime {

/// A part of a rule that writes the state of a block, or starts something that may.
struct StateRule {
  std::size_t file = 0;   ///< which of the files
  std::size_t begin = 0;  ///< the bytes of it where it says so
  std::size_t end = 0;
  /// What it writes, sorted: "online_movable". Several if unknown facts decide; none if unknown.
  std::vector<std::string> states;
  bool program = false;         ///< by a program or unit that it starts: `command`
  bool certain = true;          ///< the rule itself has what is written
  bool writes_setting = false;  ///< auto_online_blocks, not a block
  std::string command;
  std::vector<std::string> only_with;  ///< values of auto_online_blocks; empty: any
};

/// In the order of the files and of the rules in them. Conditions that only a running udev can
/// check (most of TEST, ENV, PROGRAM) are assumed to match. Scripts and units are read from `tree`.
std::vector<StateRule> onlining_rules(const std::vector<RulesFile>& files, const model::Host& host,
                                      const Tree* tree);

/// Of one file alone: the rules that themselves write the state of blocks that appear.
std::vector<StateRule> rules_for_blocks(std::string_view rules, const model::Host& host);

}  // namespace memonline::runtime
