// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/usage.hpp"

#include <fmt/format.h>

#include "runtime/cli/help.hpp"

namespace memonline::cli {

namespace {

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

}  // namespace

std::string help_of_program() {
  std::string text =
      "Usage: memonline COMMAND [OPTION]...\n"
      "Decides how the memory of a Linux host is onlined.\n\nCommands:\n";
  for (const Command& command : all_commands())
    if (!command.hidden) text += row(command.name, command.summary);
  return text + options_text(program_options()) + "\n" + kMainFooter + "\n";
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
  const std::string_view footer = footer_of(command.name);
  return footer.empty() ? text : fmt::format("{}\n{}\n", text, footer);
}

}  // namespace memonline::cli
