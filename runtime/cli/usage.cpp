// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/usage.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "compiler/base/similar.hpp"

namespace memonline::cli {

namespace {

std::string shown(const std::string& positional, bool required) {
  return required ? " " + positional : " [" + positional + "]";
}

}  // namespace

std::string names_of(const CLI::Option& option) {
  std::string text;
  for (const std::string& name : option.get_snames()) text += "-" + name + ", ";
  for (const std::string& name : option.get_lnames()) text += "--" + name + ", ";
  text.resize(text.size() - 2);
  return option.get_items_expected_max() > 0 ? text + " " + option.get_type_name() : text;
}

std::string help_of(const CLI::App& program, const CLI::App& app) {
  const bool main = &app == &program;
  std::string text = fmt::format("Usage: memonline {}", main ? "COMMAND" : app.get_name());
  std::vector<std::pair<std::string, std::string>> rows;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional())
      text += shown(option->get_name(true) + (option->get_items_expected_max() > 1 ? "..." : ""),
                    option->get_required());
    else if (!option->get_group().empty())
      rows.emplace_back(names_of(*option), option->get_description());
  }
  text += fmt::format(" [OPTION]...\n{}\n", app.get_description());
  for (const CLI::Option* option : app.get_options())
    if (option->get_positional())
      text += fmt::format("\n  {:<22} {}\n", option->get_name(true), option->get_description());
  if (main) text += "\nCommands:\n";
  if (main)
    for (const CLI::App* command : app.get_subcommands({}))
      if (!command->get_group().empty())
        text += fmt::format("  {:<22} {}\n", command->get_name(), command->get_description());
  text += "\nOptions:\n";
  for (const auto& [names, description] : rows)
    text += names.size() <= 22 ? fmt::format("  {:<22} {}\n", names, description)
                               : fmt::format("  {}\n  {:<22} {}\n", names, "", description);
  return text + "\n" + app.get_footer() + "\n";
}

Ending unknown_command(const CLI::App& program, std::string_view word) {
  std::vector<std::string> names;
  for (const CLI::App* command : program.get_subcommands({})) names.push_back(command->get_name());
  const std::vector<std::string_view> known(names.begin(), names.end());
  const std::string_view near = most_similar(word, known);
  return {ExitStatus::Usage,
          fmt::format("memonline: no command `{}`{}\nTry `memonline --help`.\n", word,
                      near.empty() ? "" : fmt::format("; did you mean `{}`?", near))};
}

CLI::Validator one_of(const std::vector<std::string>& words) {
  std::string list;
  std::string together;
  for (const std::string& word : words) {
    list += (list.empty() ? "" : ", ") + word;
    together += (together.empty() ? "" : " ") + word;
  }
  return {[words, list](std::string& word) -> std::string {
            if (std::find(words.begin(), words.end(), word) != words.end()) return {};
            return fmt::format("`{}` is none of {}", word, list);
          },
          "", together};
}

}  // namespace memonline::cli
