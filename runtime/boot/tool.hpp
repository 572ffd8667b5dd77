// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs the tools of boot loaders: as a vector of words, never through a shell, inside of the root.
#pragma once

#include <functional>
#include <string>

#include "runtime/boot/words.hpp"

namespace memonline::boot {

struct Ran {
  int status = 0;      ///< 0 is success; 127 where it could not be started; 128 + n after signal n
  std::string output;  ///< standard output
  std::string errors;  ///< standard error
};

/// `argv[0]` is the path of the program below the root.
using Runner = std::function<Ran(const Words& argv)>;

/// A runner for the root `root`: the child does chroot(2) to it where it is not "/". Its
/// environment is PATH and LC_ALL=C only.
Runner runner_below(const std::string& root);
/// The last `count` lines of a text that are not blank, joined with "; ".
std::string last_lines(const std::string& text, std::size_t count);

}  // namespace memonline::boot
