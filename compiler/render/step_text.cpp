// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string_view>

#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/model/knob.hpp"
#include "compiler/render/plan.hpp"

namespace memonline::render {

std::string step_text(const plan::Step& step) {
  const auto run = [](std::string_view word, const model::WriteRun& blocks) {
    if (blocks.first == blocks.last) return fmt::format("{} {}", word, blocks.first);
    return fmt::format("{} {}..{}", word, blocks.first, blocks.last);
  };
  return std::visit(
      overloaded{
          [](const plan::SetKnob& set) {
            return fmt::format("set {}={}{}", model::knob_name(set.knob), set.value,
                               set.scope == plan::KnobScope::Run ? " for the run" : "");
          },
          [&](const plan::OnlineBlocks& online) {
            return run(model::online_word(online.word), online.blocks);
          },
          [&](const plan::OfflineBlocks& offline) { return run("offline", offline.blocks); },
          [&](const plan::ConfigureBlocks& config) {
            if (config.device.empty()) return run(config.verb(), config.blocks);
            return run(fmt::format("{} {}", config.verb(), config.device), config.blocks);
          },
          [](const plan::ProbeBlock& probe) { return fmt::format("probe {:#x}", probe.address); },
          [](const plan::ReclaimMemory& reclaim) {
            return std::string(plan::reclaim_text(reclaim.what));
          },
          [](const plan::SetParameters& parameters) {
            std::string text = "boot-parameters";
            for (const std::string& word : parameters.set) text += " +" + word;
            for (const std::string& word : parameters.remove) text += " -" + word;
            return text;
          },
      },
      step.action);
}

}  // namespace memonline::render
