// SPDX-License-Identifier: LGPL-2.1-or-later
// What memonline must remember of the words it put on a command line: /var/lib/memonline/
// boot-parameters.json. It is there while a change is under way, and as long as words of ours are.
//
// The schema's number changes when an older program would misread it. A program that finds another
// number, or a damaged file, changes no boot parameters and says so (ML0778): what it wrote to the
// boot loader could not be taken back. Members that it does not know are ignored.
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

/// What the kernel was foretold to make of one node with these words: bytes of boot memory by zone.
struct Predicted {
  std::uint32_t node = 0;
  std::map<std::string, std::uint64_t> zones;
  friend bool operator==(const Predicted&, const Predicted&) = default;
};

struct State {
  std::string back_end;  ///< who was told
  Words words;           ///< exactly as they were put there; none where a place is ours alone
  bool pending = false;  ///< a change has begun and not ended: files may be written, a tool not run
  Words made;            ///< files and directories that were not there before, outermost first
  std::vector<Predicted> predicted;
  friend bool operator==(const State&, const State&) = default;
};

/// An empty state where there is no file; nothing where the file cannot be understood.
std::optional<State> read_state(const Root& root);
std::string to_json(const State& state);

/// The words an earlier run left on the next boot's command line, from our own files below `root`
/// alone. Never fails: what cannot be read is not ours.
Words own_parameters(const std::string& root);

}  // namespace memonline::boot
