// SPDX-License-Identifier: LGPL-2.1-or-later
// Kernel parameters about memory that are not memonline's: where they are set, and what they do.
// They explain a host that is not as the policy says while memonline has nothing to change.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/boot/change.hpp"

namespace memonline::boot {

struct NotOurs {
  std::string word;
  Words files;           ///< known files that set it; may be none
  bool running = false;  ///< the running kernel was started with it
  bool next = false;     ///< the next boot will be
};

/// In the order of the next boot's command line, then those of the running kernel alone.
std::vector<NotOurs> not_ours(const Root& root, const Survey& survey);

/// What the kernel does with such a word, as a clause: "the kernel keeps ...".
std::string effect_of(std::string_view word);

}  // namespace memonline::boot
