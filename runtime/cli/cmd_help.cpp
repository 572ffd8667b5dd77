// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline help, and what --help prints: the usage, the table of options, then examples.
#include <fmt/format.h>

#include "runtime/cli/command_options.hpp"

namespace memonline::cli {

namespace {

constexpr std::string_view kProgramExamples = R"(Examples:
  memonline plan                              what the active policies would do here
  memonline plan -e 'hotplugged: movable'     what this policy would do here
  memonline status                            current memory, and where it drifts
  memonline apply --dry-run                   show what would be done; change nothing
  memonline apply                             carry out the plan
  memonline explain memory42                  why block 42 is in its state and zone

Policies are read from /etc/memonline/policy.d, /run/memonline/policy.d and
/usr/lib/memonline/policy.d; a file in an earlier directory replaces one of the same name in a
later directory.
Only `apply`, `undo`, `confirm` and `boot` change the machine.

Exit status: 0 done or nothing to do; 1 failure; 2 invalid usage or policy; 3 changes pending;
4 only a reboot pending; 64 partial success.
Environment: MEMONLINE_ROOT, NO_COLOR, CLICOLOR_FORCE.)";

constexpr std::size_t kColumn = 22;

/// "--root, --sysroot DIR".
std::string names_of(const Option& option) {
  std::string text;
  if (option.letter != '\0') text += fmt::format("-{}, ", option.letter);
  for (const std::string_view name : option.names) text += fmt::format("--{}, ", name);
  text.resize(text.size() - 2);
  if (option.value.empty()) return text;
  return text + (option.takes != nullptr ? fmt::format(" [{}]", option.value)
                                         : fmt::format(" {}", option.value));
}

std::string row(std::string_view name, std::string_view text) {
  return name.size() <= kColumn ? fmt::format("  {:<{}} {}\n", name, kColumn, text)
                                : fmt::format("  {}\n  {:<{}} {}\n", name, "", kColumn, text);
}

std::string options_text(const std::vector<Option>& options) {
  std::string text = "\nOptions:\n";
  for (const Option& option : options) text += row(names_of(option), option.help);
  return text;
}

CommandResult run(const Given& given, ColorChoice) {
  if (given.operands().empty()) return print(help_of_program());
  return print(help_of(*command_named(given.operand())));
}

}  // namespace

std::string help_of_program() {
  std::string text =
      "Usage: memonline COMMAND [OPTION]...\n"
      "Decides how the memory of a Linux host is onlined.\n\nCommands:\n";
  for (const Command& command : all_commands())
    if (!command.hidden) text += row(command.name, command.summary);
  return text + options_text(program_options()) + "\n" + std::string(kProgramExamples) + "\n";
}

std::string help_of(const Command& command) {
  std::string text = fmt::format("Usage: memonline {}", command.name);
  if (command.operand) {
    // Of a command for packages, only their scripts give more than one.
    const bool several = command.operand->repeats && !command.hidden;
    const std::string name = fmt::format("{}{}", command.operand->name, several ? "..." : "");
    text += command.operand->required ? " " + name : " [" + name + "]";
  }
  text += fmt::format(" [OPTION]...\n{}\n", command.summary);
  if (command.operand) text += "\n" + row(command.operand->name, command.operand->help);
  text += options_text(command.options);
  return command.examples.empty() ? text : fmt::format("{}\n{}\n", text, command.examples);
}

Command help_command() {
  return {.name = "help",
          .summary = "Print the help of the program or of a command",
          .operand =
              Operand{.name = "COMMAND", .help = "a memonline command", .words = command_names()},
          .options = with_common({}),
          .run = &run};
}

}  // namespace memonline::cli
