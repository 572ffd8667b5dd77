// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/drift.hpp"

#include <algorithm>
#include <variant>

#include "compiler/language/targets.hpp"

namespace memonline::plan {

using model::BlockId;
using model::BlockRun;
using model::State;

namespace {

struct Interval {
  BlockId first;
  BlockId end;
};

/// Runs that overlap `blocks`, cut to it.
template <class Visit>
void each_run_in(const model::Host& host, const model::BlockRange& blocks, Visit visit) {
  auto at = std::partition_point(host.blocks.begin(), host.blocks.end(),
                                 [&](const BlockRun& run) { return run.end() <= blocks.first; });
  for (; at != host.blocks.end() && at->first <= blocks.last; ++at)
    visit(*at, Interval{std::max(at->first, blocks.first), std::min(at->end(), blocks.last + 1)});
}

std::vector<Interval> drifting(const model::Host& host, const plan::Plan& plan) {
  std::vector<Interval> drift;
  for (const plan::Step& step : plan.steps)
    if (const model::WriteRun* blocks = blocks_of(step))
      drift.push_back({blocks->low(), blocks->high() + 1});
  for (const plan::Skipped& skipped : plan.skipped) {
    if (skipped.rule.path.empty()) continue;
    each_run_in(host, skipped.blocks, [&](const BlockRun& run, Interval part) {
      if (differs(run, skipped.wanted)) drift.push_back(part);
    });
  }
  std::sort(drift.begin(), drift.end(),
            [](const Interval& a, const Interval& b) { return a.first < b.first; });
  return drift;
}

}  // namespace

bool differs(const BlockRun& run, const std::string& wanted) {
  using language::Target;
  const auto target = value_in(language::kTargets, wanted);
  if (!target) return false;
  const bool online = run.state == State::Online;
  switch (*target) {
    case Target::Offline: return online;
    case Target::Auto: return run.state == State::Offline;
    case Target::Keep: return false;
    case Target::Movable:
    case Target::Normal: break;
  }
  const bool movable = *target == Target::Movable;
  if (run.state == State::Offline) return true;
  // A block that spans zones counts as normal.
  if (online && run.zones.kind() == model::ValidZones::Kind::None) return movable;
  if (!online || run.zones.size() == 0) return false;
  return (run.zones[0] == model::Zone::Movable) != movable;
}

void visit_runs(const model::Host& host, const model::BlockRange& blocks, const VisitRun& visit) {
  each_run_in(host, blocks,
              [&](const BlockRun& run, Interval part) { visit(run, part.first, part.end); });
}

std::vector<StatusRun> status_runs(const model::Host& host, const plan::Plan* plan) {
  const auto drift = plan == nullptr ? std::vector<Interval>{} : drifting(host, *plan);
  std::vector<StatusRun> runs;
  const auto add = [&](const BlockRun& run, BlockId first, BlockId end, bool drifts) {
    if (end <= first) return;
    BlockRun part = run;
    part.first = first;
    part.count = end - first;
    if (!runs.empty() && runs.back().drift == drifts && runs.back().blocks.end() == first &&
        runs.back().blocks.same_kind(part))
      runs.back().blocks.count += part.count;
    else
      runs.push_back({part, drifts});
  };
  auto next = drift.begin();
  for (const BlockRun& run : host.blocks) {
    BlockId at = run.first;
    while (next != drift.end() && next->end <= at) ++next;
    for (auto cut = next; cut != drift.end() && cut->first < run.end(); ++cut) {
      add(run, at, std::max(at, cut->first), false);
      at = std::max(at, cut->first);
      const BlockId end = std::min(cut->end, run.end());
      add(run, at, end, true);
      at = std::max(at, end);
    }
    add(run, at, run.end(), false);
  }
  return runs;
}

Judged judged_blocks(const plan::Plan& plan) {
  Judged judged;
  for (const plan::Step& step : plan.steps)
    if (const model::WriteRun* blocks = blocks_of(step)) judged.selected += blocks->count();
  for (const plan::Skipped& skipped : plan.skipped) {
    if (skipped.rule.path.empty()) continue;
    const std::uint64_t count = skipped.blocks.count();
    judged.selected += count;
    if (skipped.unknown.empty()) continue;
    judged.unknown += count;
    judged.unjudged.push_back({skipped.blocks, skipped.unknown});
  }
  return judged;
}

std::optional<std::string> zone_text(const BlockRun& run) {
  if (run.state == State::Offline || run.state == State::Unknown) return std::nullopt;
  if (run.zones.kind() == model::ValidZones::Kind::None) return "none";
  if (run.zones.size() == 0) return std::nullopt;
  return std::string(model::zone_name(run.zones[0]));
}

const model::WriteRun* blocks_of(const plan::Step& step) {
  if (const auto* online = std::get_if<plan::OnlineBlocks>(&step.action)) return &online->blocks;
  if (const auto* offline = std::get_if<plan::OfflineBlocks>(&step.action)) return &offline->blocks;
  if (const auto* config = std::get_if<plan::ConfigureBlocks>(&step.action)) return &config->blocks;
  return nullptr;
}

}  // namespace memonline::plan
