// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline plan: what would be done here, ordered and verified.
#include <filesystem>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "compiler/diag/first_few.hpp"
#include "compiler/diag/render.hpp"
#include "compiler/forecast/forecast.hpp"
#include "compiler/plan/unplug.hpp"
#include "compiler/render/map.hpp"
#include "compiler/render/plan.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/text/printable.hpp"
#include "runtime/cli/command_options.hpp"
#include "runtime/cli/fleet.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/output.hpp"

namespace memonline::cli {

namespace {

struct PlanOptions {
  Where where;
  Format format = Format::Text;
  Format errors = Format::Text;
  bool exit_code = false;
  std::string output;  ///< empty: standard output
  std::optional<plan::UnplugRequest> unplug;
  std::optional<forecast::AddRequest> add;
  std::string hosts;  ///< a directory of captured hosts; empty: the host of `where`
};

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

// An unplug request needs no policy: it alone says what to offline.
Compiled compiled_for(const PlanOptions& options) {
  const CompileRequest request{options.unplug, options.add};
  if (!options.unplug) return compile_for(options.where, Service::AsItIs, request);
  Compiled compiled = load_for(options.where);
  if (!compiled.host) return compiled;
  read_contents_of(options.where, plan::blocks_to_judge(*options.unplug, *compiled.host),
                   runtime::Processes::Pinning, *compiled.host);
  plan_for_host(compiled, request);
  return compiled;
}

ExitStatus run_fleet(const PlanOptions& options, ColorChoice color) {
  const Policies policies = load_policies(options.where);
  diag::Sink sink;
  sink.append(policies.problems);
  if (policies.none()) add_no_policy(policies, options.where, sink);
  const auto policy = sema::analyse(policies.files, sink);
  if (sink.has_errors() || !policy)
    return report(sink, policies.shown, options.errors, color, ExitStatus::Usage);
  print_error(diag::to_text(sink.sorted(), policies.shown, {color_errors(color)}));
  if (!std::filesystem::is_directory(options.hosts))
    return complain_as(options.errors, ExitStatus::Failure,
                       fmt::format("`{}` is not a directory of hosts", options.hosts),
                       "run `memonline capture -o NAME.yaml` on each host, and collect the files");
  const std::vector<FleetRow> rows = plan_fleet(options.hosts, *policy, policies.files);
  ExitStatus status = ExitStatus::Done;
  for (const FleetRow& row : rows) {
    const bool changes = row.pending == ExitStatus::ChangesPending;
    if (options.exit_code && (status == ExitStatus::Done || changes)) status = row.pending;
  }
  for (const FleetRow& row : rows)
    if (!row.problem.empty()) status = ExitStatus::Failure;
  return print_to(options.output,
                  options.format == Format::Json
                      ? fleet_to_json(rows)
                      : fleet_to_text(rows, color_output(color, options.output)),
                  status);
}

ExitStatus run(const PlanOptions& options, ColorChoice color) {
  const Format format = options.format;
  if (!options.hosts.empty()) return run_fleet(options, color);
  Compiled compiled = compiled_for(options);
  if (!compiled.plan)
    return report(compiled.sink, compiled.policies.shown, options.errors, color, compiled.status);
  const auto& forecast = compiled.forecast;
  if (options.add && !forecast)
    return report(compiled.sink, compiled.policies.shown, options.errors, color,
                  ExitStatus::Failure);
  warn_of_agents(compiled);
  ExitStatus status = options.exit_code ? pending_status(*compiled.plan) : ExitStatus::Done;
  // JSON and YAML plans hold their diagnostics; people see them with the source line besides.
  if ((format != Format::Json && format != Format::Yaml) || !options.output.empty())
    print_error(
        diag::to_text(compiled.sink.sorted(), compiled.policies.shown, {color_errors(color)}));
  if (forecast && !forecast->fits()) status = ExitStatus::Failure;
  return print_to(options.output,
                  rendered(*compiled.plan, *compiled.host, format, forecast ? &*forecast : nullptr),
                  status);
}

constexpr auto kFormats = {Format::Text, Format::Json, Format::Yaml, Format::Shell, Format::Svg};

UsageError exclusive(const Given& given, std::string_view a, std::string_view b) {
  return {fmt::format("`{}` and `{}` cannot be combined", given.spelling(a), given.spelling(b))};
}

UsageError refused(std::string_view option, std::string_view why) {
  return {fmt::format("`{}`: {}", option, printable(why))};
}

// "; available: dimm0, dimm1"
std::string devices_there(const Where& where) {
  diag::Sink quiet;
  const auto host = load_host(where, quiet);
  const auto names = host ? plan::removable_devices(*host) : std::vector<std::string>{};
  return names.empty() ? "" : fmt::format("; available: {}", diag::first_few(names));
}

/// `plan` never changes anything: with --dry-run, `apply` was probably meant.
std::string_view meant(std::string_view unknown_option) {
  const bool dry = unknown_option == "-n" || unknown_option.starts_with("--dry");
  return dry ? "memonline apply -n" : "";
}

CommandResult run_given(const Given& given, ColorChoice color) {
  const auto where = where_of(given, true);
  if (!where) return fail(where.error());
  const auto form = form_of(given, kFormats);
  if (!form) return fail(form.error());
  PlanOptions options{*where,           form->output, form->errors, given.has("exit-code"),
                      output_of(given), {},           {},           given.value("hosts")};
  const bool data = form->output == Format::Text || form->output == Format::Json;
  for (const char* name : {"root", "add", "unplug"})
    if (given.has("hosts") && given.has(name)) return fail(exclusive(given, "hosts", name));
  if (given.has("hosts") && !data)
    return fail(refused("--hosts", "expected text or json for a summary of hosts"));
  if (given.has("add") && given.has("unplug")) return fail(exclusive(given, "add", "unplug"));
  if (given.has("release") && !given.has("unplug"))
    return fail(UsageError{"`--release` needs `--unplug`"});
  if (given.has("reclaim") && !given.has("unplug"))
    return fail(UsageError{"`--reclaim` needs `--unplug`"});
  if (given.has("unplug")) {
    auto request = plan::parse_unplug(given.value("unplug"));
    if (!request) return fail(refused("--unplug", request.error() + devices_there(*where)));
    options.unplug = *request;
    options.unplug->release = given.has("release");
    options.unplug->reclaim = given.has("reclaim");
  }
  if (given.has("add")) {
    auto request = forecast::parse_add(given.value("add"));
    if (!request) return fail(refused("--add", request.error()));
    if (!data && form->output != Format::Yaml)
      return fail(refused("--add", "expected text, json or yaml for a forecast"));
    options.add = *request;
  }
  return run(options, color);
}

constexpr std::string_view kExamples = R"(Examples:
  memonline plan
  memonline plan -e 'node1: last 80% movable, rest normal'
  memonline plan --policy db.mempolicy --root host.tar.xz     plan for another host
  memonline plan -o plan.json                                 save the plan for an audit
  memonline plan --format shell                               a script that needs only sh
  memonline plan --add 64GiB@node1,dimm=8GiB                  does it fit, and in which zones?
  memonline plan --unplug dimm1 -o plan.json                  blocks that `apply plan.json` offlines
  memonline plan --exit-code >/dev/null; test $? -eq 3        test for pending changes
  memonline plan --hosts captured/                            one line per host of a fleet

Exit status: 0; 1 no plan is possible on this host; 2 invalid usage or policy;
with --exit-code, as `status`: 3 changes pending, or drift that the plan cannot correct; 4 only a
reboot pending.)";

}  // namespace

Command plan_command() {
  std::vector<Option> options;
  add_where(options);
  add_formats(options, kFormats);
  options.push_back(output_option(kFormats));
  options.push_back(
      {.names = {"exit-code"},
       .help = "Exit with status 3 if changes or drift remain, 4 if only a reboot is pending"});
  options.push_back({.names = {"add"},
                     .value = "MEMORY",
                     .help = "Predict the result of adding memory: SIZE[@nodeN][,dimm=SIZE]"});
  options.push_back({.names = {"unplug"},
                     .value = "WHAT",
                     .help =
                         "Plan what to offline before an unplug: SIZE [of SELECTOR], or a SELECTOR "
                         "such as dimm1, dax0.0 or node1",
                     .offers = options::Offers::Removable});
  options.push_back({.names = {"release"},
                     .help =
                         "With --unplug: then also eject DIMMs, unbind dax devices from kmem, and "
                         "deconfigure standby memory"});
  options.push_back({.names = {"reclaim"},
                     .help =
                         "With --unplug: before offlining blocks of kernel zones, drop clean page "
                         "cache, reclaim slab and compact memory on the whole machine"});
  options.push_back({.names = {"hosts"},
                     .value = "DIR",
                     .help = "Summarize every captured host in DIR instead of planning for one",
                     .offers = options::Offers::Files});
  options.push_back(direct_option());
  return {.name = "plan",
          .summary = "Print what would be done, ordered and verified",
          .options = with_common(std::move(options)),
          .run = &run_given,
          .examples = kExamples,
          .meant = &meant};
}

}  // namespace memonline::cli
