// SPDX-License-Identifier: LGPL-2.1-or-later
// The command `memonline`: from the words after its name to the command that they name, and its
// run.
#include <array>
#include <exception>
#include <new>
#include <utility>

#include <fmt/format.h>

#include "compiler/text/printable.hpp"
#include "runtime/cli/command.hpp"
#include "runtime/cli/command_options.hpp"

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
constexpr std::array kCommands{
#define MEMONLINE_COMMAND(name, make) Entry{name, &(make)},
#include "runtime/cli/commands.def"
#undef MEMONLINE_COMMAND
};

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

UsageError unknown_command(std::string_view word) {
  return {fmt::format("unknown command `{}`{}", printable(word),
                      options::did_you_mean(word, command_names()))};
}

UsageError with_what_was_meant(UsageError error, const Command& command) {
  if (command.meant == nullptr || error.unknown_option.empty()) return error;
  const std::string_view meant = command.meant(error.unknown_option);
  if (!meant.empty()) error.message += fmt::format("; did you mean `{}`?", meant);
  return error;
}

/// `before`: the options in front of the command; they count as if they followed it.
ExitStatus run_command(const Command& command, Words before, const Words& after) {
  before.insert(before.end(), after.begin(), after.end());
  const auto given =
      options::read_words(command.options, command.operand ? &*command.operand : nullptr, before);
  if (!given) return wrong(with_what_was_meant(given.error(), command), command.name);
  if (given->has("help")) return print(help_of(command));
  const CommandResult result = command.run(*given, color_of(*given));
  return result ? *result : wrong(result.error(), command.name);
}

ExitStatus run_command_line(const Words& words) {
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

}  // namespace

std::vector<Command> all_commands() {
  std::vector<Command> commands;
  commands.reserve(kCommands.size());
  for (const Entry& entry : kCommands) commands.push_back(entry.make());
  return commands;
}

const Words& command_names() {
  static const Words names = [] {
    Words all;
    for (const Entry& entry : kCommands) all.push_back(entry.name);
    return all;
  }();
  return names;
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

}  // namespace memonline::cli

int main(int argc, char** argv) {
  using namespace memonline::cli;
  try {
    return static_cast<int>(run_command_line(Words(argv + (argc > 0 ? 1 : 0), argv + argc)));
  } catch (const std::bad_alloc&) {
    return static_cast<int>(complain(ExitStatus::Failure, "out of memory"));
  } catch (const std::exception& error) {
    return static_cast<int>(complain(ExitStatus::Failure, error.what()));
  }
}
