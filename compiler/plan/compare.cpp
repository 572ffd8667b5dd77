// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/compare.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/kernel/memory_state.hpp"
#include "compiler/model/facts.hpp"
#include "compiler/model/knob.hpp"
#include "compiler/plan/differences.hpp"

namespace memonline::plan {

using model::BlockFact;
using model::BlockId;
using model::BlockRun;
using model::Facts;
using model::Host;
using model::State;

namespace {

// The state of a block after a step.
struct StateAfter {
  State state = State::Offline;
  model::Zone zone = model::Zone::Normal;  ///< online: the predicted one
  bool added = false;                      ///< by the step: it was not there before
  bool removed = false;                    ///< by the step: it is not there afterwards
};

// The blocks of a plan as runs, each with what the steps on it leave, in the order of the steps.
class Writes {
 public:
  explicit Writes(const Plan& plan) {
    for (const Step& step : plan.steps) {
      if (const auto* online = std::get_if<OnlineBlocks>(&step.action))
        add(online->blocks, {State::Online, online->zone, false});
      if (const auto* offline = std::get_if<OfflineBlocks>(&step.action))
        add(offline->blocks, {State::Offline, model::Zone::Normal, false});
      if (const auto* config = std::get_if<ConfigureBlocks>(&step.action))
        add(config->blocks,
            {State::Offline, model::Zone::Normal, config->configure, !config->configure});
      if (const auto* probe = std::get_if<ProbeBlock>(&step.action);
          probe != nullptr && plan.host.block_size > 0) {
        const BlockId block(probe->address / plan.host.block_size);
        add({block, block}, {State::Offline, model::Zone::Normal, true});
      }
    }
  }

  struct Span {
    BlockId end;
    std::vector<StateAfter> left;
  };
  [[nodiscard]] const std::map<BlockId, Span>& spans() const { return spans_; }
  [[nodiscard]] const std::vector<StateAfter>* at(BlockId block) const {
    const auto after = spans_.upper_bound(block);
    if (after == spans_.begin()) return nullptr;
    const Span& span = std::prev(after)->second;
    return block < span.end ? &span.left : nullptr;
  }

 private:
  void split_at(BlockId block) {
    const auto after = spans_.upper_bound(block);
    if (after == spans_.begin()) return;
    const auto before = std::prev(after);
    if (before->first == block || before->second.end <= block) return;
    Span rest = before->second;
    before->second.end = block;
    spans_.emplace(block, std::move(rest));
  }

  void add(const model::WriteRun& run, const StateAfter& left) {
    BlockId at = run.low();
    const BlockId end = run.high() + 1;
    split_at(at);
    split_at(end);
    while (at < end) {
      auto next = spans_.lower_bound(at);
      if (next == spans_.end() || next->first != at) {
        const BlockId until = next == spans_.end() ? end : std::min(end, next->first);
        next = spans_.emplace(at, Span{until, {}}).first;
      }
      next->second.left.push_back(left);
      at = next->second.end;
    }
  }

  std::map<BlockId, Span> spans_;
};

bool is_in_state(const StateAfter& left, const Host& host, const BlockRun& run) {
  if (run.state != left.state) return false;
  if (left.state != State::Online) return true;
  return run.zones.kind() != model::ValidZones::Kind::None &&
         kernel::zone_of(host, run) == left.zone;
}

// Every knob that a plan sets, with the value that is its last word, if one is to stay.
std::map<model::Knob, std::optional<std::string>> knobs_of(const Plan& plan) {
  std::map<model::Knob, std::optional<std::string>> knobs;
  for (const Step& step : plan.steps)
    if (const auto* set = std::get_if<SetKnob>(&step.action)) {
      auto& last = knobs[set->knob];
      if (set->scope == KnobScope::Stay) last = set->value;
    }
  return knobs;
}

bool is_fulfilled(const Plan& plan, const Writes& writes, const Host& now, const Facts& facts) {
  if (plan.host.block_size != facts.block_size || plan.host.era != model::era_name(facts.era))
    return false;
  for (const auto& [knob, stays] : knobs_of(plan)) {
    const std::string* value = facts.knob(model::knob_name(knob));
    if (stays && (value == nullptr || *value != *stays)) return false;
  }
  for (const Step& step : plan.steps) {
    const auto* parameters = std::get_if<SetParameters>(&step.action);
    if (parameters == nullptr) continue;
    const auto booted_with = [&](const std::string& word) {
      return std::find(now.command_line.begin(), now.command_line.end(), word) !=
             now.command_line.end();
    };
    if (!std::all_of(parameters->set.begin(), parameters->set.end(), booted_with) ||
        std::any_of(parameters->remove.begin(), parameters->remove.end(), booted_with))
      return false;
  }
  for (const auto& [first, span] : writes.spans())
    for (BlockId block = first; block < span.end;) {
      const BlockRun* run = now.find_block(block);
      if (run == nullptr && span.left.back().removed) {
        ++block;
        continue;
      }
      if (run == nullptr || span.left.back().removed || !is_in_state(span.left.back(), now, *run))
        return false;
      block = run->end();
    }
  return true;
}

// The zone an online block is in; before 4.13 what follows it in the list are offers.
bool same_zone(const BlockFact& then, const BlockFact& now) {
  using Kind = model::ValidZones::Kind;
  if (then.zones.kind() != now.zones.kind()) return false;
  return then.zones.kind() != Kind::Listed || then.zones[0] == now.zones[0];
}

bool explained_block(const BlockFact* then, const BlockFact* now, const BlockRun* run,
                     const Host& host, const std::vector<StateAfter>* left) {
  const auto is_one_of = [&](const auto& accepted) {
    return left != nullptr && std::any_of(left->begin(), left->end(), accepted);
  };
  if (now == nullptr)
    return then == nullptr || is_one_of([](const StateAfter& one) { return one.removed; });
  const bool written =
      is_one_of([&](const StateAfter& one) { return is_in_state(one, host, *run); });
  if (then == nullptr) return written && is_one_of([](const StateAfter& one) { return one.added; });
  if (then->node != now->node || then->several_nodes != now->several_nodes ||
      then->device != now->device)
    return false;
  const bool untouched =
      then->state == now->state && (now->state != State::Online || same_zone(*then, *now));
  return untouched || written;
}

bool explained_blocks(const Facts& then, const Facts& facts, const Host& now,
                      const Writes& writes) {
  std::set<BlockId> borders;
  for (const auto* runs : {&then.blocks, &facts.blocks})
    for (const BlockFact& run : *runs) {
      borders.insert(run.blocks.first);
      borders.insert(run.blocks.last + 1);
    }
  for (const auto& [first, span] : writes.spans()) {
    borders.insert(first);
    borders.insert(span.end);
  }
  std::size_t before = 0;
  std::size_t after = 0;
  const auto covers = [](const std::vector<BlockFact>& runs, std::size_t& at, BlockId block) {
    while (at < runs.size() && runs[at].blocks.last < block) ++at;
    return at < runs.size() && runs[at].blocks.first <= block;
  };
  return std::all_of(borders.begin(), borders.end(), [&](BlockId block) {
    const bool was = covers(then.blocks, before, block);
    const bool is = covers(facts.blocks, after, block);
    return explained_block(was ? &then.blocks[before] : nullptr,
                           is ? &facts.blocks[after] : nullptr, is ? &now.blocks[after] : nullptr,
                           now, writes.at(block));
  });
}

bool explained_knobs(const Plan& plan, const Facts& then, const Facts& now) {
  if (then.knobs.size() != now.knobs.size()) return false;
  return std::all_of(now.knobs.begin(), now.knobs.end(), [&](const model::KnobFact& knob) {
    const std::string* before = then.knob(knob.name);
    if (before == nullptr) return false;
    return *before == knob.value ||
           std::any_of(plan.steps.begin(), plan.steps.end(), [&](const Step& step) {
             const auto* set = std::get_if<SetKnob>(&step.action);
             return set != nullptr && model::knob_name(set->knob) == knob.name &&
                    (set->value == knob.value || set->before == knob.value);
           });
  });
}

// Of memory that has no blocks then or now, what differs is configured by the plan.
bool explained_configuration(const Plan& plan, const Facts& then, const Facts& now) {
  std::vector<model::BlockRange> ranges;
  for (const Step& step : plan.steps)
    if (const auto* config = std::get_if<ConfigureBlocks>(&step.action))
      ranges.push_back(config->blocks.range());
  const model::BlockSet configured(std::move(ranges));
  const auto set_of = [](const std::vector<model::UnconfiguredFact>& memory) {
    std::vector<model::BlockRange> blocks;
    blocks.reserve(memory.size());
    for (const model::UnconfiguredFact& one : memory) blocks.push_back(one.blocks);
    return model::BlockSet(std::move(blocks));
  };
  const model::BlockSet before = set_of(then.unconfigured);
  const model::BlockSet after = set_of(now.unconfigured);
  const model::BlockSet differs = unite(subtract(before, after), subtract(after, before));
  return subtract(differs, configured).empty();
}

// A node appears with the first blocks on it.
bool explained_nodes(const Plan& plan, const Facts& then, const Facts& now) {
  const auto brings = [&](model::NodeId id) {
    return std::any_of(plan.steps.begin(), plan.steps.end(), [&](const Step& step) {
      const auto* config = std::get_if<ConfigureBlocks>(&step.action);
      return config != nullptr && config->node == id;
    });
  };
  for (const auto& [id, cpu] : then.node_cpus)
    if (const auto at = now.node_cpus.find(id); at == now.node_cpus.end() || at->second != cpu)
      return false;
  return std::all_of(now.node_cpus.begin(), now.node_cpus.end(), [&](const auto& node) {
    return then.node_cpus.contains(node.first) || brings(node.first);
  });
}

bool is_on_the_way(const Plan& plan, const Writes& writes, const Facts& then, const Host& now,
                   const Facts& facts) {
  return then.block_size == facts.block_size && then.page_size == facts.page_size &&
         then.era == facts.era && then.arch == facts.arch && then.hot_remove == facts.hot_remove &&
         then.parameters == facts.parameters && explained_nodes(plan, then, facts) &&
         explained_configuration(plan, then, facts) && explained_knobs(plan, then, facts) &&
         explained_blocks(then, facts, now, writes);
}

// Dax devices that the plan does not bind do not matter to it, and only root sees where they are.
void leave_out_others(const Plan& plan, Facts& facts) {
  std::set<std::string_view> bound{"standby"};
  for (const Step& step : plan.steps)
    if (const auto* config = std::get_if<ConfigureBlocks>(&step.action))
      bound.insert(config->device);
  std::erase_if(facts.unconfigured, [&](const model::UnconfiguredFact& memory) {
    return !bound.contains(memory.device);
  });
}

}  // namespace

Comparison compare(const Plan& plan, const Host& now) {
  Facts facts = model::facts_of(now);
  leave_out_others(plan, facts);
  const Writes writes(plan);
  Comparison result;
  result.fulfilled = is_fulfilled(plan, writes, now, facts);
  auto then = model::parse_facts(plan.host.facts);
  if (!then) {
    result.lines.emplace_back("the plan does not contain the facts of its host");
    return result;
  }
  leave_out_others(plan, *then);
  result.same = *then == facts;
  result.on_the_way = !result.same && is_on_the_way(plan, writes, *then, now, facts);
  if (!result.same) result.lines = differences(*then, facts);
  return result;
}

}  // namespace memonline::plan
