// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline check: mistakes in policies, whatever the host.
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "compiler/sema/analyse.hpp"
#include "runtime/cli/command_options.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/output.hpp"

namespace memonline::cli {

namespace {

struct CheckOptions {
  Where where;
  Format format = Format::Text;
};

std::size_t count_rules(const std::vector<sema::Statement>& statements) {
  std::size_t count = 0;
  for (const sema::Statement& statement : statements) {
    if (std::holds_alternative<sema::Rule>(statement)) ++count;
    if (const auto* when = std::get_if<sema::When>(&statement))
      count += count_rules(when->then) + count_rules(when->otherwise);
  }
  return count;
}

std::string counted(std::size_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

ExitStatus run(const CheckOptions& options, ColorChoice color) {
  const Policies policies = load_policies(options.where);
  diag::Sink sink = policies.problems;
  if (policies.none()) add_no_policy(policies, options.where, sink);
  const auto policy = sema::analyse(policies.files, sink);
  const ExitStatus status = sink.has_errors() ? ExitStatus::Usage : ExitStatus::Done;
  if (const ExitStatus printed = report(sink, policies.shown, options.format, color, status);
      printed != ExitStatus::Done || options.format != Format::Text)
    return printed;
  const std::size_t warnings = sink.all().size();
  return print(fmt::format("ok: {}, {}{}\n", counted(policies.files.size(), "policy file"),
                           counted(policy ? count_rules(policy->statements) : 0, "rule"),
                           warnings > 0 ? ", " + counted(warnings, "warning") : ""));
}

constexpr auto kFormats = {Format::Text, Format::Json, Format::Yaml};

CommandResult run_given(const Given& given, ColorChoice color) {
  auto where = where_of(given);
  // Policies that are given do not depend on a root.
  const bool named = given.has("policy") || given.has("expression") || !given.operands().empty();
  if (!where && !named) return fail(where.error());
  if (!where)
    where = Where{.policies = given.values("policy"), .expressions = given.values("expression")};
  const auto form = form_of(given, kFormats);
  if (!form) return fail(form.error());
  for (const std::string& file : given.operands()) where->policies.push_back(file);
  return run({*where, form->output}, color);
}

constexpr std::string_view kExamples = R"(Examples:
  memonline check                             the active policies
  memonline check db.mempolicy packages/*.yaml
  memonline check -e 'node1: 80% movble'      a policy on the command line
  memonline check --json db.mempolicy         for editors

Exit status: 0 no errors, possibly warnings; 2 errors.)";

}  // namespace

Command check_command() {
  std::vector<Option> options;
  add_where(options);
  add_formats(options, kFormats);
  return {
      .name = "check",
      .summary = "Report mistakes in policies, without a host",
      .operand =
          Operand{.name = "FILE",
                  .help = "policy files or packages, after those of --policy; - is standard input",
                  .repeats = true,
                  .offers = options::Offers::Files},
      .options = with_common(std::move(options)),
      .run = &run_given,
      .examples = kExamples};
}

}  // namespace memonline::cli
