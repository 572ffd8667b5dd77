// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/apply/program.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/model/block_set.hpp"
#include "compiler/model/dax.hpp"
#include "compiler/model/era.hpp"
#include "compiler/plan/drift.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/apply/undo_room.hpp"

namespace memonline::apply {

namespace {

using model::BlockId;
using model::State;
using model::Zone;

void place_notes(Program& program) {
  for (Task& task : program.tasks) {
    task.first_result = program.results;
    program.results += task.count();
    if (task.writes_blocks()) program.blocks += task.count();
  }
}

void describe(Program& program, const model::Host& host) {
  program.block_size = host.block_size.value();
  program.ordered = host.era < model::Era::C1;
  for (const model::BlockRun& run : host.blocks)
    if (run.state == State::Online && !program.online_block) program.online_block = run.first;
}

Task task_of(const plan::Step& step, std::uint64_t block_size) {
  Task task;
  task.step = step.number;
  task.rule = step.rule.text;
  std::visit(overloaded{
                 [&](const plan::SetKnob& set) {
                   task.kind = Task::Kind::SetKnob;
                   task.knob = set.knob;
                   task.value = set.value;
                 },
                 [&](const plan::OnlineBlocks& online) {
                   task.kind = Task::Kind::Online;
                   task.word = online.word;
                   task.blocks = online.blocks;
                   task.zone = online.zone;
                   task.node = online.node;
                 },
                 [&](const plan::OfflineBlocks& offline) {
                   task.kind = Task::Kind::Offline;
                   task.blocks = offline.blocks;
                   task.zone = offline.zone.value_or(Zone::Normal);
                   task.node = offline.node;
                   task.all_or_nothing = offline.all_or_nothing;
                   // All of it may be in one block.
                   task.moves =
                       std::min(offline.moves ? offline.moves->value() : block_size, block_size);
                 },
                 [&](const plan::ConfigureBlocks& config) {
                   task.kind = config.configure ? Task::Kind::Configure : Task::Kind::Deconfigure;
                   task.blocks = config.blocks;
                   task.node = config.node;
                   task.own_map = config.own_map;
                   task.device = config.device;
                 },
                 [&](const plan::ProbeBlock& probe) {
                   task.kind = Task::Kind::Probe;
                   task.address = probe.address;
                 },
                 [&](const plan::ReclaimMemory& reclaim) {
                   task.kind = Task::Kind::Reclaim;
                   task.reclaim = reclaim.what;
                 },
                 [&](const plan::SetParameters&) {
                   task.why_not = "kernel parameters are for the next boot; nothing is written now";
                 },
             },
             step.action);
  return task;
}

/// The zones of the blocks that earlier steps offline. The ranges do not overlap.
class TakenOffline {
 public:
  void add(model::WriteRun blocks, std::optional<Zone> zone) {
    // If a block is offlined twice, the later step counts.
    split(blocks.low());
    split(blocks.high() + 1);
    ranges_.erase(ranges_.lower_bound(blocks.low()), ranges_.upper_bound(blocks.high()));
    ranges_[blocks.low()] = {blocks.high(), zone};
  }
  /// Of the highest of these blocks that was offlined.
  [[nodiscard]] std::optional<Zone> zone_of(model::WriteRun blocks) const {
    const auto after = ranges_.upper_bound(blocks.high());
    if (after == ranges_.begin()) return std::nullopt;
    const auto& [last, zone] = std::prev(after)->second;
    return last < blocks.low() ? std::nullopt : zone;
  }

 private:
  using Range = std::pair<BlockId, std::optional<Zone>>;  ///< the last block, and the zone
  void split(BlockId at) {
    const auto after = ranges_.lower_bound(at);
    if (after == ranges_.begin()) return;
    Range& before = std::prev(after)->second;
    if (before.first < at) return;
    ranges_.emplace_hint(after, at, before);
    before.first = at - 1;
  }
  std::map<BlockId, Range> ranges_;  ///< by their first block
};

model::WriteRun downwards(BlockId first, BlockId last) { return {last, first}; }

/// Memory is configured for the zone that a later task onlines it in.
void join_configuration(std::vector<Task>& tasks) {
  std::map<BlockId, std::size_t> online;  // tasks by their lowest block: they do not overlap
  for (std::size_t i = 0; i < tasks.size(); ++i)
    if (tasks[i].kind == Task::Kind::Online) online.try_emplace(tasks[i].blocks.low(), i);
  for (Task& configure : tasks) {
    if (configure.kind != Task::Kind::Configure) continue;
    auto at = online.upper_bound(configure.blocks.low());
    if (at != online.begin()) --at;
    std::size_t first = tasks.size();
    for (; at != online.end() && at->first <= configure.blocks.high(); ++at) {
      Task& task = tasks[at->second];
      if (task.blocks.high() < configure.blocks.low()) continue;
      task.configured_first = true;
      first = std::min(first, at->second);
    }
    if (first < tasks.size()) configure.zone = tasks[first].zone;
  }
}

/// What an unplug releases is part of it: nothing is released unless all of it is offline.
void release_last(std::vector<Task>& tasks) {
  const bool unplug =
      std::any_of(tasks.begin(), tasks.end(), [](const Task& task) { return task.all_or_nothing; });
  for (Task& task : tasks)
    if (task.kind == Task::Kind::Deconfigure && unplug) task.all_or_nothing = true;
}

/// The dax devices that the plan's steps unbind: an undo binds them again.
void name_unbound(const plan::Plan& plan, std::vector<BlocksBefore>& all) {
  for (const plan::Step& step : plan.steps) {
    const auto* config = std::get_if<plan::ConfigureBlocks>(&step.action);
    if (config == nullptr || config->configure || !model::is_dax_name(config->device)) continue;
    for (BlocksBefore& before : all)
      if (config->blocks.range().contains(before.first)) before.device = config->device;
  }
}

/// Memory without blocks that the plan's steps configure.
void add_unconfigured(const plan::Plan& plan, std::vector<BlocksBefore>& all) {
  for (const plan::Step& step : plan.steps) {
    const auto* config = std::get_if<plan::ConfigureBlocks>(&step.action);
    if (config == nullptr || !config->configure) continue;
    all.push_back({config->blocks.low(), config->blocks.high(), false, std::nullopt, config->node,
                   false, config->device});
  }
  std::sort(all.begin(), all.end(),
            [](const BlocksBefore& a, const BlocksBefore& b) { return a.first < b.first; });
}

model::OnlineWord word_for(Zone zone) {
  return zone == Zone::Movable ? model::OnlineWord::OnlineMovable : model::OnlineWord::OnlineKernel;
}

}  // namespace

Program program_of(const plan::Plan& plan, const model::Host& host) {
  Program program;
  describe(program, host);
  std::vector<Task> back;
  TakenOffline offline;
  for (const plan::Step& step : plan.steps) {
    Task task = task_of(step, program.block_size);
    if (task.kind == Task::Kind::Online) task.taken_from = offline.zone_of(task.blocks);
    if (task.kind == Task::Kind::Offline) offline.add(task.blocks, task.zone);
    program.tasks.push_back(std::move(task));
    const auto* set = std::get_if<plan::SetKnob>(&step.action);
    if (set == nullptr || set->scope == plan::KnobScope::Stay) continue;
    Task restore = program.tasks.back();
    restore.value = set->before;
    restore.held = set->value;
    restore.put_back = true;
    back.push_back(std::move(restore));
  }
  join_configuration(program.tasks);
  release_last(program.tasks);
  // The last one set is the first one put back.
  for (auto task = back.rbegin(); task != back.rend(); ++task) {
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
      const auto* set = std::get_if<plan::SetKnob>(&plan.steps[i].action);
      if (set != nullptr && set->scope == plan::KnobScope::Stay && set->knob == task->knob)
        task->unless = i;
    }
    program.tasks.push_back(std::move(*task));
  }
  place_notes(program);
  return program;
}

std::vector<BlocksBefore> blocks_before(const plan::Plan& plan, const model::Host& host) {
  std::vector<model::BlockRange> written;
  for (const plan::Step& step : plan.steps)
    if (const model::WriteRun* run = plan::blocks_of(step))
      written.push_back({run->low(), run->high()});
  const model::BlockSet touched(std::move(written));
  std::vector<BlocksBefore> all;
  auto range = touched.begin();
  for (const model::BlockRun& run : host.blocks)
    for (; range != touched.end() && range->first <= run.last(); ++range) {
      const BlockId first = std::max(run.first, range->first);
      const BlockId last = std::min(run.last(), range->last);
      if (first <= last) {
        BlocksBefore before{first, last, run.state == State::Online, std::nullopt, run.node};
        if (before.online && run.zones.kind() == model::ValidZones::Kind::Listed)
          before.zone = run.zones[0];
        all.push_back(before);
      }
      if (range->last > run.last()) break;  // it continues in the next run
    }
  name_unbound(plan, all);
  add_unconfigured(plan, all);
  return all;
}

std::vector<KnobBefore> knobs_before(const plan::Plan& plan) {
  std::vector<KnobBefore> knobs;
  for (const plan::Step& step : plan.steps) {
    const auto* set = std::get_if<plan::SetKnob>(&step.action);
    if (set == nullptr) continue;
    const bool stays = set->scope == plan::KnobScope::Stay;
    const auto same = std::find_if(knobs.begin(), knobs.end(),
                                   [&](const KnobBefore& k) { return k.knob == set->knob; });
    // Set for the run, then permanently: the value before is the one before both.
    if (same == knobs.end())
      knobs.push_back({set->knob, set->before, set->value, stays, {}});
    else
      *same = {set->knob, same->before, set->value, stays, same->during};
  }
  return knobs;
}

namespace {

/// The dax devices whose blocks are all known from before the run: of any other, the driver might
/// leave while a block is online, and its memory could not be removed until the next boot.
std::set<std::string> releasable(const std::vector<BlocksBefore>& blocks, const model::Host& now) {
  std::map<std::string, std::vector<model::BlockRange>> known;
  for (const BlocksBefore& before : blocks)
    if (!before.device.empty()) known[before.device].push_back({before.first, before.last});
  std::set<std::string> names;
  for (auto& [name, ranges] : known) {
    const model::DaxDevice* dax = model::find_dax(now, name);
    if (dax != nullptr && model::BlockSet(std::move(ranges)).ranges() == dax->blocks)
      names.insert(name);
  }
  return names;
}

/// The tasks of an undo, by what has to come first.
struct UndoTasks {
  std::vector<Task> movable, kernel, deconfigure, configure, online;
  std::set<std::string> releasable;
  std::uint64_t block_size = 0;

  void add(const BlocksBefore& before, const model::BlockRun& run, model::BlockRange blocks) {
    const bool is_online = run.state == State::Online;
    std::optional<Zone> zone;
    if (is_online && run.zones.kind() == model::ValidZones::Kind::Listed) zone = run.zones[0];
    const bool same = is_online == before.online && (!is_online || zone == before.zone);
    if (same && before.configured) return;
    Task task;
    task.node = run.node;
    task.blocks = downwards(blocks.first, blocks.last);
    if (is_online) {
      task.kind = Task::Kind::Offline;
      task.zone = zone.value_or(Zone::Normal);
      task.moves = block_size;
      (zone == Zone::Movable ? movable : kernel).push_back(task);
    }
    if (!before.configured && (before.device.empty() || releasable.contains(before.device))) {
      task.kind = Task::Kind::Deconfigure;
      task.device = before.device;
      deconfigure.push_back(task);
    }
    add_online(before, blocks, run.node, is_online ? zone : std::nullopt);
  }

  /// Memory that had blocks before: standby memory, or that of a dax device.
  void add_unconfigured(const BlocksBefore& before, model::BlockRange blocks) {
    Task task;
    task.kind = Task::Kind::Configure;
    task.blocks = {blocks.first, blocks.last};
    task.node = before.node;
    task.device = before.device;
    configure.push_back(task);
    add_online(before, blocks, before.node, std::nullopt);
  }

 private:
  void add_online(const BlocksBefore& before, model::BlockRange blocks,
                  std::optional<model::NodeId> node, std::optional<Zone> taken_from) {
    if (!before.online || !before.zone) return;
    Task back;
    back.kind = Task::Kind::Online;
    back.word = word_for(*before.zone);
    back.blocks = {blocks.first, blocks.last};
    back.zone = *before.zone;
    back.node = node;
    back.taken_from = taken_from;
    online.push_back(back);
  }
};

}  // namespace

Program program_to_undo(const std::vector<BlocksBefore>& blocks,
                        const std::vector<KnobBefore>& knobs, const model::Host& now) {
  Program program;
  describe(program, now);
  UndoTasks tasks;
  tasks.block_size = program.block_size;
  tasks.releasable = releasable(blocks, now);
  const model::BlockSet standby(now.standby);
  for (const BlocksBefore& before : blocks) {
    for (const model::BlockRun& run : now.blocks) {
      const BlockId first = std::max(run.first, before.first);
      const BlockId last = std::min(run.last(), before.last);
      if (first <= last) tasks.add(before, run, {first, last});
    }
    if (!before.configured) continue;
    const auto* dax = model::find_dax(now, before.device);
    const bool unbound = dax != nullptr && !model::not_bindable(now, *dax) && !dax->is_system_ram();
    const model::BlockSet waiting = unbound ? model::BlockSet(dax->blocks) : standby;
    for (const model::BlockRange& gone :
         intersect(waiting, model::BlockSet({{before.first, before.last}})))
      tasks.add_unconfigured(before, gone);
  }
  // Kernel memory is onlined before Movable, as in every plan.
  std::stable_sort(tasks.online.begin(), tasks.online.end(), [](const Task& a, const Task& b) {
    return model::is_kernel_zone(a.zone) && !model::is_kernel_zone(b.zone);
  });
  for (auto* list :
       {&tasks.movable, &tasks.kernel, &tasks.deconfigure, &tasks.configure, &tasks.online})
    for (auto& task : *list) program.tasks.push_back(std::move(task));
  join_configuration(program.tasks);
  fit_by_slices(program.tasks, now);
  for (const KnobBefore& knob : knobs) {
    Task task;
    task.kind = Task::Kind::SetKnob;
    task.knob = knob.knob;
    task.value = knob.before;
    task.put_back = true;
    program.tasks.push_back(std::move(task));
  }
  std::uint32_t number = 0;
  for (Task& task : program.tasks) task.step = ++number;
  place_notes(program);
  return program;
}

std::vector<std::string> irreversible(const plan::Plan& plan, const model::Host& host) {
  std::vector<std::string> sentences;
  const auto say = [&](const plan::Step& step, std::string_view why) {
    sentences.push_back(fmt::format("step {}, {}: {}", step.number, render::step_text(step), why));
  };
  for (const plan::Step& step : plan.steps) {
    const Task task = task_of(step, host.block_size.value());
    if (task.kind == Task::Kind::Probe) say(step, "memory added through `probe` stays");
    if (model::dimm_number(task.device))
      say(step, "an ejected DIMM cannot be added again from here");
    if (task.kind != Task::Kind::Online) continue;
    if (!host.hot_remove)
      say(step, "this kernel was built without MEMORY_HOTREMOVE and cannot offline memory");
    else if (model::is_kernel_zone(task.zone))
      say(step, "kernel memory can be offlined only while it holds no unmovable pages");
    else if (host.era < model::Era::C1)
      say(step, "zones of this kernel do not shrink when memory is offlined");
  }
  return sentences;
}

}  // namespace memonline::apply
