// SPDX-License-Identifier: LGPL-2.1-or-later
// udev's rules as text: which files udev reads, and the parts of each rule. The syntax and the
// precedence of files are those of udev(7).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/host/tree.hpp"

namespace memonline::runtime {

struct RulesFile {
  std::string path;  ///< below the root, without a leading slash
  std::string text;
};

/// The files that udev reads, in its order: by name, and of one name the first of etc, run,
/// usr/local/lib and usr/lib counts (lib, if it is not a link). A link to /dev/null or an empty
/// file masks the name; other links are followed inside the tree.
std::vector<RulesFile> udev_rules(const Tree& root);

/// One comma-separated part of a rule: KEY{attribute} operator "value".
struct UdevPart {
  std::string key;
  std::string attribute;
  std::string op;
  std::string value;
  std::size_t begin = 0;  ///< in the text of the file
  std::size_t end = 0;
  [[nodiscard]] bool matches() const { return op == "==" || op == "!="; }
};
using UdevRule = std::vector<UdevPart>;

std::vector<UdevRule> parse_udev_rules(std::string_view text);

/// The whole file at `path`, through links that stay inside the tree; empty if there is none.
std::string read_through_links(const Tree& root, std::string path);

}  // namespace memonline::runtime
