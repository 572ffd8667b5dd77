// SPDX-License-Identifier: LGPL-2.1-or-later
// The files of /proc about memory, and the kernel settings under /sys/module.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/model/host.hpp"
#include "runtime/host/notes.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::runtime {

struct ZoneInfo {
  std::vector<model::Node> nodes;  ///< ascending; ids and zones
  bool lists_empty_zones = false;
  std::uint64_t managed = 0;        ///< pages, of all zones
  std::vector<std::string> hidden;  ///< "zone Movable of node 1": spanned, but its start not shown
};
ZoneInfo parse_zoneinfo(std::string_view text);

/// A word of a kernel command line, split as the kernel does: quotes keep spaces and go away, "--"
/// ends it. '-' in names becomes '_', which the kernel takes for the same.
struct KernelWord {
  std::string name;
  std::optional<std::string> value;  ///< the part after '='
  std::size_t begin = 0;             ///< in the text, as written
  std::size_t end = 0;
};
std::vector<KernelWord> kernel_words(std::string_view text);

/// The words of a kernel command line that memonline uses. All others are left out, so that no
/// secret for another program gets into a snapshot.
std::vector<std::string> parse_command_line(std::string_view text);

/// Fills zones, memory, page size, command line, knobs and facts. The nodes' ids are known before.
void read_proc(const Tree& tree, Notes& notes, model::Host& host);

}  // namespace memonline::runtime
