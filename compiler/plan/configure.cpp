// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/configure.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/kernel/model.hpp"
#include "compiler/language/settings.hpp"
#include "compiler/model/dax.hpp"
#include "compiler/plan/cost.hpp"
#include "compiler/plan/hotplug.hpp"
#include "compiler/plan/sources.hpp"

namespace memonline::plan {

using model::BlockRange;
using model::BlockRun;
using model::BlockSet;
using model::Host;
using model::Knob;
using model::State;

bool names(const sema::Rule& rule, sema::ClassWord word) {
  const auto& classes = rule.selector.classes;
  return std::any_of(classes.begin(), classes.end(),
                     [&](const sema::Class& one) { return sema::is_word(one, word); });
}

namespace {

// Memory without blocks that rules ask for by this word.
BlockSet asked_for(const sema::FlatPolicy& policy, const Host& host) {
  const auto any = [&](sema::ClassWord word) {
    return std::any_of(policy.rules.begin(), policy.rules.end(),
                       [&](const sema::Rule& rule) { return names(rule, word); });
  };
  BlockSet blocks;
  if (any(sema::ClassWord::Standby)) blocks = BlockSet(host.standby);
  if (any(sema::ClassWord::SystemRam)) blocks = unite(blocks, model::bindable_blocks(host));
  return blocks;
}

BlockSet blocks_in(const std::vector<BlockRun>& runs) {
  BlockSet blocks;
  for (const BlockRun& run : runs) blocks.add(run.range());
  return blocks;
}

// The runs without these blocks.
std::vector<BlockRun> without(const std::vector<BlockRun>& runs, const BlockSet& blocks) {
  std::vector<BlockRun> rest;
  for (const BlockRun& run : runs)
    for (const BlockRange& part : subtract(BlockSet({run.range()}), blocks)) {
      rest.push_back(run);
      rest.back().first = part.first;
      rest.back().count = part.count();
    }
  return rest;
}

// Cut at the borders of these blocks, so that a run is either all of them or not at all.
std::vector<BlockRun> cut_at(const std::vector<BlockRun>& runs, const BlockSet& blocks) {
  std::vector<BlockRun> parts;
  auto range = blocks.begin();
  for (const BlockRun& run : runs) {
    BlockRun rest = run;
    const auto cut = [&](model::BlockId at) {  // at is the first block of the next part
      if (at <= rest.first || at > rest.last()) return;
      BlockRun part = rest;
      part.count = at - rest.first;
      rest.count -= part.count;
      rest.first = at;
      parts.push_back(part);
    };
    while (range != blocks.end() && range->last < run.first) ++range;
    for (auto at = range; at != blocks.end() && at->first <= run.last(); ++at) {
      cut(at->first);
      cut(at->last + 1);
    }
    parts.push_back(rest);
  }
  return parts;
}

// As if all of it were configured, and auto_online_blocks left it offline.
Host configured(const Host& host, const BlockSet& blocks) {
  kernel::Model model(host);
  (void)model.set_knob(Knob::AutoOnlineBlocks, "offline");
  for (const BlockRange& part : blocks) (void)model.configure({part.first, part.last});
  Host with = model.host();
  with.blocks = cut_at(with.blocks, blocks);
  with.knobs = host.knobs;
  with.fingerprint = host.fingerprint;
  return with;
}

// Its own `memmap_on_memory` decides from 6.8 on, where the kernel supports it.
bool dax_holds_own_map(const Host& host, const std::string& name, std::uint64_t blocks) {
  const auto* dax = model::find_dax(host, name);
  return holds_own_map(host, Source::Dax, blocks) &&
         (dax == nullptr || dax->own_map.value_or(true));
}

Step step_of(Action action, RuleRef rule, std::string why) {
  Step step;
  step.action = std::move(action);
  step.rule = std::move(rule);
  step.why = std::move(why);
  return step;
}

}  // namespace

ConfigurePart::ConfigurePart(const sema::FlatPolicy& policy, const Host& host, Work& work)
    : policy_(policy), host_(host), work_(work) {
  without_blocks_ = asked_for(policy, host);
  if (without_blocks_.empty()) return;
  const std::size_t pieces = host.standby.size() + without_blocks_.ranges().size();
  if (!work.spend(pieces * (pieces + host.blocks.size() + host.dax_devices.size()))) return;
  with_ = configured(host, without_blocks_);
}

// A dax device is configured as a whole.
BlockSet ConfigurePart::reached_by(const Group& group) const {
  const BlockSet blocks = intersect(blocks_in(group.runs), without_blocks_);
  BlockSet reached;
  if (names(*group.rule, sema::ClassWord::Standby))
    reached = intersect(blocks, BlockSet(host_.standby));
  if (!names(*group.rule, sema::ClassWord::SystemRam)) return reached;
  std::vector<BlockRange> all = reached.ranges();
  for (const model::DaxDevice& dax : host_.dax_devices)
    if (model::touches(blocks, dax.blocks))
      all.insert(all.end(), dax.blocks.begin(), dax.blocks.end());
  return BlockSet(std::move(all));
}

void ConfigurePart::settle(Selection& selection) {
  const std::size_t pieces = host_.standby.size() + host_.dax_devices.size();
  if (!work_.spend(selection.groups.size() * pieces)) return;
  BlockSet reached;
  for (const Group& group : selection.groups) {
    const BlockSet by_group = reached_by(group);
    if (!by_group.empty()) answered_.insert(group.rule);
    reached = unite(reached, by_group);
    if (names(*group.rule, sema::ClassWord::Standby))
      named_ = unite(named_, subtract(blocks_in(group.runs), without_blocks_));
  }
  if (!with_) return;
  const BlockSet others = subtract(without_blocks_, reached);
  for (const Group& group : selection.groups)
    if (BlockSet taken = intersect(blocks_in(group.runs), others); !taken.empty())
      taken_.push_back({group.rule, std::move(taken)});
  for (Group& group : selection.groups) group.runs = without(group.runs, others);
  std::erase_if(selection.groups, [](const Group& group) { return group.runs.empty(); });
  selection.unselected = without(selection.unselected, others);
  std::vector<Undecided> undecided;
  for (Undecided& one : selection.undecided)
    for (const BlockRun& rest : without({one.blocks}, others)) {
      undecided.push_back(one);
      undecided.back().blocks = rest;
    }
  selection.undecided = std::move(undecided);
  with_->blocks = without(with_->blocks, others);
  with_->standby = intersect(others, BlockSet(host_.standby)).ranges();
  for (std::size_t i = 0; i < host_.dax_devices.size(); ++i)
    if (model::touches(others, host_.dax_devices[i].blocks))
      with_->dax_devices[i] = host_.dax_devices[i];
  without_blocks_ = reached;
}

// Before `online`: the memory of `blocks`, or all of its dax device.
void ConfigurePart::add_configuration(const BlockRange& blocks, const Step& online,
                                      std::vector<Step>& steps, BlockSet& left) const {
  const model::DaxDevice* dax = model::dax_with(host_, blocks.first);
  const auto& node = std::get<OnlineBlocks>(online.action).node;
  if (dax == nullptr) {
    steps.push_back(
        step_of(ConfigureBlocks{{blocks.first, blocks.last}, node, true, wanted_map(blocks), {}},
                online.rule, "standby memory has no blocks before it is configured"));
    left = subtract(left, BlockSet({blocks}));
    return;
  }
  for (const BlockRange& part : dax->blocks)
    steps.push_back(step_of(
        ConfigureBlocks{{part.first, part.last}, dax->node, true, std::nullopt, dax->name},
        online.rule,
        fmt::format("{} has no blocks before the driver kmem makes it system RAM", dax->name)));
  left = subtract(left, BlockSet(dax->blocks));
}

void ConfigurePart::add_steps(Allocation& allocation, const source::SourceSet& files,
                              std::vector<Step>& steps, diag::Sink& sink) const {
  const std::size_t pieces = host_.standby.size() + host_.dax_devices.size();
  if (!work_.spend(steps.size() * pieces)) return;
  warn_of_refused(sink);
  warn_of_taken(files, sink);
  BlockSet left = without_blocks_;
  bool standby = false;
  std::vector<Step> all;
  for (Step& step : steps) {
    if (const auto* online = std::get_if<OnlineBlocks>(&step.action)) {
      const BlockSet blocks({online->blocks.range()});
      for (BlockSet due = intersect(blocks, left); !due.empty(); due = intersect(blocks, left)) {
        add_configuration(due.ranges().front(), step, all, left);
        standby = standby || std::get<ConfigureBlocks>(all.back().action).device.empty();
      }
    }
    all.push_back(std::move(step));
  }
  steps = std::move(all);
  if (left != without_blocks_) hold_setting(steps);
  if (standby && !host_.standby_own_map && !policy_.settings.is(language::MemmapOnMemory::Leave))
    sink.add(diag::Code::StandbyMapUnknown, policy_.settings.span<language::MemmapOnMemory>(),
             "`set memmap-on-memory` is not applied to standby memory: its memmap_on_memory "
             "cannot be read")
        .help = "run memonline as root on the host itself, or capture it with `memonline capture`";
  for (Decision& decision : allocation.decisions)
    if (!decision.change && left.contains(decision.blocks.first))
      decision.reason = model::dax_with(host_, decision.blocks.first) != nullptr
                            ? "not system RAM: no share onlines a block of its device"
                            : "standby memory that is not configured";
  if (!has_room(steps, sink)) return;
  give_back(allocation, files, steps);
  for (std::size_t i = 0; i < steps.size(); ++i)
    steps[i].number = static_cast<std::uint32_t>(i + 1);
}

// A block that does not hold its own memory map takes it from kernel memory when it is configured.
model::Bytes ConfigurePart::cost_of(const ConfigureBlocks& config) const {
  const BlockSet all({config.blocks.range()});
  BlockSet own;
  if (!config.device.empty())
    own = dax_holds_own_map(host_, config.device, all.count()) ? all : BlockSet();
  else if (config.own_map)
    own = *config.own_map ? all : BlockSet();
  else if (host_.standby_own_map)
    own = intersect(all, BlockSet(*host_.standby_own_map));
  return cost_of_blocks(host_, own.count(), true) +
         cost_of_blocks(host_, subtract(all, own).count(), false);
}

bool ConfigurePart::has_room(const std::vector<Step>& steps, diag::Sink& sink) const {
  auto free = free_kernel_memory(host_);
  if (!free) return true;
  for (const Step& step : steps) {
    const auto* online = std::get_if<OnlineBlocks>(&step.action);
    if (online != nullptr && model::is_kernel_zone(online->zone))
      *free += host_.block_size * online->blocks.count();
    const auto* config = std::get_if<ConfigureBlocks>(&step.action);
    if (config == nullptr || !config->configure) continue;
    const model::Bytes needed = cost_of(*config);
    if (needed > *free) {
      auto& d =
          sink.add(diag::Code::NoRoomForMemoryMap, std::nullopt,
                   fmt::format("the memory map of {1} needs {2}; only {0} of kernel memory is free",
                               model::human(*free), model::range_name(config->blocks.range()),
                               model::human(needed)));
      d.help = "configure less at once: request a smaller share, or a `normal` share first";
      const auto* dax = model::find_dax(host_, config->device);
      if (dax != nullptr && dax->own_map == false)
        d.help = fmt::format(
            "boot with `memory_hotplug.memmap_on_memory=1` and write 1 to "
            "/sys/bus/dax/devices/{}/memmap_on_memory: the device then holds its own map",
            dax->name);
      else if (dax != nullptr)
        d.help = "boot with `memory_hotplug.memmap_on_memory=1`: the device then holds its own map";
      return false;
    }
    *free -= needed;
  }
  return true;
}

// The kernel onlines a block by auto_online_blocks while it is configured: not if the plan does.
void ConfigurePart::hold_setting(std::vector<Step>& steps) const {
  const std::string now =
      model::knob_value(host_.knobs, Knob::AutoOnlineBlocks).value_or("offline");
  if (now == "offline") return;
  const auto first = std::find_if(steps.begin(), steps.end(), [](const Step& step) {
    return std::holds_alternative<ConfigureBlocks>(step.action);
  });
  const bool held = std::any_of(steps.begin(), first, [](const Step& step) {
    const auto* set = std::get_if<SetKnob>(&step.action);
    return set != nullptr && set->knob == Knob::AutoOnlineBlocks && set->value == "offline";
  });
  if (held) return;
  const RuleRef rule = first->rule;
  steps.insert(steps.begin(),
               step_of(SetKnob{Knob::AutoOnlineBlocks, "offline", now, KnobScope::Run}, rule,
                       "first, and while the plan runs, so that the blocks it adds stay offline "
                       "until their own step"));
}

std::optional<bool> ConfigurePart::wanted_map(const BlockRange& blocks) const {
  if (!host_.standby_own_map) return std::nullopt;
  const bool off = policy_.settings.is(language::MemmapOnMemory::Off);
  if (policy_.settings.is(language::MemmapOnMemory::Leave)) return std::nullopt;
  // EOPNOTSUPP if the kernel was not booted with it.
  if (!off && !holds_own_map(host_, Source::Standby, 1)) return std::nullopt;
  const BlockSet all({blocks});
  const BlockSet own(*host_.standby_own_map);
  const BlockSet wrong = off ? intersect(all, own) : subtract(all, own);
  return wrong.empty() ? std::nullopt : std::optional(!off);
}

// `offline` of memory that a rule calls `standby` returns it, as offlining did before 6.19.
void ConfigurePart::give_back(Allocation& allocation, const source::SourceSet& files,
                              std::vector<Step>& steps) const {
  if (!host_.configures_standby) return;
  for (auto d = allocation.decisions.rbegin(); d != allocation.decisions.rend(); ++d) {
    const bool offline = d->change ? d->blocks.state == State::Online
                                   : d->blocks.state == State::Offline && d->unknown.empty();
    if (d->target != sema::Target::Offline || !offline || !d->span ||
        !named_.contains(d->blocks.first))
      continue;
    d->change = true;
    steps.push_back(step_of(
        ConfigureBlocks{
            {d->blocks.last(), d->blocks.first}, d->blocks.node, false, std::nullopt, {}},
        rule_ref(files, *d->span), "standby memory that stays offline returns to the hypervisor"));
  }
}

Host ConfigurePart::proved(const std::vector<Step>& steps, Host outcome, diag::Sink& sink) const {
  const bool any = std::any_of(steps.begin(), steps.end(), [](const Step& step) {
    return std::holds_alternative<ConfigureBlocks>(step.action);
  });
  if (!any && !with_) return outcome;
  kernel::Model model(host_);
  Result<std::monostate, kernel::Refusal> done = std::monostate{};
  for (const Step& step : steps) {
    std::visit(overloaded{
                   [&](const SetKnob& set) { done = model.set_knob(set.knob, set.value); },
                   [&](const OnlineBlocks& online) {
                     const auto placed = model.online(online.blocks, online.word);
                     if (!placed)
                       done = fail(placed.error());
                     else if (placed->size() != 1 || placed->front().zone != online.zone)
                       done = fail(kernel::Refusal{
                           kernel::Errno::Einval, online.blocks.first, "it changes its zone", {}});
                   },
                   [&](const OfflineBlocks& offline) {
                     if (const auto went = model.offline(offline.blocks); !went)
                       done = fail(went.error());
                   },
                   [&](const ConfigureBlocks& config) {
                     done = config.configure ? model.configure(config.blocks)
                                             : model.deconfigure(config.blocks);
                   },
                   [](const ProbeBlock&) {},
                   [](const ReclaimMemory&) {},
                   [](const SetParameters&) {},
               },
               step.action);
    if (done) continue;
    sink.add(diag::Code::NoLegalOrder, std::nullopt,
             fmt::format("the kernel would refuse step {}: {}: {}", step.number,
                         model::block_name(done.error().block), done.error().why));
    return outcome;
  }
  Host after = model.host();
  after.knobs = outcome.knobs;  // those of the run are put back
  if (after.standby_own_map)
    after.standby_own_map =
        intersect(BlockSet(*after.standby_own_map), BlockSet(after.standby)).ranges();
  return after;
}

}  // namespace memonline::plan
