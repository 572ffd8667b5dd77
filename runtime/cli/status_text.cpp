// SPDX-License-Identifier: LGPL-2.1-or-later
// The status of memory for people: a table of the blocks, and below it how they compare with the
// policy.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "compiler/plan/sources.hpp"
#include "compiler/plan/verdict.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/cli/dax_text.hpp"
#include "runtime/cli/status_report.hpp"
#include "runtime/cli/table.hpp"

namespace memonline::cli {

namespace {

using model::Host;

Tint tint_of(const model::BlockRun& run) {
  if (run.state != model::State::Online) return Tint::Faint;
  if (run.zones.kind() == model::ValidZones::Kind::None) return Tint::Several;
  if (run.zones.size() == 0) return Tint::None;
  return run.zones[0] == model::Zone::Movable ? Tint::Movable : Tint::Kernel;
}

std::vector<Cell> row_of(const plan::StatusRun& run, const Host& host) {
  const model::BlockRun& b = run.blocks;
  const Tint tint = tint_of(b);
  return {model::range_name(b.first, b.last()),
          model::human(host.block_size * b.count),
          {std::string(model::state_name(b.state)), tint},
          {plan::zone_text(b).value_or(b.state == model::State::Online ? "unknown" : "-"), tint},
          b.node ? fmt::format("{}{}", *b.node, b.several_nodes ? "+" : "") : "-",
          host.devices.at(b.device).name,
          {run.drift ? "drift" : "", Tint::Attention}};
}

struct Totals {
  std::uint64_t offline = 0, online = 0, movable = 0, drifting = 0;
  std::uint64_t no_zone = 0, no_state = 0;  ///< online in an unknown zone; in an unknown state
};

Totals totals_of(const std::vector<plan::StatusRun>& runs) {
  Totals totals;
  for (const plan::StatusRun& run : runs) {
    const model::BlockRun& b = run.blocks;
    if (run.drift) totals.drifting += b.count;
    if (b.state == model::State::Unknown) totals.no_state += b.count;
    if (b.state == model::State::Offline || b.state == model::State::GoingOffline)
      totals.offline += b.count;
    if (b.state != model::State::Online) continue;
    totals.online += b.count;
    const auto zone = plan::zone_text(b);
    if (!zone) totals.no_zone += b.count;
    if (zone && b.zones.size() > 0 && b.zones[0] == model::Zone::Movable) totals.movable += b.count;
  }
  return totals;
}

/// "96 GiB (driver unknown), 1 GiB (zone unknown)"
std::string unjudged_sizes(const StatusReport& status) {
  std::vector<std::pair<std::string, std::uint64_t>> sums;
  for (const plan::Unjudged& one : status.judged.unjudged) {
    auto at = std::find_if(sums.begin(), sums.end(),
                           [&](const auto& sum) { return sum.first == one.fact; });
    if (at == sums.end()) at = sums.insert(sums.end(), {one.fact, 0});
    at->second += one.blocks.count();
  }
  std::string text;
  for (const auto& [fact, blocks] : sums)
    text += fmt::format("{}{} ({} unknown)", text.empty() ? "" : ", ",
                        model::human(status.compiled.host->block_size * blocks), fact);
  return text;
}

/// A condition that could not be evaluated may have excluded all rules.
bool lacks_facts(const diag::Sink& sink) {
  return std::any_of(sink.all().begin(), sink.all().end(),
                     [](const diag::Diagnostic& d) { return d.code == diag::Code::FactUnknown; });
}

std::string unjudged_text(const StatusReport& status) {
  if (status.judged.unknown > 0)
    return fmt::format(
        "Nothing can be judged: this host lacks information that the policy needs: {}.\n",
        unjudged_sizes(status));
  if (lacks_facts(status.compiled.sink))
    return "Nothing can be judged: this host lacks information that the rules of the policy "
           "need.\n";
  return "Nothing to judge: no rule of the policy selects a block of this host.\n";
}

std::string drift_text(const StatusReport& status, const Totals& totals) {
  const std::string drifting = model::human(status.compiled.host->block_size * totals.drifting);
  if (totals.drifting == 0 && status.steps == 0)
    return "Drift: a limit of the policy is exceeded; the plan leaves online memory unchanged.\n";
  if (status.steps == 0)
    return fmt::format("Drift: {} that the plan leaves unchanged, see `memonline explain`.\n",
                       drifting);
  return fmt::format("Drift: {}{} step{} pending, see `memonline plan`.\n",
                     totals.drifting == 0 ? "" : drifting + "; ", status.steps,
                     status.steps == 1 ? "" : "s");
}

std::string verdict_text(const StatusReport& status) {
  const Totals totals = totals_of(status.runs);
  const std::string not_judged =
      status.judged.unknown == 0
          ? std::string()
          : fmt::format("Not judged, because this host lacks information: {}.\n",
                        unjudged_sizes(status));
  switch (status.verdict) {
    case Verdict::NoPolicy: return "No policy: nothing can drift.\n";
    case Verdict::PolicyError: return "Drift unknown: the policy has an error.\n";
    case Verdict::NoPlan: return "Drift unknown: the policy cannot be planned on this host.\n";
    case Verdict::NothingJudged: return unjudged_text(status);
    case Verdict::Drift: return drift_text(status, totals) + not_judged;
    case Verdict::RebootPending:
      return "Memory is as the policy says, apart from what needs a reboot.\n" + not_judged;
    case Verdict::PartlyJudged:
      return "Everything that can be judged is as the policy says.\n" + not_judged;
    case Verdict::AsDesired: break;
  }
  return status.compiled.plan->judgement.remaining.empty()
             ? "Everything is as the policy says.\n"
             : "Memory is as the policy says; hot-added memory will not be.\n";
}

/// A reboot has lines of its own.
std::string remaining_text(const plan::Plan& plan) {
  plan::Judgement judgement = plan.judgement;
  std::erase_if(judgement.remaining,
                [](const plan::Remaining& one) { return one.kind == plan::Remaining::Kind::Boot; });
  std::string text;
  for (const std::string& line : plan::remaining_lines(judgement))
    text += "Remains: " + line + "\n";
  return text;
}

/// Of Debian's kernels for arm64, only the flavor `cloud` sets the option; all set
/// CONFIG_VIRTIO_MEM.
std::string ignored_text(const Host& host) {
  const std::string_view cause = plan::dimms_ignored_by(host);
  if (cause.empty()) return {};
  if (cause == "acpi_no_memhotplug")
    return "Hot-added DIMMs are ignored: `acpi_no_memhotplug` is on the kernel command line; boot "
           "without it.\n";
  return fmt::format(
      "Hot-added DIMMs are ignored: the kernel lacks {}; boot one with it{}, or add memory by "
      "virtio-mem (CONFIG_VIRTIO_MEM).\n",
      cause, host.arch == "aarch64" ? " (Debian: linux-image-cloud-arm64)" : "");
}

/// Facts that only memonlined has; empty without it, or if it has nothing to report.
std::string news_text(const ServiceNews& news) {
  std::string text;
  for (const ServiceNews::Failing& one : news.failing)
    text += fmt::format("Failing: {}: {}; memonlined keeps retrying.\n",
                        model::range_name(one.blocks), one.text);
  for (const std::string& sentence : news.left_alone)
    text += fmt::format("Left unchanged: {}.\n", sentence);
  return text;
}

}  // namespace

std::string status_to_text(const StatusReport& status, bool colored) {
  const Host& host = *status.compiled.host;
  std::vector<std::vector<Cell>> rows;
  for (const plan::StatusRun& run : status.runs) rows.push_back(row_of(run, host));
  for (const model::BlockRange& one : host.standby)
    rows.push_back({model::range_name(one),
                    model::human(host.block_size * one.count()),
                    {"standby", Tint::Faint},
                    {"-", Tint::Faint},
                    "-",
                    "-",
                    ""});
  std::string text = table(
      {{"BLOCKS"}, {"SIZE", true}, {"STATE"}, {"ZONE"}, {"NODE", true}, {"DEVICE"}, {"DRIFT"}},
      rows, colored);
  const auto size = [&](std::uint64_t blocks) { return model::human(host.block_size * blocks); };
  const Totals totals = totals_of(status.runs);
  text += dax_to_text(host, colored);
  text += fmt::format("\nKernel {} ({}), {}, blocks of {}\n", or_dash(host.kernel),
                      host.era_evidence.empty()
                          ? fmt::format("era {}", model::era_name(host.era))
                          : fmt::format("era {}: {}", model::era_name(host.era), host.era_evidence),
                      or_dash(host.arch), model::human(host.block_size));
  text += fmt::format(
      "Online {} ({} of it Movable{}), offline {}{}\n", size(totals.online), size(totals.movable),
      totals.no_zone > 0 ? ", zone of " + size(totals.no_zone) + " unknown" : "",
      size(totals.offline),
      totals.no_state > 0 ? ", state of " + size(totals.no_state) + " unknown" : "");
  text += ignored_text(host);
  if (status.compiled.plan) text += remaining_text(*status.compiled.plan);
  text += render::agents_to_text(status.agents);
  text += verdict_text(status);
  if (status.reboot) text += "A reboot is pending for the kernel parameters.\n";
  text += outcome_text(status.boot);
  text += news_text(status.compiled.news);
  for (const model::Unread& unread : host.unread)
    text += fmt::format("Not read: {}: {}\n", unread.path, unread.reason);
  return text;
}

}  // namespace memonline::cli
