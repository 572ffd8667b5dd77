// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline apply: its options, and which of them cannot be combined. Its work is in apply_run.cpp.
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "runtime/cli/apply_run.hpp"
#include "runtime/cli/command_options.hpp"
#include "runtime/cli/left_offline.hpp"

namespace memonline::cli {

namespace {

Result<ApplyOptions, UsageError> options_of(const Given& given) {
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
  if (given.has("retry")) {
    const auto time = time_of(given, "retry");
    if (!time) return fail(time.error());
    options.run.retry = *time;
    if (options.plan_file.empty())
      return fail(UsageError{"`--retry` needs PLAN, made by `memonline plan --unplug`"});
    for (const char* name : {"confirm", "dry-run", "direct"})
      if (given.has(name))
        return fail(UsageError{fmt::format("`--retry` and `--{}` cannot be combined", name)});
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

CommandResult run_given(const Given& given, ColorChoice color) {
  const auto options = options_of(given);
  if (!options) return fail(options.error());
  return run_apply(*options, color);
}

constexpr std::string_view kExamples = R"(Examples:
  memonline apply                             what the active policies require
  memonline apply -e 'hotplugged: movable'    this policy
  memonline apply plan.json                   exactly the plan that `plan -o plan.json` wrote
  memonline apply plan.json --retry 2h        try again while the memory to be unplugged is in use
  memonline apply --confirm 120s              undo the changes unless confirmed in time
  memonline apply --json >report.json

Each block is written, read back and compared with the prediction. EBUSY, EAGAIN, ENOMEM and EINTR
are retried, in up to six rounds per step within 1.6 s; offlining a block ends at its deadline. ^C
stops after the current block; a second ^C also interrupts offlining. The recovery journal is
written to /run/memonline before the first write.

Exit status: 0 done or nothing to do; 1 failure, or not confirmed; 2 invalid usage or policy;
64 partial success.)";

}  // namespace

Command apply_command() {
  std::vector<Option> options;
  add_where(options);
  options.push_back(dry_run_option());
  options.push_back(
      {.names = {"retry"},
       .value = "TIME",
       .help = "With a plan of `plan --unplug`: let memonlined retry for up to TIME while "
               "blocks are in use"});
  options.push_back({.names = {"confirm"},
                     .value = "TIME",
                     .help = "Undo the changes unless `memonline confirm` is run within TIME"});
  options.push_back({.names = {"offline"},
                     .help = "Allow offlining online blocks to change their zone, as with "
                             "`set rezone = allowed`"});
  options.push_back({.names = {"recover"}, .help = "Only restore what a killed run left behind"});
  options.push_back({.names = {"strict"}, .help = "Treat competing onlining agents as errors"});
  options.push_back({.names = {"boot"},
                     .help = "For memonline-apply.service: accept a missing policy, and do nothing "
                             "if memonline.mode=off is on the kernel command line"});
  add_run(options);
  return {.name = "apply",
          .summary = "Carry out the plan, or a plan that `plan -o` wrote",
          .operand = Operand{.name = "PLAN",
                             .help = "a plan in JSON; refused if the host has changed since",
                             .offers = options::Offers::Files},
          .options = with_common(std::move(options)),
          .run = &run_given,
          .examples = kExamples};
}

}  // namespace memonline::cli
