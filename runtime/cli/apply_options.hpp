// SPDX-License-Identifier: LGPL-2.1-or-later
// The options of `memonline apply`, and which of them cannot be combined.
#pragma once

#include "compiler/base/result.hpp"
#include "runtime/cli/command.hpp"
#include "runtime/cli/command_line.hpp"

namespace memonline::cli {

Result<ApplyOptions, UsageError> apply_options_of(const Given& given);

}  // namespace memonline::cli
