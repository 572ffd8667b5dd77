// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/golden/paragraph.hpp"

#include <map>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/model/knob.hpp"
#include "compiler/plan/verdict.hpp"

namespace memonline::test {

namespace {

std::string blocks(model::BlockId first, model::BlockId last) {
  return first == last ? fmt::format("memory{}", first.value())
                       : fmt::format("memory{}..{}", first.value(), last.value());
}

std::string action_of(const plan::Step& step) {
  return std::visit(
      overloaded{
          [](const plan::SetKnob& set) {
            return fmt::format("{}={} (was {}){}", model::knob_name(set.knob), set.value,
                               set.before,
                               set.scope == plan::KnobScope::Run ? " while the plan runs" : "");
          },
          [](const plan::OnlineBlocks& online) {
            return fmt::format("{} {} in {}", model::online_word(online.word),
                               blocks(online.blocks.first, online.blocks.last),
                               model::zone_name(online.zone));
          },
          [](const plan::OfflineBlocks& offline) {
            return fmt::format(
                "offline {} from {}{}", blocks(offline.blocks.first, offline.blocks.last),
                offline.zone ? model::zone_name(*offline.zone) : "an unknown zone",
                offline.chance ? fmt::format(", {}", plan::chance_name(*offline.chance)) : "");
          },
          [](const plan::ConfigureBlocks& config) {
            return fmt::format(
                "{} {}{}", config.configure ? "configure" : "deconfigure",
                blocks(config.blocks.first, config.blocks.last),
                config.own_map ? fmt::format(", memmap_on_memory={:d}", *config.own_map) : "");
          },
          [](const plan::ProbeBlock& probe) { return fmt::format("probe {:#x}", probe.address); },
          [](const plan::ReclaimMemory& reclaim) {
            return std::string(plan::reclaim_text(reclaim.what));
          },
          [](const plan::SetParameters&) { return std::string("kernel parameters"); },
      },
      step.action);
}

std::string place_of(const plan::RuleRef& rule) {
  return rule.path.empty() ? "" : fmt::format(" ({}:{})", rule.line, rule.column);
}

std::string kib(model::Bytes bytes) { return fmt::format("{} KiB", bytes.value() / 1024); }

std::string node_line(const plan::NodeOutcome& node) {
  std::string text = node.node ? fmt::format("node{}:", node.node->value()) : "no node:";
  const std::vector<std::pair<const char*, model::Bytes>> amounts{{"Normal", node.normal},
                                                                  {"Movable", node.movable},
                                                                  {"offline", node.offline},
                                                                  {"unknown", node.unknown}};
  for (const auto& [name, bytes] : amounts)
    if (bytes.value() > 0) text += fmt::format(" {} {}", name, kib(bytes));
  return text;
}

// Neighbors that stay for one target are one range here.
std::vector<std::string> left_lines(const plan::Plan& plan) {
  std::map<std::string, std::string> by_target;
  for (const plan::Skipped& skipped : plan.skipped) {
    const std::string what =
        skipped.wanted + place_of(skipped.rule) +
        (skipped.unknown.empty() ? "" : fmt::format(", {} unknown", skipped.unknown));
    by_target[what] += " " + blocks(skipped.blocks.first, skipped.blocks.last);
  }
  std::vector<std::string> lines;
  lines.reserve(by_target.size());
  for (const auto& [what, ranges] : by_target)
    lines.push_back(fmt::format("unchanged, {}:{}", what, ranges));
  return lines;
}

}  // namespace

std::string paragraph_of(const plan::Plan& plan) {
  std::vector<std::string> lines;
  for (const plan::Step& step : plan.steps)
    lines.push_back(fmt::format("{} {}{}", step.number, action_of(step), place_of(step.rule)));
  std::string hotplug = fmt::format("hot-added: {}", plan::onliner_name(plan.hotplug.by));
  for (const auto& [knob, value] : plan.hotplug.knobs)
    hotplug += fmt::format(" {}={}", model::knob_name(knob), value);
  lines.push_back(hotplug + place_of(plan.hotplug.rule));
  if (!plan.boot.parameters.empty() || !plan.boot.remove.empty())
    lines.push_back(fmt::format(
        "parameters: {}{}{}", fmt::join(plan.boot.parameters, " "),
        plan.boot.remove.empty() ? "" : fmt::format(" remove {}", fmt::join(plan.boot.remove, " ")),
        plan.boot.reboot_required ? " (reboot)" : ""));
  for (const plan::NodeOutcome& node : plan.outcome) lines.push_back(node_line(node));
  for (std::string& line : left_lines(plan)) lines.push_back(std::move(line));
  std::string verdict(plan::verdict_name(plan.judgement.verdict));
  for (const plan::Remaining& remaining : plan.judgement.remaining)
    verdict += fmt::format(", {}{}", plan::remaining_kind_name(remaining.kind),
                           remaining.needs.empty() ? "" : " needs " + remaining.needs);
  lines.push_back(verdict);
  std::string codes;
  for (const plan::PlanDiagnostic& d : plan.diagnostics) codes += " " + d.code;
  if (!codes.empty()) lines.push_back("codes:" + codes);
  std::string text;
  for (const std::string& line : lines) text += "  " + line + "\n";
  return text;
}

}  // namespace memonline::test
