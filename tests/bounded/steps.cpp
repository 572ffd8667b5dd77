// SPDX-License-Identifier: LGPL-2.1-or-later
// Checks steps, in the sentences of "Order" in compiler/plan/README.md.
#include "tests/bounded/steps.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "compiler/kernel/model.hpp"

namespace memonline::bounded {

using model::OnlineWord;
using Problem = std::optional<std::string>;

namespace {

// The rows of the table in "Order": kernel memory, then `auto`, then Movable, each with the blocks
// that have to be offlined first after the others; then what is offlined for good.
int rank_of(const Event& event, const std::map<std::uint64_t, OnlineWord>& onlined) {
  const auto word = onlined.find(event.block);
  if (word == onlined.end()) return 6;
  const int stage = word->second == OnlineWord::OnlineKernel ? 0
                    : word->second == OnlineWord::Online     ? 2
                                                             : 4;
  return stage + (event.rezoned ? 1 : 0);
}

// From Linux 4.14 on every write is legal, and the order is exactly that of the table.
Problem out_of_order(const std::vector<Event>& events) {
  std::map<std::uint64_t, OnlineWord> onlined;
  for (const Event& event : events)
    if (!event.offline) onlined[event.block] = event.word;
  const Event* before = nullptr;
  for (const Event& event : events) {
    const int rank = rank_of(event, onlined);
    if (before != nullptr) {
      const int previous = rank_of(*before, onlined);
      if (rank < previous)
        return fmt::format("memory{} is written too late, after memory{}", event.block,
                           before->block);
      if (rank == previous && event.node < before->node)
        return fmt::format("memory{} of a lower node is written after memory{}", event.block,
                           before->block);
      // Kernel memory upward (short ranges), Movable and what goes offline downward. Offlining
      // ahead of a new zone is downward within each range.
      const bool same = rank == previous && event.node == before->node;
      const bool down = rank >= 4;
      const bool comparable = rank == 6 || (!event.offline && !before->offline);
      if (same && comparable && (event.block < before->block) != down)
        return fmt::format("memory{} is written in the wrong direction, after memory{}",
                           event.block, before->block);
    }
    before = &event;
  }
  return std::nullopt;
}

// Before Linux 4.14: kernel memory of a node after Movable only if the kernel refused it earlier.
Problem kernel_too_late(const std::vector<Event>& events, const plan::Plan& plan,
                        const BoundedHost& host) {
  std::map<std::uint32_t, std::size_t> first_movable;  // by node: the step
  for (const Event& event : events) {
    if (event.offline) continue;
    if (event.word == OnlineWord::OnlineMovable) first_movable.emplace(event.node, event.step);
    if (event.word != OnlineWord::OnlineKernel || !first_movable.contains(event.node)) continue;
    kernel::Model model(host.host);
    for (std::size_t i = 0; i < first_movable.at(event.node); ++i) {
      if (const auto* offline = std::get_if<plan::OfflineBlocks>(&plan.steps[i].action))
        (void)model.offline(offline->blocks);
      if (const auto* online = std::get_if<plan::OnlineBlocks>(&plan.steps[i].action))
        (void)model.online(online->blocks, online->word);
    }
    const auto& late = std::get<plan::OnlineBlocks>(plan.steps[event.step].action);
    if (event.rezoned) (void)model.offline(late.blocks);
    const auto placed = model.online(late.blocks, late.word);
    if (placed && placed->front().zone != model::Zone::Movable)
      return fmt::format("memory{} is kernel memory, and written after Movable without need",
                         event.block);
  }
  return std::nullopt;
}

}  // namespace

std::vector<Event> events_of(const plan::Plan& plan, const BoundedHost& host) {
  std::vector<Event> events;
  const auto add = [&](const model::WriteRun& run, Event event) {
    for (std::uint64_t i = 0; i < run.count(); ++i) {
      event.block = run.descending() ? run.first.value() - i : run.first.value() + i;
      event.node = host.blocks.at(event.block).node;
      event.rezoned = host.blocks.at(event.block).before != '.';
      events.push_back(event);
    }
  };
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const plan::Action& action = plan.steps[i].action;
    if (const auto* offline = std::get_if<plan::OfflineBlocks>(&action))
      add(offline->blocks, {0, 0, i, true, {}, true});
    if (const auto* online = std::get_if<plan::OnlineBlocks>(&action))
      add(online->blocks, {0, 0, i, false, online->word, false});
  }
  return events;
}

Problem mistake_in(const std::vector<Event>& events, const plan::Plan& plan,
                   const BoundedHost& host) {
  std::map<std::pair<bool, std::uint64_t>, int> times;
  for (const Event& event : events) {
    if (++times[{event.offline, event.block}] > 1)
      return fmt::format("memory{} is in two steps", event.block);
    if (event.offline && times.contains({false, event.block}))
      return fmt::format("memory{} is offlined after it was onlined", event.block);
  }
  if (host.kernel.era >= model::Era::C1) return out_of_order(events);
  return kernel_too_late(events, plan, host);
}

Problem replay(const plan::Plan& plan, const model::Host& host, const model::Host& outcome) {
  kernel::Model model(host);
  for (const plan::Step& step : plan.steps) {
    if (const auto* set = std::get_if<plan::SetKnob>(&step.action))
      if (set->scope == plan::KnobScope::Stay && !model.set_knob(set->knob, set->value))
        return fmt::format("step {}: the kernel refuses the setting", step.number);
    if (const auto* offline = std::get_if<plan::OfflineBlocks>(&step.action))
      if (!model.offline(offline->blocks))
        return fmt::format("step {}: the kernel refuses to offline", step.number);
    if (const auto* online = std::get_if<plan::OnlineBlocks>(&step.action)) {
      const auto placed = model.online(online->blocks, online->word);
      if (!placed) return fmt::format("step {}: the kernel refuses to online", step.number);
      if (placed->size() != 1 || placed->front().zone != online->zone)
        return fmt::format("step {}: another zone than predicted", step.number);
    }
  }
  const model::Host after = model.host();
  if (after.blocks != outcome.blocks) return "the outcome has other blocks than the steps lead to";
  if (after.knobs != outcome.knobs) return "the outcome has other settings than the steps lead to";
  return std::nullopt;
}

}  // namespace memonline::bounded
