// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/plan_summary.hpp"

#include <optional>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/model/units.hpp"

namespace memonline::service {

PlanSummary summarize(const plan::Plan& plan) {
  PlanSummary summary;
  summary.steps = plan.steps.size();
  std::vector<model::BlockRange> blocks;
  const auto add = [&](const model::WriteRun& run, const std::optional<model::NodeId>& node) {
    blocks.push_back(run.range());
    if (node) summary.nodes.insert(*node);
  };
  for (const plan::Step& step : plan.steps) {
    if (const auto* online = std::get_if<plan::OnlineBlocks>(&step.action))
      add(online->blocks, online->node);
    if (const auto* offline = std::get_if<plan::OfflineBlocks>(&step.action))
      add(offline->blocks, offline->node);
    if (const auto* config = std::get_if<plan::ConfigureBlocks>(&step.action))
      add(config->blocks, config->node);
  }
  summary.bytes = model::BlockSet(std::move(blocks)).count() * plan.host.block_size;
  return summary;
}

bool is_unplug(const plan::Plan& plan) {
  bool offlines = false;
  for (const plan::Step& step : plan.steps) {
    const auto* offline = std::get_if<plan::OfflineBlocks>(&step.action);
    const auto* config = std::get_if<plan::ConfigureBlocks>(&step.action);
    offlines = offlines || offline != nullptr;
    if (offline != nullptr ? !offline->all_or_nothing
                           : !(config != nullptr && !config->configure) &&
                                 !std::holds_alternative<plan::ReclaimMemory>(step.action))
      return false;
  }
  return offlines;
}

std::string nodes_text(const PlanSummary& summary) {
  return fmt::format("{}", fmt::join(summary.nodes, ", "));
}

std::string summary_text(const PlanSummary& summary) {
  const char* steps = summary.steps == 1 ? "step" : "steps";
  if (summary.bytes == 0)
    return fmt::format("change kernel settings in {} {}", summary.steps, steps);
  const std::string nodes =
      summary.nodes.empty()
          ? std::string()
          : fmt::format(" on node{} {}", summary.nodes.size() == 1 ? "" : "s", nodes_text(summary));
  return fmt::format("change {} of memory{} in {} {}", model::human(model::Bytes(summary.bytes)),
                     nodes, summary.steps, steps);
}

}  // namespace memonline::service
