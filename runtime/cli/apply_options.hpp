// SPDX-License-Identifier: LGPL-2.1-or-later
// What the words after `memonline apply` ask for, and which of them contradict each other.
#pragma once

#include "compiler/base/result.hpp"
#include "runtime/cli/command.hpp"
#include "runtime/cli/command_line.hpp"

namespace memonline::cli {

Result<ApplyOptions, UsageError> apply_options_of(const Given& given);

}  // namespace memonline::cli
