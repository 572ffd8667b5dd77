// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/allocate.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/kernel/memory_state.hpp"
#include "compiler/language/targets.hpp"
#include "compiler/plan/hotplug.hpp"
#include "compiler/plan/setting_users.hpp"
#include "compiler/plan/shared_group.hpp"

namespace memonline::plan {

using model::BlockRun;
using sema::Target;

std::uint64_t percent_of(std::uint64_t n, std::uint64_t part, bool up) {
  constexpr std::uint64_t kWhole = 100'000'000;  // 100 percent in millionths of one percent
  // n * part / whole without overflow for any n a host can have.
  const std::uint64_t low = (n % kWhole) * part;
  const std::uint64_t whole = n / kWhole * part + low / kWhole;
  const std::uint64_t over = low % kWhole;
  // A percentage has six decimals, so a third is written as 33.333333%, which is less than a third
  // by up to a millionth. That error, n times, must not cost a block.
  const std::uint64_t error = std::min(n, kWhole / 2);
  if (up) return whole + (over >= error && over > 0 ? 1 : 0);
  return whole + (over > kWhole - error ? 1 : 0);
}

std::uint64_t blocks_of(const sema::Amount& amount, Target target, std::uint64_t group,
                        model::Bytes block_size) {
  const bool up = target == Target::Normal;
  return std::visit(overloaded{
                        [&](const sema::Percent& p) { return percent_of(group, p.millionths, up); },
                        [&](const model::Bytes& bytes) {
                          return up ? divided_up(bytes, block_size) : bytes / block_size;
                        },
                        [](const sema::Blocks& blocks) { return blocks.count; },
                    },
                    amount);
}

bool asks_for_zones(const sema::Rule& rule) {
  return std::any_of(rule.shares.begin(), rule.shares.end(), [](const sema::Share& share) {
    return share.target == Target::Movable || share.target == Target::Normal;
  });
}

namespace {

// Memory that was added while the service holds auto_online_blocks, and that should be as it would
// be without memonline.
Decision as_without_memonline(const BlockRun& run, const model::Host& host) {
  Decision decision;
  decision.blocks = run;
  decision.target = without_memonline(host);
  decision.fresh = true;
  decision.reason = "auto_online_blocks applies, as without memonline";
  const bool online = run.state == model::State::Online;
  if (online && !kernel::zone_of(host, run)) return decision;
  switch (decision.target) {
    case Target::Movable:
    case Target::Normal:
      decision.change = !online || (kernel::zone_of(host, run) == model::Zone::Movable) !=
                                       (decision.target == Target::Movable);
      break;
    case Target::Auto:
      decision.change = !online || kernel::zone_of(host, run) == model::Zone::Movable;
      break;
    case Target::Offline: decision.change = online; break;
    case Target::Keep: break;
  }
  return decision;
}

}  // namespace

bool is_correctable(const BlockRun& run, const model::Host& host) {
  const bool settled = run.state == model::State::Offline || run.state == model::State::Online;
  return settled && host.is_fresh(run.first) &&
         host.devices.at(run.device).kind != model::Device::Kind::Driver;
}

Allocation allocate(const Selection& selection, const sema::FlatPolicy& policy,
                    const model::Host& host, Work& work) {
  Allocation allocation;
  for (const Group& group : selection.groups) {
    if (!work.spend(cost_of_sharing(group))) return allocation;
    const std::size_t before = allocation.decisions.size();
    describe(share_out(group, policy, host), policy, host, allocation);
    if (host.fresh.empty()) continue;
    for (std::size_t i = before; i < allocation.decisions.size(); ++i) {
      Decision& decision = allocation.decisions[i];
      decision.fresh = is_correctable(decision.blocks, host);
      if (!decision.fresh || language::writes(decision.target)) continue;
      const auto span = decision.span;
      decision = as_without_memonline(decision.blocks, host);
      decision.span = span;
    }
  }
  for (const Undecided& one : selection.undecided) {
    Decision decision;
    decision.blocks = one.blocks;
    decision.span = one.rule->span;
    decision.reason = fmt::format("the {} is unknown, and the rule depends on it", one.fact);
    decision.unknown = one.fact;
    allocation.decisions.push_back(decision);
  }
  for (const BlockRun& run : selection.unselected) {
    Decision decision;
    decision.blocks = run;
    decision.reason = "no rule selects it";
    if (is_correctable(run, host)) decision = as_without_memonline(run, host);
    allocation.decisions.push_back(decision);
  }
  std::sort(allocation.decisions.begin(), allocation.decisions.end(),
            [](const Decision& a, const Decision& b) { return a.blocks.first < b.blocks.first; });
  return allocation;
}

}  // namespace memonline::plan
