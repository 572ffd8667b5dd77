// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/completion.hpp"

#include <vector>

#include <fmt/format.h>

namespace memonline::cli {

namespace {

/// What may stand where a value is wanted.
struct Value {
  bool wanted = false;
  bool files = false;
  std::string words;  ///< with spaces between; empty: any text
};
struct Option {
  std::vector<std::string> short_names, long_names;
  std::string description;
  Value value;
};
struct Command {
  std::string name, description;
  std::vector<Option> options;
  Value positional;
};

Value value_of(CLI::Option& option) {
  Value value;
  value.wanted = option.get_items_expected_max() > 0;
  try {
    value.words = option.get_validator(0)->get_name();
  } catch (const CLI::OptionNotFound&) {  // any text
    value.words.clear();
  }
  const std::string type = option.get_positional() ? option.get_name(true) : option.get_type_name();
  value.files = type == "FILE" || type == "DIR" || type == "PLAN" || type == "PATH";
  return value;
}

Command command_of(CLI::App& app) {
  Command command{app.get_name(), app.get_description(), {}, {}};
  for (CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      command.positional = value_of(*option);
      continue;
    }
    command.options.push_back(
        {option->get_snames(), option->get_lnames(), option->get_description(), value_of(*option)});
  }
  return command;
}

std::vector<Command> commands_of(CLI::App& program) {
  std::vector<Command> commands;
  for (CLI::App* app : program.get_subcommands([](CLI::App*) { return true; }))
    if (!app->get_group().empty()) commands.push_back(command_of(*app));
  return commands;
}

/// In single quotes, for all three shells.
std::string in_quotes(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'')
      result += R"('\'')";
    else
      result += c;
  }
  return result + "'";
}

std::string names(const Option& option, char between) {
  std::string text;
  for (const std::string& name : option.short_names) text += fmt::format("-{}{}", name, between);
  for (const std::string& name : option.long_names) text += fmt::format("--{}{}", name, between);
  text.pop_back();
  return text;
}

// ---- bash ----

constexpr std::string_view kBashHead = R"(# bash completion for memonline
_memonline() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) ;; *) command=$word; break ;; esac
  done
  local words= files=
  case $command:$prev in
)";
constexpr std::string_view kBashTail = R"(  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  if [ -n "$files" ]; then
    compopt -o filenames 2>/dev/null || true
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
  fi
}
complete -F _memonline memonline
)";

std::string bash(const std::vector<Command>& commands) {
  std::string text(kBashHead);
  std::string all;
  for (const Command& command : commands) {
    all += (all.empty() ? "" : " ") + command.name;
    std::string offered;
    for (const Option& option : command.options) {
      offered += (offered.empty() ? "" : " ") + names(option, ' ');
      if (!option.value.wanted) continue;
      std::string cases;
      for (const std::string& name : option.short_names)
        cases += fmt::format("{}{}:-{}", cases.empty() ? "" : "|", command.name, name);
      for (const std::string& name : option.long_names)
        cases += fmt::format("{}{}:--{}", cases.empty() ? "" : "|", command.name, name);
      text += fmt::format("    {})", cases);
      if (!option.value.words.empty())
        text += fmt::format(" words={}", in_quotes(option.value.words));
      text += option.value.files ? " files=1 ;;\n" : " ;;\n";
    }
    text += fmt::format("    {}:*)\n", command.name);
    text += fmt::format("      case $cur in -*) words={} ;; *)", in_quotes(offered));
    const Value& positional = command.positional;
    if (!positional.words.empty()) text += fmt::format(" words={}", in_quotes(positional.words));
    text += positional.files ? " files=1 ;; esac ;;\n" : " ;; esac ;;\n";
  }
  text += fmt::format("    :*) words={} ;;\n", in_quotes(all + " --help --version"));
  return text + std::string(kBashTail);
}

// ---- zsh ----

std::string zsh_value(const Value& value, std::string_view name) {
  if (!value.wanted) return {};
  if (!value.words.empty()) return fmt::format(":{}:({})", name, value.words);
  return fmt::format(":{}:{}", name, value.files ? "_files" : " ");
}

/// What _arguments and _describe take for a description.
std::string zsh_text(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

std::string zsh(const std::vector<Command>& commands) {
  std::string text =
      "#compdef memonline\n_memonline() {\n  local curcontext=$curcontext state line\n"
      "  _arguments -C '(-h --help)'{-h,--help}'[print help]' '--version[print the version]' "
      "'1:command:->command' '*::argument:->argument'\n  case $state in\n  command)\n"
      "    local -a commands=(\n";
  for (const Command& command : commands)
    text += fmt::format(
        "      {}\n", in_quotes(fmt::format("{}:{}", command.name, zsh_text(command.description))));
  text += "    )\n    _describe command commands ;;\n  argument)\n    case $line[1] in\n";
  for (const Command& command : commands) {
    text += fmt::format("    {})\n      _arguments", command.name);
    for (const Option& option : command.options) {
      const auto one = [&](const std::string& name) {
        text += fmt::format(" \\\n        {}",
                            in_quotes(fmt::format("{}[{}]{}", name, zsh_text(option.description),
                                                  zsh_value(option.value, "value"))));
      };
      for (const std::string& name : option.short_names) one("-" + name);
      for (const std::string& name : option.long_names) one("--" + name);
    }
    if (command.positional.wanted)
      text +=
          fmt::format(" \\\n        {}", in_quotes("*" + zsh_value(command.positional, "what")));
    text += " ;;\n";
  }
  return text + "    esac ;;\n  esac\n}\n_memonline \"$@\"\n";
}

// ---- fish ----

std::string fish(const std::vector<Command>& commands) {
  std::string text = "# fish completion for memonline\ncomplete -c memonline -f\n";
  for (const Command& command : commands)
    text += fmt::format("complete -c memonline -n __fish_use_subcommand -a {} -d {}\n",
                        command.name, in_quotes(command.description));
  for (const Command& command : commands) {
    const std::string when =
        fmt::format("complete -c memonline -n '__fish_seen_subcommand_from {}'", command.name);
    for (const Option& option : command.options) {
      text += when;
      for (const std::string& name : option.short_names) text += fmt::format(" -s {}", name);
      for (const std::string& name : option.long_names) text += fmt::format(" -l {}", name);
      if (option.value.wanted) text += option.value.files ? " -r -F" : " -x";
      if (!option.value.words.empty()) text += fmt::format(" -a {}", in_quotes(option.value.words));
      text += fmt::format(" -d {}\n", in_quotes(option.description));
    }
    const Value& positional = command.positional;
    if (!positional.words.empty())
      text += fmt::format("{} -a {}\n", when, in_quotes(positional.words));
    if (positional.files) text += when + " -F\n";
  }
  return text;
}

}  // namespace

std::string completion_for(std::string_view shell, CLI::App& program) {
  const std::vector<Command> commands = commands_of(program);
  if (shell == "zsh") return zsh(commands);
  return shell == "fish" ? fish(commands) : bash(commands);
}

}  // namespace memonline::cli
