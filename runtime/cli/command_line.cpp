// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/command_line.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "compiler/text/printable.hpp"
#include "runtime/cli/command.hpp"
#include "runtime/cli/command_options.hpp"
#include "runtime/cli/completion.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/cli/usage.hpp"

#ifndef MEMONLINE_VERSION
#error "the build names the version"
#endif

namespace memonline::cli {

namespace {

using Words = std::vector<std::string_view>;

struct Entry {
  std::string_view name;
  Command (*make)();
};
// Of a command line only the command that it names is made.
constexpr std::array<Entry, 16> kCommands{{{"plan", &plan_command},
                                           {"apply", &apply_command},
                                           {"undo", &undo_command},
                                           {"confirm", &confirm_command},
                                           {"boot", &boot_command},
                                           {"check", &check_command},
                                           {"status", &status_command},
                                           {"explain", &explain_command},
                                           {"capture", &capture_command},
                                           {"map", &map_command},
                                           {"generate", &generate_command},
                                           {"fmt", &fmt_command},
                                           {"test", &test_command},
                                           {"cat-policy", &cat_policy_command},
                                           {"help", &help_command},
                                           {"completion", &completion_command}}};

ExitStatus wrong(const UsageError& error, std::string_view command = {}) {
  print_error(fmt::format("memonline: {}\nTry `memonline {}{}--help`.\n", error.message, command,
                          command.empty() ? "" : " "));
  return ExitStatus::Usage;
}

ColorChoice color_of(const Given& given) {
  const std::string when = given.value("color");
  if (when == "always") return ColorChoice::Always;
  return when == "never" ? ColorChoice::Never : ColorChoice::Auto;
}

Words command_names() {
  Words names;
  for (const Entry& entry : kCommands) names.push_back(entry.name);
  return names;
}

UsageError unknown_command(std::string_view word) {
  return {fmt::format("unknown command `{}`{}", printable(word),
                      options::did_you_mean(word, command_names()))};
}

/// `plan` never changes anything: with --dry-run, `apply` was probably meant.
UsageError with_command_meant(UsageError error, std::string_view command) {
  const bool dry = error.message.starts_with("unknown option `-n`") ||
                   error.message.starts_with("unknown option `--dry");
  if (command == "plan" && dry) error.message += "; did you mean `memonline apply -n`?";
  return error;
}

/// `before`: the options in front of the command; they count as if they followed it.
ExitStatus run_command(const Command& command, Words before, const Words& after) {
  before.insert(before.end(), after.begin(), after.end());
  const auto given =
      options::read_words(command.options, command.operand ? &*command.operand : nullptr, before);
  if (!given) return wrong(with_command_meant(given.error(), command.name), command.name);
  if (given->has("help")) return print(help_of(command));
  const Ran ran = command.run(*given, color_of(*given));
  return ran ? *ran : wrong(ran.error(), command.name);
}

Ran run_help(const Given& given, ColorChoice) {
  if (given.operands().empty()) return print(help_of_program());
  return print(help_of(*command_named(given.operand())));
}

}  // namespace

Command help_command() {
  return {"help", "Print the help of the program or of a command",
          Operand{.name = "COMMAND", .help = "a memonline command", .words = command_names()},
          with_common({}), &run_help};
}

std::vector<Command> all_commands() {
  std::vector<Command> commands;
  commands.reserve(kCommands.size());
  for (const Entry& entry : kCommands) commands.push_back(entry.make());
  return commands;
}

std::optional<Command> command_named(std::string_view name) {
  for (const Entry& entry : kCommands)
    if (entry.name == name) return entry.make();
  return std::nullopt;
}

const std::vector<Option>& program_options() {
  static const std::vector<Option> options = with_common({version_option(), root_option()});
  return options;
}

ExitStatus run_command_line(int argc, const char* const* argv) {
  Words words(argv + (argc > 0 ? 1 : 0), argv + argc);
  const auto split =
      static_cast<Words::difference_type>(options::words_before_operand(program_options(), words));
  Words before(words.begin(), words.begin() + split);
  const auto given = options::read_words(program_options(), nullptr, before);
  if (!given) return wrong(given.error());
  if (given->has("help")) return print(help_of_program());
  if (given->has("version")) return print(fmt::format("memonline {}\n", MEMONLINE_VERSION));
  Words after(words.begin() + split, words.end());
  if (!after.empty() && after.front() == "--") after.erase(after.begin());
  if (after.empty()) return wrong({"missing command: expected for example `memonline status`"});
  const auto command = command_named(after.front());
  if (!command) return wrong(unknown_command(after.front()));
  after.erase(after.begin());
  return run_command(*command, std::move(before), after);
}

}  // namespace memonline::cli
