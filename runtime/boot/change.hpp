// SPDX-License-Identifier: LGPL-2.1-or-later
// From the desired parameters to a command line that has them: survey() reads it and plans the
// change, carry_out() makes it, reads it back, and reverts it if something fails.
#pragma once

#include <cstddef>
#include <string_view>

#include "compiler/diag/diagnostic.hpp"
#include "runtime/boot/back_end.hpp"

namespace memonline::boot {

/// Bytes of a command line with its final zero: COMMAND_LINE_SIZE of the architecture.
std::size_t command_line_size(std::string_view arch);

struct Wish {
  Words words;
  std::vector<Predicted> predicted;  ///< saved, to be compared with what the kernel does
};

struct Survey {
  BackEndPtr back_end;  ///< null: none that is supported
  State state;
  View view;
  Words wished;   ///< as the policy needs them
  Words words;    ///< the part of these to write: without keys that others set
  Words foreign;  ///< memory parameters set by others
  std::vector<Predicted> predicted;
  bool pending = false;  ///< there is something to do
  bool told = false;     ///< the loader has `words`: only our state is out of date
  bool whole = true;     ///< false: a tool of an earlier loader is no longer installed
  Change change;         ///< what would be done
  /// The same for loaders that were used before this one: all parameters of ours are removed.
  std::vector<Survey> leftovers;
};

/// Empty, with the reason in `sink`, if a word may not be written, the line becomes too long, or
/// the loader's files and tools cannot be read. Runs only tools that change nothing. `root` and
/// `run` must outlive the survey.
std::optional<Survey> survey(const Root& root, const Runner& run, const Wish& wish,
                             std::string_view arch, diag::Sink& sink);
/// Our parameters in loaders other than `now`.
std::vector<Survey> leftovers(const Root& root, const Runner& run, const State& state,
                              std::string_view now, diag::Sink& sink);

/// False, with the reason in `sink`, if it failed; then the files have their old contents.
bool carry_out(const Survey& survey, const Root& root, const Runner& run, std::string_view arch,
               diag::Sink& sink);

}  // namespace memonline::boot
