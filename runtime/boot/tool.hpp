// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs the tools of boot loaders: as a vector of words, never through a shell, inside of the root.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "runtime/boot/words.hpp"

namespace memonline::boot {

struct ToolResult {
  int status = 0;      ///< 0 is success; 127 where it could not be started; 128 + n after signal n
  std::string output;  ///< standard output
  std::string errors;  ///< standard error
};

/// `argv[0]` is the path of the program below the root.
using Runner = std::function<ToolResult(const Words& argv)>;

/// update-grub and kernel-install take minutes on slow disks. memonline-bootparams.service gives
/// all of them ten minutes.
inline constexpr std::chrono::minutes kToolDeadline{8};

/// A runner for the root `root`: the child does chroot(2) to it where it is not "/". Its
/// environment is PATH and LC_ALL=C only. It does not wait for processes that a tool leaves behind;
/// a tool that has not ended by the deadline is killed, with all that it has started.
Runner runner_below(const std::string& root, std::chrono::milliseconds deadline = kToolDeadline);
/// The last `count` lines of a text that are not blank, joined with "; ".
std::string last_lines(const std::string& text, std::size_t count);

}  // namespace memonline::boot
