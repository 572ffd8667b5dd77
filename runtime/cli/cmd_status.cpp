// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline status: memory as it is, and where it drifts from the policy. A policy that has an
// error, or cannot be planned here, does not hide the memory.
#include <algorithm>

#include "compiler/diag/render.hpp"
#include "runtime/cli/boot_outcome.hpp"
#include "runtime/cli/command_options.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/metrics.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/cli/service_client.hpp"
#include "runtime/cli/status_report.hpp"

namespace memonline::cli {

namespace {

struct StatusOptions {
  Where where;
  Format format = Format::Text;
  Format errors = Format::Text;  ///< the format of errors: by --format, whatever the suffix of -o
  std::string output;
};

ExitStatus status_of(const StatusReport& report) {
  if (!report.drift_known())
    return report.verdict == Verdict::PolicyError ? ExitStatus::Usage : ExitStatus::Failure;
  if (report.compiled.plan) return pending_status(*report.compiled.plan);
  // Without a policy, the boot loader may still have the parameters of an earlier one.
  return report.boot.is == BootOutcome::Is::RebootRequired ? ExitStatus::RebootPending
                                                           : ExitStatus::Done;
}

Metrics metrics_of(const StatusReport& report, const Where& where) {
  Metrics metrics{*report.compiled.host, report.runs,   report.compiled.plan.has_value(),
                  report.steps,          report.reboot, {},
                  report.drift_known()};
  if (auto service = where.by_service ? ServiceClient::find(where.root) : std::nullopt)
    metrics.counters = service->counters();
  return metrics;
}

ExitStatus run(const StatusOptions& options, ColorChoice color) {
  Compiled compiled = load_for(options.where, OnPolicyErrors::ReadHost);
  if (!compiled.host)
    return report(compiled.sink, compiled.policies.shown, options.errors, color, compiled.status);
  if (compiled.policy) plan_for_host(compiled);
  warn_of_agents(compiled);
  // A host in a file has no state, and no kernel parameters of ours.
  const auto state = boot::read_state(boot::Root(options.where.root));
  const StatusReport status =
      make_status(compiled, boot_outcome(*compiled.host, state.value_or(boot::State{})));
  add_outcome(status.boot, compiled.sink);

  const std::string diagnostics =
      diag::to_text(compiled.sink.sorted(), compiled.policies.shown, {color_errors(color)});
  if (options.format == Format::Json || options.format == Format::Yaml) {
    // The document has them, too; but -o selects its format, not that of the messages.
    if (options.errors == Format::Text) print_error(diagnostics);
    return print_to(
        options.output,
        options.format == Format::Json ? status_to_json(status) : status_to_yaml(status),
        status_of(status));
  }
  if (options.format == Format::Prometheus) {
    print_error(diagnostics);
    // The collector reads the values; a step or a reboot that is pending is one of them.
    return print_to(options.output, to_prometheus(metrics_of(status, options.where)),
                    status.drift_known() ? ExitStatus::Done : status_of(status));
  }
  const std::string text = status_to_text(status, color_output(color, options.output));
  if (status.drift_known()) {
    print_error(diagnostics);
    return print_to(options.output, text, status_of(status));
  }
  // Errors follow the memory, which the user asked for.
  const ExitStatus ended = print_to(options.output, text, status_of(status));
  print_error("\n" + diagnostics);
  return ended;
}

constexpr auto kFormats = {Format::Text, Format::Json, Format::Yaml, Format::Prometheus};

CommandResult run_given(const Given& given, ColorChoice color) {
  const auto where = where_of(given, true);
  if (!where) return fail(where.error());
  const auto form = form_of(given, kFormats);
  if (!form) return fail(form.error());
  return run({*where, form->output, form->errors, output_of(given)}, color);
}

constexpr std::string_view kExamples = R"(Examples:
  memonline status
  memonline status --root host.tar.xz --policy db.mempolicy
  memonline status --format json | jq '.blocks[] | select(.drift)'

A block drifts if the plan would change it, or if its state or zone is not what its rule requires.
"Remains" lines say what no step of the plan corrects, why, and what would help; "Competing onlining
agent" lines say what else onlines memory on this host.
After a boot with kernel parameters that memonline wrote, the zones are compared with the
prediction.
Exit status: 0 as the policy says, or no policy; 1 failure; 2 invalid usage or policy;
3 changes pending, or drift that the plan cannot correct; 4 only a reboot pending.)";

}  // namespace

Command status_command() {
  std::vector<Option> options;
  add_where(options);
  add_formats(options, kFormats);
  options.push_back(output_option(kFormats));
  options.push_back(direct_option());
  return {.name = "status",
          .summary = "Show the memory of a host and where it drifts from the policy",
          .options = with_common(std::move(options)),
          .run = &run_given,
          .examples = kExamples};
}

}  // namespace memonline::cli
