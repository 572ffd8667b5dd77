// SPDX-License-Identifier: LGPL-2.1-or-later
// A command as a value: its options, its help and its function. Each cmd_NAME.cpp makes one, and
// commands.def lists them; parsing, help and completion know commands only through this.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/result.hpp"
#include "runtime/base/words.hpp"
#include "runtime/cli/output.hpp"

namespace memonline::cli {

using options::Given;
using options::Operand;
using options::Option;
using options::UsageError;

/// The exit status of a run, or why the words are invalid.
using CommandResult = Result<ExitStatus, UsageError>;

struct Command {
  std::string_view name, summary;
  std::optional<Operand> operand = {};
  std::vector<Option> options;
  CommandResult (*run)(const Given& given, ColorChoice color);
  std::string_view examples = {};  ///< the end of the help: examples and exit statuses
  /// What was probably meant by an option that the command does not have; may be empty.
  std::string_view (*meant)(std::string_view unknown_option) = nullptr;
  bool hidden = false;  ///< for packages, not for people
};

#define MEMONLINE_COMMAND(name, make) Command make();
#include "runtime/cli/commands.def"
#undef MEMONLINE_COMMAND

/// Every command, in the order of the help.
std::vector<Command> all_commands();
/// Their names, without making them.
const std::vector<std::string_view>& command_names();
/// The command with this name; empty: there is none.
std::optional<Command> command_named(std::string_view name);
/// The options before the command.
const std::vector<Option>& program_options();

/// What --help prints: the table of options, then examples.
std::string help_of_program();
std::string help_of(const Command& command);

}  // namespace memonline::cli
