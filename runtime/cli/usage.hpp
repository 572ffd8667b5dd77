// SPDX-License-Identifier: LGPL-2.1-or-later
// What the command line says of itself. CLI11's own layout differs from version to version; these
// texts are tested.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "runtime/cli/command_line.hpp"

namespace memonline::cli {

/// What --help prints: of the program, or of one of its commands.
std::string help_of(const CLI::App& program, const CLI::App& chosen);
/// The complaint, with the command that may have been meant.
Ending unknown_command(const CLI::App& program, std::string_view word);
/// "--root, --sysroot DIR".
std::string names_of(const CLI::Option& option);
/// A validator with words of our own. Its name is these, for completions.
CLI::Validator one_of(const std::vector<std::string>& words);

}  // namespace memonline::cli
