// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/outcome.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "compiler/kernel/memory_state.hpp"
#include "compiler/language/targets.hpp"
#include "compiler/plan/cost.hpp"
#include "compiler/plan/hotplug.hpp"
#include "compiler/plan/sources.hpp"

namespace memonline::plan {

using model::State;
using model::Zone;

std::vector<NodeOutcome> outcome_of(const model::Host& after,
                                    const std::vector<Rounding>& roundings) {
  std::map<std::optional<model::NodeId>, NodeOutcome> nodes;
  for (const model::BlockRun& run : after.blocks) {
    NodeOutcome& node = nodes[run.node];
    node.node = run.node;
    const model::Bytes bytes = after.block_size * run.count;
    if (run.state == State::Offline || run.state == State::GoingOffline) {
      node.offline += bytes;
      continue;
    }
    const auto zone =
        run.state == State::Online ? kernel::zone_of(after, run) : std::optional<Zone>();
    if (!zone) {
      node.unknown += bytes;
      continue;
    }
    (*zone == Zone::Movable ? node.movable : node.normal) += bytes;
    const bool mixed = run.zones.kind() == model::ValidZones::Kind::None;
    node.zones[mixed ? "none" : std::string(model::zone_name(*zone))] += bytes.value();
  }
  std::set<std::pair<std::optional<model::NodeId>, std::string_view>> said;
  for (const Rounding& rounding : roundings)
    if (said.emplace(rounding.node, rounding.text).second)
      nodes[rounding.node].sentences.push_back(rounding.text);
  std::vector<NodeOutcome> result;
  result.reserve(nodes.size());
  for (auto& [id, node] : nodes) result.push_back(std::move(node));
  return result;
}

std::vector<Skipped> skipped_of(const Allocation& allocation, const source::SourceSet& files) {
  std::vector<Skipped> skipped;
  for (const Decision& d : allocation.decisions) {
    if (d.change) continue;
    Skipped one{d.blocks.range(),
                d.blocks.node,
                std::string(name_in(language::kTargets, d.target)),
                d.reason,
                d.span ? rule_ref(files, *d.span) : RuleRef{},
                d.unknown,
                d.blocker};
    const bool joins = !skipped.empty() && skipped.back().blocks.last + 1 == one.blocks.first &&
                       skipped.back().node == one.node && skipped.back().wanted == one.wanted &&
                       skipped.back().reason == one.reason && skipped.back().rule == one.rule &&
                       skipped.back().unknown == one.unknown &&
                       skipped.back().blocker == one.blocker;
    if (joins)
      skipped.back().blocks.last = one.blocks.last;
    else
      skipped.push_back(std::move(one));
  }
  return skipped;
}

namespace {

// The memory map that kernel memory has to hold: that of everything present, less that of
// devices whose blocks hold their own.
model::Bytes memory_map(const model::Host& host) {
  std::vector<std::uint64_t> of_device(host.devices.size());
  for (const model::BlockRun& run : host.blocks) of_device.at(run.device) += run.count;
  std::uint64_t blocks = 0;
  for (std::size_t i = 0; i < of_device.size(); ++i) {
    const model::Device& device = host.devices[i];
    const bool own = device.origin == model::Origin::Hotplugged &&
                     holds_own_map(host, source_of(host, device), of_device[i]);
    if (!own) blocks += of_device[i];
  }
  return model::Bytes(blocks * host.pages_per_block() * kStructPage);
}

model::Bytes brought_movable(const std::vector<Step>& steps, const model::Host& host) {
  std::uint64_t blocks = 0;
  for (const Step& step : steps)
    if (const auto* online = std::get_if<OnlineBlocks>(&step.action))
      if (online->zone == Zone::Movable) blocks += online->blocks.count();
  return host.block_size * blocks;
}

}  // namespace

bool changes_memory(const std::vector<Step>& steps) {
  return std::any_of(steps.begin(), steps.end(), [](const Step& step) {
    return std::holds_alternative<OnlineBlocks>(step.action) ||
           std::holds_alternative<OfflineBlocks>(step.action) ||
           std::holds_alternative<ConfigureBlocks>(step.action);
  });
}

void check_balance(const std::vector<NodeOutcome>& outcome, const model::Host& after,
                   bool limit_written, const std::vector<Step>& steps, diag::Sink& sink) {
  if (sink.has_errors()) return;
  model::Bytes normal;
  model::Bytes movable;
  for (const NodeOutcome& node : outcome) {
    normal += node.normal;
    movable += node.movable;
    if (node.unknown > model::Bytes(0)) return;  // it may be kernel memory
  }
  const model::Bytes map = memory_map(after);
  if (changes_memory(steps) && movable > model::Bytes(0) && normal < map) {
    auto& d = sink.add(diag::Code::NoRoomForMemoryMap, std::nullopt,
                       fmt::format("{} of kernel memory cannot hold the memory map of {}",
                                   model::human(normal), model::human(map)));
    d.help = "leave more to the kernel: a `normal` share, or `limit movable to 3x normal`";
    return;
  }
  if (limit_written || movable <= normal * 4) return;
  auto& d = sink.add(diag::Code::Imbalance, std::nullopt,
                     fmt::format("{} of Movable to {} of kernel memory exceeds a ratio of 4:1",
                                 model::human(movable), model::human(normal)));
  d.notes.emplace_back(
      "page tables, slab and pinned memory need kernel zones; when these are full, the kernel runs "
      "out of memory even if Movable has plenty free");
  // A limit affects only blocks that this plan onlines; memory in Movable stays and may exceed it.
  const model::Bytes brought = brought_movable(steps, after);
  if (movable - brought > (normal + brought) * 3)
    d.help =
        "this memory is already in Movable: a larger `normal` share with `set rezone = allowed` "
        "moves some of it to kernel zones";
  else
    d.help =
        "add `limit movable to 3x normal`, or a larger `normal` share; any `limit` in the policy "
        "silences this warning";
}

}  // namespace memonline::plan
