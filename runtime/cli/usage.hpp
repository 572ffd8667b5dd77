// SPDX-License-Identifier: LGPL-2.1-or-later
// What --help prints: the table of options, then examples (help.hpp).
#pragma once

#include <string>

#include "runtime/cli/command.hpp"

namespace memonline::cli {

std::string help_of_program();
std::string help_of(const Command& command);

}  // namespace memonline::cli
