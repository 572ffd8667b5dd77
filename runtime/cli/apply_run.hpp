// SPDX-License-Identifier: LGPL-2.1-or-later
// The work of `memonline apply`: plans for this machine and carries the plan out, or carries out
// one that was made before. All warnings and refusals come before the first write.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "runtime/cli/command_options.hpp"

namespace memonline::cli {

struct ApplyOptions {
  Where where;
  RunOptions run;
  std::string plan_file;  ///< empty: plan now
  bool dry_run = false;
  bool recover = false;  ///< only restore what a killed run left behind
  bool strict = false;   ///< competing onlining agents are errors
  bool boot = false;     ///< at boot: a missing policy is not an error
  std::optional<std::chrono::milliseconds> confirm;
};

ExitStatus run_apply(const ApplyOptions& options, ColorChoice color);

}  // namespace memonline::cli
