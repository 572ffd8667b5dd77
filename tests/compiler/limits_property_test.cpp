// SPDX-License-Identifier: LGPL-2.1-or-later
// What `limit movable to ...` promises, on any host and policy, with a limit in every policy. The
// seed is printed; RC_PARAMS sets seed and number of cases.
#include <algorithm>

#include <rapidcheck.h>

#include "compiler/kernel/model.hpp"
#include "compiler/language/settings.hpp"
#include "compiler/plan/select.hpp"
#include "compiler/sema/resolve.hpp"
#include "tests/compiler/any_plan.hpp"
#include "tests/compiler/reference_limits.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/planning.hpp"

using namespace memonline;
using model::Era;
using test::BlockFate;
using test::layout_text;
using test::number;
using test::plan_for;

namespace {

struct Case {
  model::Host host;
  std::string rules;
  std::string policy;  // the rules with limits
  sema::FlatPolicy flat;
};

std::string some_limits() {
  std::string text = test::any_limit();
  if (number(0, 2) == 0) text += test::any_limit();
  return text;
}

// The host has the kernel settings of the plan already: what the kernel picks then does not change
// with the limit.
model::Host with_settings_of(const plan::Plan& plan, const model::Host& host) {
  kernel::Model model(host);
  for (const plan::Step& step : plan.steps)
    if (const auto* set = std::get_if<plan::SetKnob>(&step.action))
      if (set->scope == plan::KnobScope::Stay) (void)model.set_knob(set->knob, set->value);
  return model.host();
}

sema::FlatPolicy flat_of(const std::string& policy, const model::Host& host) {
  const source::SourceSet files{source::SourceFile("t.mempolicy", policy)};
  diag::Sink sink;
  const auto checked = sema::analyse(files, sink);
  RC_PRE(checked.has_value());
  return sema::resolve(*checked, host, sink);
}

Case any_case(Era era) {
  Case one{test::any_host(era), test::any_rules(), {}, {}};
  one.policy = one.rules + some_limits();
  one.flat = flat_of(one.policy, one.host);
  return one;
}

std::vector<BlockFate> blocks_of(const Case& one, const std::string& before) {
  std::vector<BlockFate> blocks(before.size());
  std::map<std::uint64_t, std::size_t> index;
  for (const model::BlockRun& run : one.host.blocks)
    for (std::uint64_t i = 0; i < run.count; ++i) {
      const std::size_t at = index.size();
      index.emplace(run.first.value() + i, at);
      blocks[at].node = run.node->value();
      blocks[at].before = before[at];
    }
  diag::Sink sink;
  Work work;
  for (const plan::Group& group : plan::select(one.flat, one.host, sink, work).groups) {
    const bool whole =
        test::reference_whole(group.rule->shares, group.blocks(), one.host.block_size.value());
    for (const model::BlockRun& run : group.runs)
      for (std::uint64_t i = 0; i < run.count; ++i)
        blocks[index.at(run.first.value() + i)].whole = whole;
  }
  return blocks;
}

bool rezones(const Case& one) { return one.flat.settings.is(language::Rezone::Allowed); }

// Whether a rule has both `auto` and `movable` shares.
bool either_may_lack(const Case& one) {
  return std::any_of(one.flat.rules.begin(), one.flat.rules.end(), [](const sema::Rule& rule) {
    const auto has = [&](sema::Target target) {
      return std::any_of(rule.shares.begin(), rule.shares.end(),
                         [&](const sema::Share& share) { return share.target == target; });
    };
    return has(sema::Target::Auto) && has(sema::Target::Movable);
  });
}

bool moves_memory(const plan::Plan& plan) {
  return std::any_of(plan.steps.begin(), plan.steps.end(), [](const plan::Step& step) {
    return !std::holds_alternative<plan::SetKnob>(step.action);
  });
}

void log(const Case& one) {
  RC_LOG() << one.policy << layout_text(one.host) << " era " << model::era_name(one.host.era)
           << " nodes ";
  for (const model::BlockRun& run : one.host.blocks)
    RC_LOG() << run.first.value() << "+" << run.count << "@" << run.node->value() << " ";
  RC_LOG() << "\n";
}

void nothing_left_to_do(const model::Host& outcome, const std::string& policy) {
  const Compilation again = plan_for(outcome, policy);
  RC_ASSERT(again.plan.has_value());
  RC_LOG() << layout_text(outcome) << " again:\n" << test::steps_text(*again.plan);
  RC_ASSERT(again.plan->steps.empty());
}

// Limits hold, but where memory that was Movable before violates them.
void limits_kept(const Case& one, const std::string& before, const std::string& after) {
  const std::vector<BlockFate> blocks = blocks_of(one, before);
  for (std::size_t i = 0; i < blocks.size(); ++i)
    if (after[i] == 'M' && before[i] != 'M')
      RC_ASSERT(test::limits_hold(after, blocks, one.flat.limits, one.host.block_size.value(), i));
}

}  // namespace

TEST_CASE("property: a limit keeps its promises, and a second plan has no steps") {
  const bool ok = rc::check("limit", [] {
    const Case one = any_case(test::any_era());
    log(one);
    const Compilation limited = plan_for(one.host, one.policy);
    if (!limited.plan) {
      const std::string codes = test::codes_text(limited.diagnostics);
      RC_ASSERT(codes.find("ML0505") != std::string::npos ||
                (one.host.era < Era::C1 && codes.find("ML0506") != std::string::npos));
      // A refused block makes no plan impossible. Before 4.14 an `offline` share offlines nothing
      // beside a limit; with `rezone`, other blocks then change zone, and these may be in the way.
      if (codes.find("ML0506") != std::string::npos &&
          !(rezones(one) && one.rules.find("offline") != std::string::npos))
        RC_ASSERT(test::codes_text(plan_for(one.host, one.rules).diagnostics).find("ML0506") !=
                  std::string::npos);
      return;
    }
    const std::string before = layout_text(one.host);
    const std::string after = layout_text(limited.outcome);
    RC_LOG() << after << " with the limit\n" << test::steps_text(*limited.plan);
    limits_kept(one, before, after);

    const Compilation free = plan_for(with_settings_of(*limited.plan, one.host), one.rules);
    if (free.plan) {
      const std::string without = layout_text(free.outcome);
      RC_LOG() << without << " without\n" << test::steps_text(*free.plan);
      for (std::size_t i = 0; i < before.size(); ++i) {
        // Never more memory online than the shares ask for.
        if (before[i] == '.' && without[i] == '.') RC_ASSERT(after[i] == '.');
        // Kernel memory, and `auto` blocks that the kernel puts there, are not lost. What is online
        // in Movable may be that of an `auto` share, and what is lacking that of a `movable` one.
        if (before[i] == '.' && without[i] == 'N')
          RC_ASSERT(after[i] == 'N' || (!moves_memory(*limited.plan) && either_may_lack(one)));
        if (before[i] == 'M' && !rezones(one)) RC_ASSERT(after[i] == 'M');
      }
    }
    nothing_left_to_do(limited.outcome, one.policy);
  });
  CHECK(ok);
}

TEST_CASE("property: a limit does block by block what its sentences say") {
  const bool ok = rc::check("reference", [] {
    Case one{test::any_host(Era::D), {}, {}, {}};
    const std::uint64_t rules = number(1, 2);
    for (std::uint64_t i = 0; i < rules; ++i)
      one.rules += test::pick<std::string>({"all", "hotplugged", "node0", "each node", "each dimm",
                                            "hotplugged except node0"}) +
                   ": " + test::any_shares() + "\n";
    RC_PRE(one.rules.find("auto") == std::string::npos);
    one.policy = one.rules + some_limits();
    one.flat = flat_of(one.policy, one.host);
    const Compilation free = plan_for(one.host, one.rules);
    const Compilation limited = plan_for(one.host, one.policy);
    RC_PRE(free.plan && limited.plan);
    const std::string before = layout_text(one.host);
    std::vector<BlockFate> blocks = blocks_of(one, before);
    const std::string wanted = layout_text(free.outcome);
    for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i].wanted = wanted[i];
    const std::string expected =
        test::reference_limits(blocks, one.flat.limits, one.host.block_size.value());
    log(one);
    const std::string after = layout_text(limited.outcome);
    RC_LOG() << wanted << " wanted\n" << expected << " expected\n" << after << " got\n";
    // Where the sentences collide with "a second plan has no steps", nothing is done. That takes
    // memory that is online in more than one way.
    const bool nothing_done = after == before && one.policy.find(',') != std::string::npos;
    RC_CLASSIFY(nothing_done && expected != before);
    RC_ASSERT(after == expected || nothing_done);
  });
  CHECK(ok);
}

TEST_CASE("property: with a limit, growing moves nothing that is online") {
  const bool ok = rc::check("growing", [] {
    const Case one = any_case(test::any_era());
    const Compilation first = plan_for(one.host, one.policy);
    RC_PRE(first.plan.has_value());
    kernel::Model model(first.outcome);
    const auto device = model.add_device(
        {model::Device::Kind::Dimm, model::Origin::Hotplugged, "dimm77", "", std::uint32_t{77}});
    RC_ASSERT(model.add(model::BlockId(400), number(1, 12), model::NodeId(0), device).has_value());
    const model::Host grown = model.host();
    const Compilation second = plan_for(grown, one.policy);
    log(one);
    if (!second.plan) {
      RC_ASSERT(one.host.era < Era::C1 ||
                test::codes_text(second.diagnostics).find("ML0505") != std::string::npos);
      return;
    }
    const std::string before = layout_text(grown);
    const std::string after = layout_text(second.outcome);
    RC_LOG() << before << " grown\n" << after << "\n" << test::steps_text(*second.plan);
    for (std::size_t i = 0; i < before.size(); ++i)
      RC_ASSERT((rezones(one) || before[i] == '.' || before[i] == after[i]));
    nothing_left_to_do(second.outcome, one.policy);
  });
  CHECK(ok);
}
