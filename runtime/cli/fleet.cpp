// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/fleet.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/plan/verdict.hpp"
#include "compiler/text/json_writer.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/table.hpp"
#include "runtime/host/read_host.hpp"

namespace memonline::cli {

namespace {

namespace fs = std::filesystem;
using text::JsonWriter;
using text::Layout;

std::vector<std::string> hosts_in(const std::string& directory) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    std::string name = entry.path().filename().string();
    if (name.starts_with(".") || name.starts_with("README") || name == "META.json") continue;
    names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

void note_diagnostics(const diag::Sink& sink, FleetRow& row) {
  for (const diag::Diagnostic& d : sink.sorted()) {
    std::string code(diag::name_of(d.code));
    if (d.severity == diag::Severity::Error && row.problem.empty())
      row.problem = fmt::format("{}: {}", code, d.message);
    const bool known =
        std::find(row.warnings.begin(), row.warnings.end(), code) != row.warnings.end();
    if (d.severity == diag::Severity::Warning && !known) row.warnings.push_back(std::move(code));
  }
}

void plan_host(const std::string& path, const sema::Policy& policy, const source::SourceSet& files,
               FleetRow& row) {
  const auto host = runtime::read_host(path);
  if (!host) {
    row.problem =
        fmt::format("{}: {}", diag::name_of(diag::Code::HostUnreadable), host.error().message);
    return;
  }
  row.kernel = host->kernel;
  const auto planned = compile(policy, files, *host);
  note_diagnostics(planned.diagnostics, row);
  if (!planned.plan) return;
  row.steps = planned.plan->steps.size();
  row.reboot_required = planned.plan->boot.reboot_required;
  row.verdict = plan::verdict_name(planned.plan->judgement.verdict);
  row.pending = pending_status(*planned.plan);
  for (const plan::NodeOutcome& node : planned.plan->outcome) {
    row.normal += node.normal;
    row.movable += node.movable;
    row.offline += node.offline;
  }
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::size_t count_if(const std::vector<FleetRow>& rows, bool (*holds)(const FleetRow&)) {
  return static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), holds));
}

}  // namespace

std::vector<FleetRow> plan_fleet(const std::string& directory, const sema::Policy& policy,
                                 const source::SourceSet& files) {
  std::vector<FleetRow> rows;
  for (std::string& name : hosts_in(directory)) {
    rows.emplace_back();
    rows.back().host = std::move(name);
  }
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < rows.size(); i = next++) {
      try {
        plan_host((fs::path(directory) / rows[i].host).string(), policy, files, rows[i]);
      } catch (const std::exception& error) {
        rows[i].problem = error.what();
      }
    }
  };
  const std::size_t threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1,
                                                      std::max<std::size_t>(1, rows.size()));
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  for (std::thread& one : others) one.join();
  return rows;
}

std::string fleet_to_text(const std::vector<FleetRow>& rows, bool colored) {
  std::vector<std::vector<Cell>> lines;
  for (const FleetRow& row : rows) {
    const auto size = [&](model::Bytes bytes) {
      return row.problem.empty() ? model::human(bytes) : std::string("-");
    };
    lines.push_back({row.host, or_dash(row.kernel),
                     row.problem.empty() ? std::to_string(row.steps) : "-", size(row.normal),
                     size(row.movable), size(row.offline),
                     row.problem.empty() ? (row.reboot_required ? "yes" : "no") : "-",
                     row.problem.empty() ? Cell(joined(row.warnings), Tint::Attention)
                                         : Cell(row.problem, Tint::Problem)});
  }
  std::string text = table({{"HOST"},
                            {"KERNEL"},
                            {"STEPS", true},
                            {"NORMAL", true},
                            {"MOVABLE", true},
                            {"OFFLINE", true},
                            {"REBOOT"},
                            {"DIAGNOSTICS"}},
                           lines, colored);
  return text + fmt::format(
                    "\n{} host{}: {} as the policy says, {} with steps, {} that need a reboot, {} "
                    "without a plan\n",
                    rows.size(), rows.size() == 1 ? "" : "s",
                    count_if(rows,
                             [](const FleetRow& row) {
                               return row.problem.empty() && row.pending == ExitStatus::Done;
                             }),
                    count_if(rows, [](const FleetRow& row) { return row.steps > 0; }),
                    count_if(rows, [](const FleetRow& row) { return row.reboot_required; }),
                    count_if(rows, [](const FleetRow& row) { return !row.problem.empty(); }));
}

std::string fleet_to_json(const std::vector<FleetRow>& rows) {
  JsonWriter json;
  json.begin_object().member("schema", "memonline.fleet/1");
  json.key("hosts").begin_array();
  for (const FleetRow& row : rows) {
    json.begin_object(Layout::Line).member("host", row.host).member("kernel", row.kernel);
    json.member("steps", row.steps).member("reboot_required", row.reboot_required);
    json.member("verdict", row.verdict.empty() ? std::nullopt : std::optional(row.verdict));
    json.key("bytes").begin_object(Layout::Line);
    json.member("Normal", row.normal).member("Movable", row.movable).member("offline", row.offline);
    json.end_object().key("warnings").begin_array(Layout::Line);
    for (const std::string& code : row.warnings) json.value(code);
    json.end_array().key("problem");
    if (row.problem.empty())
      json.null();
    else
      json.value(row.problem);
    json.end_object();
  }
  json.end_array().end_object();
  return std::move(json).finish();
}

}  // namespace memonline::cli
