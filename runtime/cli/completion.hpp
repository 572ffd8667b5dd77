// SPDX-License-Identifier: LGPL-2.1-or-later
// Completions for bash, zsh and fish, made of the same table as the parser and its help.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/cli/command.hpp"

namespace memonline::cli {

/// `shell` is bash, zsh or fish.
std::string completion_for(std::string_view shell, const std::vector<Command>& commands);

/// The names to complete after `explain` or `--unplug`, one per line: blocks, nodes, devices,
/// codes. `words` are those of the command line so far, with --root.
std::string offered_names(options::Offers offers, const std::vector<std::string>& words);

}  // namespace memonline::cli
