// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline plan: what would be done here, in order and proved.
#include <filesystem>
#include <string_view>

#include "compiler/diag/render.hpp"
#include "compiler/render/map.hpp"
#include "compiler/render/plan.hpp"
#include "compiler/sema/analyse.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/fleet.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/output.hpp"

namespace memonline::cli {

namespace {

Format format_of(const PlanOptions& options) {
  if (options.format) return *options.format;
  if (ends_with(options.output, ".json")) return Format::Json;
  if (ends_with(options.output, ".yaml") || ends_with(options.output, ".yml")) return Format::Yaml;
  if (ends_with(options.output, ".svg")) return Format::Svg;
  return ends_with(options.output, ".sh") ? Format::Shell : Format::Text;
}

std::string rendered(const plan::Plan& plan, const model::Host& host, Format format,
                     const forecast::Forecast* forecast) {
  switch (format) {
    case Format::Text:
    case Format::Html:
    case Format::Prometheus: break;
    case Format::Json: return render::plan_to_json(plan, forecast);
    case Format::Yaml: return render::plan_to_yaml(plan, forecast);
    case Format::Shell: return render::plan_to_shell(plan);
    case Format::Svg: {
      const model::Host after = render::carried_out(plan, host);
      return render::map_to_svg(host, &after);
    }
  }
  return forecast != nullptr ? render::forecast_to_text(*forecast, host)
                             : render::plan_to_text(plan, host);
}

// Taking memory out needs no policy: what goes offline for it is the request's alone.
Compiled compiled_for(const PlanOptions& options) {
  if (!options.unplug) return compile_for(options.where);
  Compiled compiled = load_for(options.where);
  if (compiled.host)
    compiled.plan = plan::plan_unplug(*options.unplug, *compiled.host, compiled.sink);
  return compiled;
}

ExitStatus run_fleet(const PlanOptions& options, Format format, ColorChoice color) {
  const Policies policies = load_policies(options.where);
  diag::Sink sink;
  sink.append(policies.problems);
  if (policies.none()) add_no_policy(policies, options.where, sink);
  const auto policy = sema::analyse(policies.files, sink);
  if (sink.has_errors() || !policy)
    return report(sink, policies.shown, format, color, ExitStatus::Usage);
  print_error(diag::to_text(sink.sorted(), policies.shown, {colour_errors(color)}));
  if (!std::filesystem::is_directory(options.hosts))
    return complain(ExitStatus::Failure, "`" + options.hosts + "` is no directory of hosts",
                    "`memonline capture -o NAME.yaml` on each makes one");
  const std::vector<FleetRow> rows = plan_fleet(options.hosts, *policy, policies.files);
  ExitStatus status = ExitStatus::Done;
  for (const FleetRow& row : rows) {
    if (options.exit_code && row.reboot_required && status == ExitStatus::Done)
      status = ExitStatus::RebootPending;
    if (options.exit_code && row.steps > 0) status = ExitStatus::ChangesPending;
  }
  for (const FleetRow& row : rows)
    if (!row.problem.empty()) status = ExitStatus::Failure;
  return print_to(options.output,
                  format == Format::Json
                      ? fleet_to_json(rows)
                      : fleet_to_text(rows, colour_output(color, options.output)),
                  status);
}

}  // namespace

ExitStatus run(const PlanOptions& options, ColorChoice color) {
  const Format format = format_of(options);
  if (!options.hosts.empty()) return run_fleet(options, format, color);
  Compiled compiled = compiled_for(options);
  if (!compiled.plan)
    return report(compiled.sink, compiled.policies.shown, format, color, compiled.status);
  std::optional<forecast::Forecast> forecast;
  if (options.add) {
    forecast = forecast::make_forecast(*compiled.policy, compiled.policies.files, *compiled.host,
                                       *options.add, compiled.sink);
    if (!forecast)
      return report(compiled.sink, compiled.policies.shown, format, color, ExitStatus::Failure);
    plan::place_diagnostics(*compiled.plan, compiled.sink, compiled.policies.files);
  }
  ExitStatus status = ExitStatus::Done;
  if (options.exit_code && compiled.plan->boot.reboot_required) status = ExitStatus::RebootPending;
  if (options.exit_code && !compiled.plan->steps.empty()) status = ExitStatus::ChangesPending;
  // JSON and YAML plans hold their diagnostics; people see them with the source line besides.
  if ((format != Format::Json && format != Format::Yaml) || !options.output.empty())
    print_error(
        diag::to_text(compiled.sink.sorted(), compiled.policies.shown, {colour_errors(color)}));
  if (forecast && !forecast->fits()) status = ExitStatus::Failure;
  return print_to(options.output,
                  rendered(*compiled.plan, *compiled.host, format, forecast ? &*forecast : nullptr),
                  status);
}

}  // namespace memonline::cli
