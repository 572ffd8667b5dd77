// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/planning.hpp"

#include "compiler/base/overloaded.hpp"
#include "compiler/kernel/memory_state.hpp"
#include "compiler/model/knob.hpp"

namespace memonline::test {

namespace {

std::string run_text(const model::WriteRun& run) {
  std::string text = std::to_string(run.first.value());
  if (run.first != run.last) text += ".." + std::to_string(run.last.value());
  return text;
}

}  // namespace

Compilation plan_for(const model::Host& host, const std::string& policy) {
  return compile({source::SourceFile("t.mempolicy", policy)}, host);
}

std::string steps_text(const plan::Plan& plan) {
  std::string text;
  for (const plan::Step& step : plan.steps) {
    std::visit(
        overloaded{
            [&](const plan::SetKnob& set) {
              text += "set " + std::string(model::knob_name(set.knob)) + "=" + set.value;
              if (set.scope == plan::KnobScope::Run) text += " for the run";
            },
            [&](const plan::OnlineBlocks& online) {
              text += std::string(model::online_word(online.word)) + " " + run_text(online.blocks) +
                      " " + std::string(model::zone_name(online.zone));
            },
            [&](const plan::OfflineBlocks& offline) {
              text += "offline " + run_text(offline.blocks) + " " +
                      std::string(offline.zone ? model::zone_name(*offline.zone) : "unknown");
            },
            [&](const plan::ConfigureBlocks& config) {
              text += std::string(config.verb()) + ' ' + run_text(config.blocks);
              if (config.own_map) text += *config.own_map ? " own map" : " no own map";
            },
            [&](const plan::ProbeBlock&) { text += "probe"; },
            [&](const plan::ReclaimMemory& reclaim) { text += plan::reclaim_text(reclaim.what); },
            [&](const plan::SetParameters&) { text += "boot-parameters"; },
        },
        step.action);
    text += "\n";
  }
  return text;
}

std::string codes_text(const diag::Sink& sink) {
  std::string text;
  for (const diag::Diagnostic& d : sink.sorted())
    text += (text.empty() ? "" : " ") + diag::name_of(d.code);
  return text;
}

std::string layout_text(const model::Host& host) {
  std::string text;
  for (const model::BlockRun& run : host.blocks) {
    char mark = '.';
    if (run.state == model::State::Online)
      mark = kernel::zone_of(host, run) == model::Zone::Movable ? 'M' : 'N';
    text.append(run.count, mark);
  }
  return text;
}

}  // namespace memonline::test
