// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline completion: the completions for bash, zsh and fish, made of the same table as the
// parser and its help; and the names that these completions request while the user types.
#include <algorithm>
#include <cstdlib>
#include <set>

#include <fmt/format.h>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/plan/unplug.hpp"
#include "compiler/text/printable.hpp"
#include "runtime/cli/command_options.hpp"
#include "runtime/cli/inputs.hpp"

namespace memonline::cli {

namespace {

using options::Offers;

/// The values that a shell offers.
struct Value {
  bool wanted = false;
  Offers offers = Offers::Nothing;
  std::string words;  ///< with spaces between; empty: any text
};

std::string joined(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words)
    text += fmt::format("{}{}", text.empty() ? "" : " ", word);
  return text;
}

Value value_of(const Option& option) {
  // An optional value is not waited for.
  return {!option.value.empty() && option.takes == nullptr, option.offers, joined(option.words)};
}
Value value_of(const std::optional<Operand>& operand) {
  if (!operand) return {};
  return {true, operand->offers, joined(operand->words)};
}

/// The command that lists names of the host; empty: none is needed.
std::string_view names_for(Offers offers) {
  if (offers == Offers::Explainable) return "explain";
  return offers == Offers::Removable ? "unplug" : "";
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
  if (option.letter != '\0') text += fmt::format("-{}{}", option.letter, between);
  for (const std::string_view name : option.names) text += fmt::format("--{}{}", name, between);
  text.pop_back();
  return text;
}

// ---- bash ----

// bash breaks words at `=` unless COMP_WORDBREAKS says otherwise: `--unplug=d` comes as three words
// or as one, whose part before the value (`lead`) is then part of what is inserted.
constexpr std::string_view kBashHead = R"(# bash completion for memonline
_memonline() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= value= word lead=
  if [[ $cur == --*=* ]]; then
    lead=${cur%%=*}=
    prev=${cur%%=*} cur=${cur#*=}
  elif [[ $cur == = && $prev == --* ]]; then
    cur=
  elif [[ $prev == = && ${COMP_WORDS[COMP_CWORD-2]} == --* ]]; then
    prev=${COMP_WORDS[COMP_CWORD-2]}
  fi
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $value$word in
      --root|--sysroot|--color) value=of ;;
      -*|of=) ;;
      of*) value= ;;
      *) command=$word; break ;;
    esac
  done
  local -a words=()
  local files= quoted
  COMPREPLY=()
  case $command:$prev in
)";
// Not `compgen -W`: it expands its words, and names of devices come from the host.
constexpr std::string_view kBashTail = R"(  esac
  for word in "${words[@]}"; do
    printf -v quoted %q "$word"
    if [[ $word == "$cur"* || $quoted == "$cur"* ]]; then COMPREPLY+=("$lead$quoted"); fi
  done
  if [ -n "$files" ]; then
    compopt -o filenames 2>/dev/null || true
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -P "$lead" -f -- "$cur")
  fi
}
complete -F _memonline memonline
)";

std::string bash_value(const Value& value) {
  std::string text;
  if (!value.words.empty()) text += fmt::format(" words=({})", value.words);
  if (value.offers == Offers::Files) text += " files=1";
  if (const std::string_view names = names_for(value.offers); !names.empty())
    text += fmt::format(
        " mapfile -t words < <(memonline completion {} -- "
        "\"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\" 2>/dev/null)",
        names);
  return text;
}

/// A line of `case` for each option that wants a value; all their names are added to `offered`.
std::string bash_cases(std::string_view command, const std::vector<Option>& options,
                       std::string& offered) {
  std::string text;
  for (const Option& option : options) {
    offered += (offered.empty() ? "" : " ") + names(option, ' ');
    const Value value = value_of(option);
    if (!value.wanted) continue;
    std::string cases;
    if (option.letter != '\0') cases = fmt::format("{}:-{}", command, option.letter);
    for (const std::string_view name : option.names)
      cases += fmt::format("{}{}:--{}", cases.empty() ? "" : "|", command, name);
    text += fmt::format("    {}){} ;;\n", cases, bash_value(value));
  }
  return text;
}

std::string bash(const std::vector<Command>& commands) {
  std::string text(kBashHead);
  std::string all;
  for (const Command& command : commands) {
    if (command.hidden) continue;
    all += fmt::format("{}{}", all.empty() ? "" : " ", command.name);
    std::string offered;
    text += bash_cases(command.name, command.options, offered);
    text += fmt::format("    {}:*)\n", command.name);
    text += fmt::format("      case $cur in -*) words=({}) ;; *){} ;; esac ;;\n", offered,
                        bash_value(value_of(command.operand)));
  }
  text += bash_cases({}, program_options(), all);
  text += fmt::format("    :*) words=({}) ;;\n", all);
  return text + std::string(kBashTail);
}

// ---- zsh ----

std::string zsh_value(const Value& value, std::string_view name) {
  if (!value.wanted) return {};
  if (!value.words.empty()) return fmt::format(":{}:({})", name, value.words);
  if (const std::string_view names = names_for(value.offers); !names.empty())
    return fmt::format(":{}:_memonline_{}", name, names);
  return fmt::format(":{}:{}", name, value.offers == Offers::Files ? "_files" : " ");
}

/// Escaped for descriptions of _arguments and _describe.
std::string zsh_text(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

constexpr std::string_view kZshHead = R"zsh(#compdef memonline
_memonline_names() { compadd -- ${(f)"$(memonline completion $1 -- $words 2>/dev/null)"} }
_memonline_explain() { _memonline_names explain }
_memonline_unplug() { _memonline_names unplug }
_memonline() {
  local curcontext=$curcontext state line
)zsh";

/// Each name of an option, as _arguments takes it.
std::string zsh_options(const std::vector<Option>& options) {
  std::string text;
  for (const Option& option : options) {
    const auto one = [&](const std::string& name) {
      text += fmt::format(
          " \\\n        {}",
          in_quotes(fmt::format("{}{}[{}]{}", option.repeats ? "*" : "", name,
                                zsh_text(option.help), zsh_value(value_of(option), "value"))));
    };
    if (option.letter != '\0') one(fmt::format("-{}", option.letter));
    for (const std::string_view name : option.names) one(fmt::format("--{}", name));
  }
  return text;
}

std::string zsh(const std::vector<Command>& commands) {
  std::string text(kZshHead);
  text += fmt::format(
      "  _arguments -C -A '-*'{} \\\n        '1:command:->command' '*::argument:->argument'\n"
      "  case $state in\n  command)\n    local -a commands=(\n",
      zsh_options(program_options()));
  for (const Command& command : commands)
    if (!command.hidden)
      text += fmt::format("      {}\n",
                          in_quotes(fmt::format("{}:{}", command.name, zsh_text(command.summary))));
  text += "    )\n    _describe command commands ;;\n  argument)\n    case $line[1] in\n";
  for (const Command& command : commands) {
    if (command.hidden) continue;
    text += fmt::format("    {})\n      _arguments{}", command.name, zsh_options(command.options));
    const Value operand = value_of(command.operand);
    if (operand.wanted)
      text += fmt::format(" \\\n        {}", in_quotes("*" + zsh_value(operand, "what")));
    text += " ;;\n";
  }
  return text + "    esac ;;\n  esac\n}\n_memonline \"$@\"\n";
}

// ---- fish ----

std::string fish_words(const Value& value) {
  if (!value.words.empty()) return fmt::format(" -a {}", in_quotes(value.words));
  const std::string_view names = names_for(value.offers);
  if (names.empty()) return {};
  return fmt::format(" -a '(memonline completion {} -- (commandline -opc) 2>/dev/null)'", names);
}

std::string fish_options(const std::vector<Option>& options, std::string_view when) {
  std::string text;
  for (const Option& option : options) {
    const Value value = value_of(option);
    text += when;
    if (option.letter != '\0') text += fmt::format(" -s {}", option.letter);
    for (const std::string_view name : option.names) text += fmt::format(" -l {}", name);
    if (value.wanted) text += value.offers == Offers::Files ? " -r -F" : " -x";
    text += fish_words(value) + fmt::format(" -d {}\n", in_quotes(option.help));
  }
  return text;
}

std::string fish(const std::vector<Command>& commands) {
  std::string text = "# fish completion for memonline\ncomplete -c memonline -f\n";
  for (const Command& command : commands)
    if (!command.hidden)
      text += fmt::format("complete -c memonline -n __fish_use_subcommand -a {} -d {}\n",
                          command.name, in_quotes(command.summary));
  text += fish_options(program_options(), "complete -c memonline -n __fish_use_subcommand");
  for (const Command& command : commands) {
    if (command.hidden) continue;
    const std::string when =
        fmt::format("complete -c memonline -n '__fish_seen_subcommand_from {}'", command.name);
    text += fish_options(command.options, when);
    const Value operand = value_of(command.operand);
    if (const std::string words = fish_words(operand); !words.empty()) text += when + words + "\n";
    if (operand.offers == Offers::Files) text += when + " -F\n";
  }
  return text;
}

std::string completion_for(std::string_view shell, const std::vector<Command>& commands) {
  if (shell == "zsh") return zsh(commands);
  return shell == "fish" ? fish(commands) : bash(commands);
}

// ---- names of this host ----

using model::Device;

/// Of more blocks, only the ends of each range are offered: half a million are too many to choose
/// from.
constexpr std::uint64_t kMaxBlocks = 1024;

/// The value of --root. bash breaks words at `=`, so that `--root=DIR` may be three words.
std::string root_in(const std::vector<std::string>& words) {
  const char* variable = std::getenv("MEMONLINE_ROOT");
  std::string root = variable == nullptr || *variable == '\0' ? "/" : variable;
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const std::string_view name : {"--root", "--sysroot"}) {
      const std::string_view word = words[i];
      if (word.starts_with(name) && word.size() > name.size() + 1 && word[name.size()] == '=')
        root = word.substr(name.size() + 1);
      const std::size_t value = i + (i + 1 < words.size() && words[i + 1] == "=" ? 2 : 1);
      if (word == name && value < words.size()) root = words[value];
    }
  }
  return root;
}

void add_blocks(const model::Host& host, std::vector<std::string>& names) {
  std::uint64_t all = 0;
  for (const model::BlockRun& run : host.blocks) all += run.count;
  for (const model::BlockRun& run : host.blocks)
    for (std::uint64_t i = 0; i < run.count; ++i)
      if (all <= kMaxBlocks || i == 0 || i + 1 == run.count)
        names.push_back(model::block_name(run.first + i));
}

void add_devices(const model::Host& host, Offers offers, std::vector<std::string>& names) {
  std::set<std::string> found;
  if (offers == Offers::Removable)
    for (const std::string& name : plan::removable_devices(host)) found.insert(name);
  for (const model::BlockRun& run : host.blocks) {
    const Device& device = host.devices.at(run.device);
    const bool has_name = device.kind != Device::Kind::None && device.kind != Device::Kind::Unknown;
    if (offers == Offers::Explainable && has_name) found.insert(device.name);
  }
  names.insert(names.end(), found.begin(), found.end());
}

/// The names to complete after `explain` or `--unplug`, one per line: blocks, nodes, devices,
/// codes. `words` are those of the command line so far, with --root.
std::string offered_names(Offers offers, const std::vector<std::string>& words) {
  std::vector<std::string> names;
  diag::Sink ignored;
  Where where;
  where.root = root_in(words);
  where.to_write = true;
  if (const auto host = load_host(where, ignored)) {
    add_blocks(*host, names);
    add_devices(*host, offers, names);
    for (const model::Node& node : host->nodes) names.push_back(fmt::format("node{}", node.id));
  }
  if (offers == Offers::Explainable)
    for (const diag::CodeEntry& entry : diag::all_codes())
      names.emplace_back(diag::name_of(entry.code));
  std::string text;
  for (const std::string& name : names) text += name + "\n";
  return text;
}

CommandResult run(const Given& given, ColorChoice) {
  const std::string what = given.operand();
  const std::vector<std::string> words(given.operands().begin() + 1, given.operands().end());
  if (what == "explain") return print(offered_names(Offers::Explainable, words));
  if (what == "unplug") return print(offered_names(Offers::Removable, words));
  const std::vector<std::string_view> shells{"bash", "zsh", "fish"};
  if (std::find(shells.begin(), shells.end(), what) == shells.end())
    return fail(
        UsageError{fmt::format("invalid SHELL `{}`: expected {}{}", printable(what),
                               options::one_of(shells), options::did_you_mean(what, shells))});
  if (!words.empty())
    return fail(UsageError{
        fmt::format("unexpected operand `{}`: expected at most one SHELL", printable(words[0]))});
  return print(completion_for(what, all_commands()));
}

}  // namespace

Command completion_command() {
  return {
      .name = "completion",
      .summary = "Print the completions for a shell",
      .operand =
          Operand{.name = "SHELL", .help = "bash, zsh or fish", .required = true, .repeats = true},
      .options = with_common({}),
      .run = &run,
      .hidden = true};
}

}  // namespace memonline::cli
