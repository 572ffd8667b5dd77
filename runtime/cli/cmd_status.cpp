// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline status: memory as it is, and where it is not as the policy wants it.
#include <fmt/format.h>

#include "compiler/diag/render.hpp"
#include "compiler/plan/drift.hpp"
#include "compiler/render/json_writer.hpp"
#include "compiler/sema/analyse.hpp"
#include "runtime/cli/boot_outcome.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/metrics.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/cli/service_client.hpp"
#include "runtime/cli/table.hpp"

namespace memonline::cli {

namespace {

using model::Host;
using render::JsonWriter;
using render::Layout;

struct Pending {
  std::size_t steps = 0;
  bool reboot = false;
};

Pending pending_of(const Compiled& compiled) {
  if (!compiled.plan) return {};
  return {compiled.plan->steps.size(), compiled.plan->boot.reboot_required};
}

std::string range_text(std::uint64_t first, std::uint64_t last) {
  return first == last ? fmt::format("memory{}", first) : fmt::format("memory{}..{}", first, last);
}

/// What only memonlined can tell; nothing, as without it, where it has no trouble.
std::string news_text(const ServiceNews& news) {
  std::string text;
  for (const ServiceNews::Failing& one : news.failing)
    text += fmt::format("Failing: {}: {}; memonlined tries again.\n",
                        range_text(one.first, one.last), one.text);
  for (const std::string& sentence : news.left_alone)
    text += fmt::format("Left alone: {}.\n", sentence);
  return text;
}

void write_news(JsonWriter& json, const ServiceNews& news) {
  json.key("service").begin_object().key("failing").begin_array();
  for (const ServiceNews::Failing& one : news.failing) {
    json.begin_object(Layout::Line).key("blocks").begin_array(Layout::Line);
    json.value(one.first).value(one.last).end_array();
    json.member("errno", static_cast<std::uint64_t>(one.error))
        .member("text", one.text)
        .end_object();
  }
  json.end_array().key("left_alone").begin_array();
  for (const std::string& sentence : news.left_alone) json.value(sentence);
  json.end_array().end_object();
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::string to_text(const Compiled& compiled, const std::vector<plan::StatusRun>& runs,
                    const BootOutcome& boot) {
  const Host& host = *compiled.host;
  std::vector<std::vector<std::string>> rows;
  std::uint64_t online = 0;
  std::uint64_t movable = 0;
  std::uint64_t drifting = 0;
  std::uint64_t all = 0;
  for (const plan::StatusRun& run : runs) {
    const model::BlockRun& b = run.blocks;
    all += b.count;
    if (run.drift) drifting += b.count;
    if (b.state == model::State::Online) {
      online += b.count;
      if (b.zones.size() > 0 && b.zones[0] == model::Zone::Movable) movable += b.count;
    }
    rows.push_back({range_text(b.first.value(), b.last().value()),
                    model::human(host.block_size * b.count),
                    std::string(model::state_name(b.state)), plan::zone_text(b).value_or("-"),
                    b.node ? fmt::format("{}{}", b.node->value(), b.several_nodes ? "+" : "") : "-",
                    host.devices.at(b.device).name, run.drift ? "drift" : ""});
  }
  std::string text = table(
      {{"BLOCKS"}, {"SIZE", true}, {"STATE"}, {"ZONE"}, {"NODE", true}, {"DEVICE"}, {"DRIFT"}},
      rows);
  const auto size = [&](std::uint64_t blocks) { return model::human(host.block_size * blocks); };
  text += fmt::format("\nKernel {} ({}), {}, blocks of {}\n", or_dash(host.kernel),
                      host.era_evidence.empty()
                          ? fmt::format("era {}", model::era_name(host.era))
                          : fmt::format("era {}: {}", model::era_name(host.era), host.era_evidence),
                      or_dash(host.arch), model::human(host.block_size));
  text += fmt::format("Online {} ({} of it Movable), offline {}\n", size(online), size(movable),
                      size(all - online));
  const Pending pending = pending_of(compiled);
  if (!compiled.plan)
    text += "No policy: nothing can drift.\n";
  else if (pending.steps > 0)
    text += fmt::format("Drift: {}; {} step{} pending, see `memonline plan`.\n", size(drifting),
                        pending.steps, pending.steps == 1 ? "" : "s");
  else if (drifting > 0)
    text += fmt::format("Drift: {} that the plan leaves alone, see `memonline explain`.\n",
                        size(drifting));
  else
    text += "Everything is as the policy says.\n";
  if (pending.reboot) text += "A reboot is pending for the kernel parameters.\n";
  text += outcome_text(boot);
  text += news_text(compiled.news);
  for (const model::Unread& unread : host.unread)
    text += fmt::format("Not read: {}: {}\n", unread.path, unread.reason);
  return text;
}

void write_knobs(JsonWriter& json, const model::Knobs& knobs) {
  json.key("knobs").begin_object();
  json.member("auto_online_blocks", knobs.auto_online_blocks);
  json.member("online_policy", knobs.online_policy);
  json.member("auto_movable_ratio", knobs.auto_movable_ratio);
  json.member("auto_movable_numa_aware", knobs.auto_movable_numa_aware);
  json.member("memmap_on_memory", knobs.memmap_on_memory);
  json.end_object();
}

void write_boot(JsonWriter& json, const BootOutcome& boot) {
  json.key("boot").begin_object().member("outcome", outcome_name(boot.is));
  json.key("parameters").begin_array(Layout::Line);
  for (const std::string& word : boot.parameters) json.value(word);
  json.end_array().key("differences").begin_array();
  for (const ZoneDifference& one : boot.differences)
    json.begin_object(Layout::Line)
        .member("node", std::uint64_t{one.node})
        .member("zone", one.zone)
        .member("predicted", one.predicted)
        .member("real", one.real)
        .end_object();
  json.end_array().end_object();
}

std::string to_json(const Compiled& compiled, const std::vector<plan::StatusRun>& runs,
                    const BootOutcome& boot) {
  const Host& host = *compiled.host;
  JsonWriter json;
  json.begin_object().member("schema", "memonline.status/1");
  json.key("host").begin_object();
  json.member("name", host.name).member("kernel", host.kernel);
  json.member("era", model::era_name(host.era)).member("era_evidence", host.era_evidence);
  json.member("arch", host.arch).member("virtualization", host.virtualization);
  json.key("memory");
  if (host.memory)
    json.value(host.memory->value());
  else
    json.null();
  json.member("block_size", host.block_size.value()).member("fingerprint", host.fingerprint);
  json.end_object();
  write_knobs(json, host.knobs);
  json.key("blocks").begin_array();
  for (const plan::StatusRun& run : runs) {
    const model::BlockRun& b = run.blocks;
    json.begin_object(Layout::Line);
    json.key("blocks").begin_array(Layout::Line);
    json.value(b.first.value()).value(b.last().value()).end_array();
    json.member("state", model::state_name(b.state)).member("zone", plan::zone_text(b));
    json.key("node");
    if (b.node)
      json.value(b.node->value());
    else
      json.null();
    json.member("device", host.devices.at(b.device).name).member("drift", run.drift);
    json.end_object();
  }
  json.end_array();
  const Pending pending = pending_of(compiled);
  json.key("pending").begin_object();
  json.member("steps", pending.steps).member("reboot", pending.reboot).end_object();
  write_boot(json, boot);
  if (!compiled.news.empty()) write_news(json, compiled.news);
  json.key("unread").begin_array();
  for (const model::Unread& unread : host.unread)
    json.begin_object(Layout::Line)
        .member("path", unread.path)
        .member("reason", unread.reason)
        .end_object();
  json.end_array().end_object();
  return std::move(json).finish();
}

}  // namespace

ExitStatus run(const StatusOptions& options, ColorChoice color) {
  Compiled compiled = load_for(options.where);
  const auto give_up = [&](ExitStatus status) {
    return report(compiled.sink, compiled.policies.shown, options.format, color, status);
  };
  if (!compiled.host) return give_up(compiled.status);
  if (compiled.policy) plan_for_host(compiled);
  if (compiled.policy && !compiled.plan) return give_up(ExitStatus::Failure);

  const auto runs = plan::status_runs(*compiled.host, compiled.plan ? &*compiled.plan : nullptr);
  const Pending pending = pending_of(compiled);
  // A host in a file has no state, and no words of ours.
  const auto state = boot::read_state(boot::Root(options.where.root));
  const BootOutcome boot = boot_outcome(*compiled.host, state.value_or(boot::State{}));
  tell(boot, compiled.sink);
  ExitStatus status = ExitStatus::Done;
  if (pending.reboot || boot.is == BootOutcome::Is::RebootRequired)
    status = ExitStatus::RebootPending;
  if (pending.steps > 0) status = ExitStatus::ChangesPending;
  if (options.format == Format::Json)
    return print_to(options.output, to_json(compiled, runs, boot), status);
  print_error(
      diag::to_text(compiled.sink.sorted(), compiled.policies.shown, {colour_errors(color)}));
  if (options.format == Format::Prometheus) {
    Metrics metrics{*compiled.host, runs,           compiled.plan.has_value(),
                    pending.steps,  pending.reboot, {}};
    if (auto service =
            options.where.by_service ? ServiceClient::find(options.where.root) : std::nullopt)
      metrics.counters = service->counters();
    // Whoever collects wants the file, and looks at its values.
    return print_to(options.output, to_prometheus(metrics));
  }
  return print_to(options.output, to_text(compiled, runs, boot), status);
}

}  // namespace memonline::cli
