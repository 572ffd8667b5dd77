// SPDX-License-Identifier: LGPL-2.1-or-later
// From wished words to a command line that has them: survey() looks and says what would be done,
// carry_out() does it, reads it back, and puts back what it did where something fails.
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
  std::vector<Predicted> predicted;  ///< remembered, to be held against what the kernel does
};

struct Survey {
  Found back_end;  ///< null: none that we know
  State state;
  View view;
  Words wished;   ///< as the policy needs them
  Words words;    ///< of these, what is ours to write: not those whose key somebody else set
  Words foreign;  ///< words of others that decide about memory
  std::vector<Predicted> predicted;
  bool pending = false;  ///< there is something to do
  bool told = false;     ///< the loader has `words`: only our own state is out of date
  bool whole = true;     ///< false: a tool of a loader that is going is gone, and cannot be asked
  Change change;         ///< what would be done
  /// The same for loaders that were told before this one was in charge: nothing of ours stays.
  std::vector<Survey> leftovers;
};

/// Empty, with the reason in `sink`, where a word may not be written, the line grows too long, or
/// the loader's files and tools do not answer. Runs only tools that look. `root` and `run` must
/// outlive the survey.
std::optional<Survey> survey(const Root& root, const Runner& run, const Wish& wish,
                             std::string_view arch, diag::Sink& sink);
/// What loaders other than `now` hold of ours.
std::vector<Survey> leftovers(const Root& root, const Runner& run, const State& state,
                              std::string_view now, diag::Sink& sink);

/// False, with the reason in `sink`, where it failed; files are as they were then.
bool carry_out(const Survey& survey, const Root& root, const Runner& run, std::string_view arch,
               diag::Sink& sink);

}  // namespace memonline::boot
