// SPDX-License-Identifier: LGPL-2.1-or-later
// The status of memory for people: a table of the blocks, and below it what the policy makes of
// them.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/plan/verdict.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/cli/status_report.hpp"
#include "runtime/cli/table.hpp"

namespace memonline::cli {

namespace {

using model::Host;

std::string range_text(std::uint64_t first, std::uint64_t last) {
  return first == last ? fmt::format("memory{}", first) : fmt::format("memory{}..{}", first, last);
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

Tint tint_of(const model::BlockRun& run) {
  if (run.state != model::State::Online) return Tint::Faint;
  if (run.zones.kind() == model::ValidZones::Kind::None) return Tint::Several;
  if (run.zones.size() == 0) return Tint::None;
  return run.zones[0] == model::Zone::Movable ? Tint::Movable : Tint::Kernel;
}

std::vector<Cell> row_of(const plan::StatusRun& run, const Host& host) {
  const model::BlockRun& b = run.blocks;
  const Tint tint = tint_of(b);
  return {range_text(b.first.value(), b.last().value()),
          model::human(host.block_size * b.count),
          {std::string(model::state_name(b.state)), tint},
          {plan::zone_text(b).value_or("-"), tint},
          b.node ? fmt::format("{}{}", b.node->value(), b.several_nodes ? "+" : "") : "-",
          host.devices.at(b.device).name,
          {run.drift ? "drift" : "", Tint::Attention}};
}

struct Totals {
  std::uint64_t all = 0, online = 0, movable = 0, drifting = 0;
};

Totals totals_of(const std::vector<plan::StatusRun>& runs) {
  Totals totals;
  for (const plan::StatusRun& run : runs) {
    const model::BlockRun& b = run.blocks;
    totals.all += b.count;
    if (run.drift) totals.drifting += b.count;
    if (b.state != model::State::Online) continue;
    totals.online += b.count;
    if (b.zones.size() > 0 && b.zones[0] == model::Zone::Movable) totals.movable += b.count;
  }
  return totals;
}

/// Rules that ask what the host does not report select nothing.
bool lacks_facts(const diag::Sink& sink) {
  return std::any_of(sink.all().begin(), sink.all().end(), [](const diag::Diagnostic& d) {
    return d.code == diag::Code::HostDoesNotTell || d.code == diag::Code::FactUnknown;
  });
}

std::string unjudged_text(const StatusReport& status) {
  if (status.judged.selected == 0 && lacks_facts(status.compiled.sink))
    return "Nothing can be judged: this host lacks information that the rules of the policy "
           "need.\n";
  if (status.judged.selected == 0)
    return "Nothing to judge: no rule of the policy selects a block of this host.\n";
  return "Nothing can be judged: this host does not report the zones of its blocks.\n";
}

std::string verdict_text(const StatusReport& status, const Totals& totals) {
  const Host& host = *status.compiled.host;
  const auto size = [&](std::uint64_t blocks) { return model::human(host.block_size * blocks); };
  switch (status.verdict) {
    case Verdict::NoPolicy: return "No policy: nothing can drift.\n";
    case Verdict::PolicyError: return "Drift unknown: the policy has an error.\n";
    case Verdict::NoPlan: return "Drift unknown: the policy cannot be planned on this host.\n";
    case Verdict::NothingJudged: return unjudged_text(status);
    case Verdict::Drift:
      if (totals.drifting == 0 && status.steps == 0)
        return "Drift: a limit of the policy is exceeded; the plan leaves online memory "
               "unchanged.\n";
      if (status.steps == 0)
        return fmt::format("Drift: {} that the plan leaves alone, see `memonline explain`.\n",
                           size(totals.drifting));
      return fmt::format("Drift: {}; {} step{} pending, see `memonline plan`.\n",
                         size(totals.drifting), status.steps, status.steps == 1 ? "" : "s");
    case Verdict::RebootPending:
      return "Memory is as the policy says; a reboot is needed for the kernel parameters.\n";
    case Verdict::AsDesired: break;
  }
  const auto& remaining = status.compiled.plan->judgement.remaining;
  if (remaining.empty()) return "Everything is as the policy says.\n";
  if (status.judged.unknown == 0) {
    const bool unjudged = std::any_of(remaining.begin(), remaining.end(), [](const auto& one) {
      return one.kind == plan::Remaining::Kind::Unknown;
    });
    return unjudged ? "What can be judged is as the policy says.\n"
                    : "Memory is as the policy says; hot-added memory will not be.\n";
  }
  return fmt::format(
      "What can be judged is as the policy says; this host does not report the zone of {}.\n",
      size(status.judged.unknown));
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

/// What only memonlined knows; empty, as without it, while it has nothing to report.
std::string news_text(const ServiceNews& news) {
  std::string text;
  for (const ServiceNews::Failing& one : news.failing)
    text += fmt::format("Failing: {}: {}; memonlined keeps retrying.\n",
                        range_text(one.first, one.last), one.text);
  for (const std::string& sentence : news.left_alone)
    text += fmt::format("Left alone: {}.\n", sentence);
  return text;
}

}  // namespace

std::string status_to_text(const StatusReport& status, bool colored) {
  const Host& host = *status.compiled.host;
  std::vector<std::vector<Cell>> rows;
  for (const plan::StatusRun& run : status.runs) rows.push_back(row_of(run, host));
  std::string text = table(
      {{"BLOCKS"}, {"SIZE", true}, {"STATE"}, {"ZONE"}, {"NODE", true}, {"DEVICE"}, {"DRIFT"}},
      rows, colored);
  const auto size = [&](std::uint64_t blocks) { return model::human(host.block_size * blocks); };
  const Totals totals = totals_of(status.runs);
  text += fmt::format("\nKernel {} ({}), {}, blocks of {}\n", or_dash(host.kernel),
                      host.era_evidence.empty()
                          ? fmt::format("era {}", model::era_name(host.era))
                          : fmt::format("era {}: {}", model::era_name(host.era), host.era_evidence),
                      or_dash(host.arch), model::human(host.block_size));
  text += fmt::format("Online {} ({} of it Movable), offline {}\n", size(totals.online),
                      size(totals.movable), size(totals.all - totals.online));
  if (status.compiled.plan) text += remaining_text(*status.compiled.plan);
  text += render::agents_to_text(status.agents);
  text += verdict_text(status, totals);
  if (status.reboot) text += "A reboot is pending for the kernel parameters.\n";
  text += outcome_text(status.boot);
  text += news_text(status.compiled.news);
  for (const model::Unread& unread : host.unread)
    text += fmt::format("Not read: {}: {}\n", unread.path, unread.reason);
  return text;
}

}  // namespace memonline::cli
