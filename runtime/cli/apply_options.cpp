// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/apply_options.hpp"

#include <optional>

#include <fmt/format.h>

#include "runtime/cli/command_options.hpp"
#include "runtime/cli/left_offline.hpp"

namespace memonline::cli {

Result<ApplyOptions, UsageError> apply_options_of(const Given& given) {
  auto where = where_of(given);
  if (!where) return fail(where.error());
  const auto run_options = run_options_of(given);
  if (!run_options) return fail(run_options.error());
  where->offline = given.has("offline");
  if (given.has("boot")) where->first_rule = rule_for_left_alone(where->root);
  ApplyOptions options{*where,
                       *run_options,
                       given.operand(),
                       given.has("dry-run"),
                       given.has("recover"),
                       given.has("strict"),
                       given.has("boot"),
                       std::nullopt};
  if (given.has("confirm")) {
    const auto time = time_of(given, "confirm");
    if (!time) return fail(time.error());
    options.confirm = *time;
  }
  for (const char* name : {"policy", "expression", "offline"})
    if (!options.plan_file.empty() && given.has(name))
      return fail(UsageError{
          fmt::format("PLAN and `{}` cannot be combined: the plan was made from its own policies",
                      given.spelling(name))});
  if (given.has("recover"))
    for (const char* name : {"policy", "expression", "offline", "confirm", "strict", "boot"})
      if (given.has(name))
        return fail(UsageError{
            fmt::format("`--recover` and `{}` cannot be combined: recovery carries out no plan",
                        given.spelling(name))});
  if (!options.plan_file.empty())
    for (const char* name : {"recover", "boot"})
      if (given.has(name))
        return fail(
            UsageError{fmt::format("PLAN and `--{}` cannot be combined: {}", name,
                                   options.recover ? "recovery carries out no plan"
                                                   : "at boot the active policies are applied")});
  return options;
}

}  // namespace memonline::cli
