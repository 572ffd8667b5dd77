// SPDX-License-Identifier: LGPL-2.1-or-later
// The words that memonline has put on a command line: /var/lib/memonline/boot-parameters.json. The
// file exists while a change is under way, and as long as there are words of ours.
//
// The schema's number changes when an older program would misread it. A program that finds another
// number, or a damaged file, changes no kernel parameters and reports ML0778: otherwise it could
// not remove what it wrote to the boot loader. Members that it does not know are ignored.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/boot/files.hpp"
#include "runtime/boot/words.hpp"

namespace memonline::boot {

inline constexpr const char* kStatePath = "/var/lib/memonline/boot-parameters.json";

/// The prediction for one node with these words: bytes of boot memory by zone.
struct Predicted {
  std::uint32_t node = 0;
  std::map<std::string, std::uint64_t> zones;
  friend bool operator==(const Predicted&, const Predicted&) = default;
};

struct State {
  std::string back_end;  ///< the one that was changed
  Words words;           ///< exactly as written; none if a file is ours alone
  bool pending = false;  ///< a change is incomplete: files may be written, a tool not run
  Words made;            ///< files and directories that memonline created, outermost first
  std::vector<Predicted> predicted;
  friend bool operator==(const State&, const State&) = default;
};

/// An empty state if there is no file; nothing if the file cannot be parsed.
std::optional<State> read_state(const Root& root);
std::string to_json(const State& state);

/// The words an earlier run left on the next boot's command line, from our own files below `root`
/// alone. Never fails: files that cannot be read have none.
Words own_parameters(const std::string& root);

}  // namespace memonline::boot
