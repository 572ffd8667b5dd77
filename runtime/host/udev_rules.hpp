// SPDX-License-Identifier: LGPL-2.1-or-later
// udev's rules as far as they matter here: which of them would write the state of a memory block
// that appears on this host. The syntax and the precedence of files are those of udev(7).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/model/host.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::runtime {

struct RulesFile {
  std::string path;  ///< below the root, without a leading slash
  std::string text;
};

/// The files that udev reads, in its order: by name, and of one name the first of etc, run,
/// usr/local/lib and usr/lib counts (lib, where it is no link). A link to /dev/null or an empty
/// file takes the name out; other links are followed inside the tree.
std::vector<RulesFile> udev_rules(const Tree& root);

/// A rule that writes the state of a block: the bytes of its file where it says so, and what.
struct StateRule {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string value;     ///< what it writes: "online_movable", "$env{.state}"
  bool program = false;  ///< by a program that it runs; `value` is the command
};

/// Walks through the rules as udev does for the event "add" of a memory block on this host. What
/// nobody can tell without running udev (TEST, ENV, PROGRAM) is taken to hold.
std::vector<StateRule> rules_for_blocks(std::string_view rules, const model::Host& host);

/// The whole file at `path`, through links that stay inside the tree; empty if there is none.
std::string read_through_links(const Tree& root, std::string path);

}  // namespace memonline::runtime
