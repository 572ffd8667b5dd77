// SPDX-License-Identifier: LGPL-2.1-or-later
// A command as a value: its options, its help and its function. Each cmd_NAME.cpp makes one;
// parsing, help and completion know commands only through this.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/result.hpp"
#include "runtime/base/words.hpp"
#include "runtime/cli/command_line.hpp"
#include "runtime/cli/exit_status.hpp"

namespace memonline::cli {

using options::Given;
using options::Operand;
using options::Option;
using options::UsageError;

/// The exit status of a run, or why the words are invalid.
using Ran = Result<ExitStatus, UsageError>;

struct Command {
  std::string_view name, summary;
  std::optional<Operand> operand;
  std::vector<Option> options;
  Ran (*run)(const Given& given, ColorChoice color);
  bool hidden = false;  ///< for packages, not for people
};

Command plan_command();
Command apply_command();
Command undo_command();
Command confirm_command();
Command boot_command();
Command check_command();
Command status_command();
Command explain_command();
Command capture_command();
Command map_command();
Command generate_command();
Command fmt_command();
Command test_command();
Command cat_policy_command();
Command help_command();
Command completion_command();

/// Every command, in the order of the help.
std::vector<Command> all_commands();
/// The command with this name; empty: there is none.
std::optional<Command> command_named(std::string_view name);
/// The options before the command.
const std::vector<Option>& program_options();

}  // namespace memonline::cli
