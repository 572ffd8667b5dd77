// SPDX-License-Identifier: LGPL-2.1-or-later
// The steps of a plan in a file: their blocks are those of its host, or an earlier step adds them.
#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "compiler/model/block_set.hpp"
#include "runtime/apply/plan_reader.hpp"

namespace memonline::apply {

using model::Facts;

namespace {

// The blocks of the facts, and those that an earlier step adds, as runs that do not touch.
class Known {
 public:
  Known() = default;
  explicit Known(const Facts& facts) {
    for (const model::BlockFact& fact : facts.blocks) add(fact.blocks);
  }

  void add(model::BlockRange blocks) {
    auto& [first, last] = blocks;
    auto next = runs_.upper_bound(first);
    if (next != runs_.begin()) {
      const auto before = std::prev(next);
      if (before->second >= last) return;
      if (before->second + 1 >= first) {
        first = before->first;
        next = before;
      }
    }
    while (next != runs_.end() && next->first <= last + 1) {
      last = std::max(last, next->second);
      next = runs_.erase(next);
    }
    runs_.emplace_hint(next, first, last);
  }

  // The lowest block of a run that is neither there nor added.
  [[nodiscard]] std::optional<model::BlockId> first_unknown(const model::WriteRun& run) const {
    const model::BlockId first = run.low();
    const auto next = runs_.upper_bound(first);
    if (next == runs_.begin() || std::prev(next)->second < first) return first;
    const model::BlockId last = std::prev(next)->second;
    return last < run.high() ? std::optional(last + 1) : std::nullopt;
  }

 private:
  std::map<model::BlockId, model::BlockId> runs_;  ///< last by first
};

using ByDevice = std::map<std::string, model::BlockSet>;
ByDevice sets_of(const std::map<std::string, std::vector<model::BlockRange>>& ranges) {
  ByDevice sets;
  for (const auto& [device, blocks] : ranges) sets[device] = model::BlockSet(blocks);
  return sets;
}

// Configured is what the facts call unconfigured, and of a dax device all of it.
void check_configuration(PlanReader& in, const plan::Plan& plan, const Facts& facts) {
  Known standby;
  std::map<std::string, std::vector<model::BlockRange>> there, bound;
  for (const model::UnconfiguredFact& memory : facts.unconfigured)
    if (memory.device == "standby")
      standby.add(memory.blocks);
    else
      there[memory.device].push_back(memory.blocks);
  for (const plan::Step& step : plan.steps)
    if (const auto* config = std::get_if<plan::ConfigureBlocks>(&step.action))
      if (config->configure) bound[config->device].push_back(config->blocks.range());
  ByDevice unconfigured = sets_of(there);
  const ByDevice configured = sets_of(bound);
  for (const plan::Step& step : plan.steps) {
    const auto* config = std::get_if<plan::ConfigureBlocks>(&step.action);
    if (config == nullptr || !config->configure) continue;
    const bool dax = !config->device.empty();
    if (dax ? configured.at(config->device) == unconfigured[config->device]
            : !standby.first_unknown(config->blocks))
      continue;
    in.point_at("steps");
    in.enter_item(step.number - 1);
    in.point_at("blocks");
    refuse(
        diag::Code::PlanBadBlocks,
        dax ? fmt::format("the steps that bind {} are not for exactly the blocks that it has on "
                          "the host of the plan",
                          config->device)
            : fmt::format("step {} configures {}, which is not standby memory of the host of the "
                          "plan",
                          step.number, model::range_name(config->blocks.range())),
        kPlanAgain);
  }
}

// A device is released as a whole: while one of its blocks is online, the kernel would offline that
// itself, or keep its memory until the next boot.
void check_releases(PlanReader& in, const plan::Plan& plan, const Facts& facts) {
  std::map<std::string, std::vector<model::BlockRange>> there, released;
  for (const model::BlockFact& fact : facts.blocks)
    there[fact.device.substr(0, fact.device.find(' '))].push_back(fact.blocks);
  const auto releases = [](const plan::Step& step) -> const plan::ConfigureBlocks* {
    const auto* config = std::get_if<plan::ConfigureBlocks>(&step.action);
    return config != nullptr && !config->configure && !config->device.empty() ? config : nullptr;
  };
  for (const plan::Step& step : plan.steps)
    if (const auto* release = releases(step))
      released[release->device].push_back(release->blocks.range());
  const ByDevice of_device = sets_of(there);
  const ByDevice by_steps = sets_of(released);
  for (const plan::Step& step : plan.steps) {
    const auto* release = releases(step);
    if (release == nullptr) continue;
    const auto whole = of_device.find(release->device);
    if (whole != of_device.end() && whole->second == by_steps.at(release->device)) continue;
    in.point_at("steps");
    in.enter_item(step.number - 1);
    in.point_at("blocks");
    refuse(diag::Code::PlanBadBlocks,
           fmt::format("the steps that {} {} are not for exactly the blocks that it has on the "
                       "host of the plan",
                       release->verb(), release->device),
           kPlanAgain);
  }
}

}  // namespace

void check_blocks(PlanReader& in, const plan::Plan& plan, const Facts& facts) {
  check_configuration(in, plan, facts);
  check_releases(in, plan, facts);
  Known known(facts);
  const auto check = [&](const plan::Step& step, const model::WriteRun& run) {
    const auto unknown = known.first_unknown(run);
    if (!unknown) return;
    in.point_at("steps");
    in.enter_item(step.number - 1);
    in.point_at("blocks");
    refuse(diag::Code::PlanBadBlocks,
           fmt::format("step {} writes {}, but the host of the plan has no such block", step.number,
                       model::block_name(*unknown)),
           kPlanAgain);
  };
  for (const plan::Step& step : plan.steps) {
    if (const auto* online = std::get_if<plan::OnlineBlocks>(&step.action))
      check(step, online->blocks);
    if (const auto* offline = std::get_if<plan::OfflineBlocks>(&step.action))
      check(step, offline->blocks);
    if (const auto* config = std::get_if<plan::ConfigureBlocks>(&step.action))
      config->configure ? known.add(config->blocks.range()) : check(step, config->blocks);
    const auto* probe = std::get_if<plan::ProbeBlock>(&step.action);
    if (probe == nullptr) continue;
    if (facts.block_size == 0 || probe->address % facts.block_size != 0) {
      in.point_at("steps");
      in.enter_item(step.number - 1);
      in.point_at("address");
      refuse(diag::Code::PlanBadBlocks,
             fmt::format("step {} adds memory at {:#x}, which is not the start of a block",
                         step.number, probe->address));
    }
    const model::BlockId block(probe->address / facts.block_size);
    known.add({block, block});
  }
}

}  // namespace memonline::apply
