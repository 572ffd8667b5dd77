// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/standby.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/kernel/model.hpp"
#include "compiler/language/settings.hpp"
#include "compiler/plan/hotplug.hpp"
#include "compiler/plan/sources.hpp"

namespace memonline::plan {

using model::BlockRange;
using model::BlockRun;
using model::BlockSet;
using model::Host;
using model::Knob;
using model::State;

namespace {

bool names_standby(const sema::Rule& rule) {
  const auto& classes = rule.selector.classes;
  return std::any_of(classes.begin(), classes.end(), [](const sema::Class& one) {
    return sema::is_word(one, sema::ClassWord::Standby);
  });
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
  std::vector<BlockRun> parts = without(runs, blocks);
  for (const BlockRange& range : blocks)
    for (const BlockRun& part : without(runs, subtract(blocks_in(runs), BlockSet({range}))))
      parts.push_back(part);
  std::sort(parts.begin(), parts.end(),
            [](const BlockRun& a, const BlockRun& b) { return a.first < b.first; });
  return parts;
}

// As if all of it were configured, and auto_online_blocks left it offline.
Host configured(const Host& host) {
  kernel::Model model(host);
  (void)model.set_knob(Knob::AutoOnlineBlocks, "offline");
  for (const BlockRange& part : host.standby) (void)model.configure({part.first, part.last});
  Host with = model.host();
  with.blocks = cut_at(with.blocks, BlockSet(host.standby));
  with.knobs = host.knobs;
  with.fingerprint = host.fingerprint;
  return with;
}

Step step_of(Action action, RuleRef rule, std::string why) {
  Step step;
  step.action = std::move(action);
  step.rule = std::move(rule);
  step.why = std::move(why);
  return step;
}

}  // namespace

StandbyPart::StandbyPart(const sema::FlatPolicy& policy, const Host& host, Work& work)
    : policy_(policy), host_(host), work_(work) {
  if (host.standby.empty() || std::none_of(policy.rules.begin(), policy.rules.end(), names_standby))
    return;
  if (!work.spend(host.standby.size() * (host.standby.size() + host.blocks.size()))) return;
  without_blocks_ = BlockSet(host.standby);
  with_ = configured(host);
}

void StandbyPart::settle(Selection& selection) {
  if (!work_.spend(selection.groups.size() * host_.standby.size())) return;
  BlockSet reached;
  for (const Group& group : selection.groups) {
    if (!names_standby(*group.rule)) continue;
    const BlockSet blocks = blocks_in(group.runs);
    reached = unite(reached, intersect(blocks, without_blocks_));
    named_ = unite(named_, subtract(blocks, without_blocks_));
  }
  if (!with_) return;
  const BlockSet others = subtract(without_blocks_, reached);
  for (Group& group : selection.groups) group.runs = without(group.runs, others);
  std::erase_if(selection.groups, [](const Group& group) { return group.runs.empty(); });
  selection.unselected = without(selection.unselected, without_blocks_);
  std::vector<Undecided> undecided;
  for (Undecided& one : selection.undecided)
    for (const BlockRun& rest : without({one.blocks}, without_blocks_)) {
      undecided.push_back(one);
      undecided.back().blocks = rest;
    }
  selection.undecided = std::move(undecided);
  with_->blocks = without(with_->blocks, others);
  with_->standby = others.ranges();
  without_blocks_ = reached;
}

void StandbyPart::add_steps(Allocation& allocation, const source::SourceSet& files,
                            std::vector<Step>& steps, diag::Sink& sink) const {
  if (!work_.spend(steps.size() * host_.standby.size())) return;
  BlockSet left = without_blocks_;
  std::vector<Step> all;
  for (Step& step : steps) {
    if (const auto* online = std::get_if<OnlineBlocks>(&step.action)) {
      const BlockSet blocks({online->blocks.range()});
      for (const BlockRange& part : intersect(blocks, left))
        all.push_back(
            step_of(ConfigureBlocks{{part.first, part.last}, online->node, true, wanted_map(part)},
                    step.rule, "standby memory has no blocks before it is configured"));
      left = subtract(left, blocks);
    }
    all.push_back(std::move(step));
  }
  steps = std::move(all);
  if (left != without_blocks_) {
    hold_setting(steps);
    if (!host_.standby_own_map && !policy_.settings.is(language::MemmapOnMemory::Leave))
      sink.add(diag::Code::StandbyMapUnknown, policy_.settings.span<language::MemmapOnMemory>(),
               "`set memmap-on-memory` is not applied to standby memory: its memmap_on_memory "
               "cannot be read")
          .help =
          "run memonline as root on the host itself, or capture it with `memonline capture`";
  }
  for (Decision& decision : allocation.decisions)
    if (!decision.change && left.contains(decision.blocks.first))
      decision.reason = "standby memory that is not configured";
  give_back(allocation, files, steps);
  for (std::size_t i = 0; i < steps.size(); ++i)
    steps[i].number = static_cast<std::uint32_t>(i + 1);
}

// The kernel onlines a block by auto_online_blocks while it is configured: not if the plan does.
void StandbyPart::hold_setting(std::vector<Step>& steps) const {
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
                       "first, and while the plan runs, so that memory that is configured stays "
                       "offline until its own step"));
}

std::optional<bool> StandbyPart::wanted_map(const BlockRange& blocks) const {
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
void StandbyPart::give_back(Allocation& allocation, const source::SourceSet& files,
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
        ConfigureBlocks{{d->blocks.last(), d->blocks.first}, d->blocks.node, false, std::nullopt},
        rule_ref(files, *d->span), "standby memory that stays offline returns to the hypervisor"));
  }
}

Host StandbyPart::proved(const std::vector<Step>& steps, Host outcome, diag::Sink& sink) const {
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
