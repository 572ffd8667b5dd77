// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline completion: the completions of a shell, for packages; and the names that these
// completions request while the user types.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/text/printable.hpp"
#include "runtime/cli/command_options.hpp"
#include "runtime/cli/completion.hpp"
#include "runtime/cli/output.hpp"

namespace memonline::cli {

namespace {

Ran run_given(const Given& given, ColorChoice) {
  const std::string what = given.operand();
  const std::vector<std::string> words(given.operands().begin() + 1, given.operands().end());
  if (what == "explain") return print(offered_names(options::Offers::Explainable, words));
  if (what == "unplug") return print(offered_names(options::Offers::Removable, words));
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
  return {"completion",
          "Print the completions for a shell",
          Operand{.name = "SHELL", .help = "bash, zsh or fish", .required = true, .repeats = true},
          with_common({}),
          &run_given,
          true};
}

}  // namespace memonline::cli
