// SPDX-License-Identifier: LGPL-2.1-or-later
// What holds for every plan, on any host and policy. The seed is printed; RC_PARAMS sets seed and
// number of cases.
#include <algorithm>

#include <rapidcheck.h>

#include "compiler/kernel/model.hpp"
#include "compiler/plan/compare.hpp"
#include "compiler/render/plan.hpp"
#include "compiler/sema/resolve.hpp"
#include "tests/compiler/any_plan.hpp"
#include "tests/compiler/reference_allocation.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/planning.hpp"

using namespace memonline;
using model::Era;
using test::any_era;
using test::any_host;
using test::any_policy;
using test::any_shares;
using test::layout_text;
using test::number;
using test::plan_for;

TEST_CASE(
    "property: no block is in two steps, the model accepts every step, and the outcome is at "
    "rest") {
  const bool ok = rc::check("steps", [] {
    const model::Host host = any_host(any_era());
    const std::string policy = any_policy();
    const Compilation c = plan_for(host, policy);
    RC_LOG() << policy << layout_text(host) << " era " << model::era_name(host.era) << "\n";
    if (!c.plan) {
      // A plan may only fail where the kernel has no legal order or no room.
      const std::string codes = test::codes_text(c.diagnostics);
      for (const auto& d : c.diagnostics.sorted())
        RC_LOG() << diag::name_of(d.code) << ": " << d.message << "\n";
      RC_ASSERT(codes.find("ML0506") != std::string::npos ||
                codes.find("ML0505") != std::string::npos);
      RC_ASSERT(host.era < Era::C1 || codes.find("ML0505") != std::string::npos);
      return;
    }
    RC_LOG() << test::steps_text(*c.plan);
    kernel::Model model(host);
    std::map<std::uint64_t, int> onlined;
    for (const plan::Step& step : c.plan->steps) {
      if (const auto* set = std::get_if<plan::SetKnob>(&step.action);
          set != nullptr && set->scope == plan::KnobScope::Stay)
        RC_ASSERT(model.set_knob(set->knob, set->value).has_value());
      if (const auto* offline = std::get_if<plan::OfflineBlocks>(&step.action))
        RC_ASSERT(model.offline(offline->blocks).has_value());
      if (const auto* online = std::get_if<plan::OnlineBlocks>(&step.action)) {
        const auto placed = model.online(online->blocks, online->word);
        RC_ASSERT(placed.has_value());
        RC_ASSERT(placed->size() == 1U);
        RC_ASSERT(placed->front().zone == online->zone);
        for (std::uint64_t b = online->blocks.low().value(); b <= online->blocks.high().value();
             ++b)
          RC_ASSERT(++onlined[b] == 1);
      }
    }
    RC_ASSERT(layout_text(model.host()) == layout_text(c.outcome));
    const Compilation again = plan_for(c.outcome, policy);
    RC_ASSERT(again.plan.has_value());
    RC_LOG() << "again:\n" << layout_text(c.outcome) << "\n" << test::steps_text(*again.plan);
    RC_ASSERT(test::steps_text(*again.plan).empty());
  });
  CHECK(ok);
}

TEST_CASE("property: a run that is killed after any write is on the way, and done at the end") {
  const bool ok = rc::check("killed", [] {
    const model::Host host = any_host(any_era());
    const Compilation c = plan_for(host, any_policy());
    RC_PRE(c.plan.has_value());
    const auto killed_here = [&](const kernel::Model& model) {
      const plan::Comparison now = plan::compare(*c.plan, model.host());
      RC_LOG() << test::steps_text(*c.plan);
      for (const std::string& line : now.lines) RC_LOG() << line << "\n";
      RC_ASSERT(now.same || now.on_the_way);
      RC_ASSERT(now.same == now.lines.empty());
      return now.fulfilled;
    };
    kernel::Model model(host);
    bool fulfilled = killed_here(model);
    RC_ASSERT(fulfilled == c.plan->steps.empty());
    for (const plan::Step& step : c.plan->steps) {
      RC_ASSERT_FALSE(fulfilled);
      const auto each = [&](const model::WriteRun& run, const auto& write) {
        for (std::uint64_t i = 0; i < run.count(); ++i) {
          const model::BlockId block = run.descending() ? run.first - i : run.first + i;
          RC_ASSERT(write(model::WriteRun{block, block}));
          fulfilled = killed_here(model);
        }
      };
      if (const auto* set = std::get_if<plan::SetKnob>(&step.action)) {
        RC_ASSERT(model.set_knob(set->knob, set->value).has_value());
        fulfilled = killed_here(model);
      }
      if (const auto* offline = std::get_if<plan::OfflineBlocks>(&step.action))
        each(offline->blocks, [&](model::WriteRun one) { return model.offline(one).has_value(); });
      if (const auto* online = std::get_if<plan::OnlineBlocks>(&step.action))
        each(online->blocks,
             [&](model::WriteRun one) { return model.online(one, online->word).has_value(); });
    }
    RC_ASSERT(fulfilled);
  });
  CHECK(ok);
}

TEST_CASE("property: shares as the design promises them") {
  const bool ok = rc::check("shares", [] {
    const model::Host host = any_host(Era::D);
    const std::string policy = "all: " + any_shares() + "\n";
    const source::SourceSet files{source::SourceFile("t.mempolicy", policy)};
    diag::Sink sink;
    const auto checked = sema::analyse(files, sink);
    RC_PRE(checked.has_value());
    const sema::FlatPolicy flat = sema::resolve(*checked, host, sink);
    const Compilation c = plan_for(host, policy);
    RC_ASSERT(c.plan.has_value());
    const std::string expected = test::reference_allocation(
        layout_text(host), flat.rules.front().shares, host.block_size.value());
    const std::string got = layout_text(c.outcome);
    RC_LOG() << policy << layout_text(host) << "\n" << expected << " expected\n" << got << " got\n";
    RC_ASSERT(got.size() == expected.size());
    for (std::size_t i = 0; i < got.size(); ++i)
      RC_ASSERT((expected[i] == 'a' ? got[i] != '.' : got[i] == expected[i]));
  });
  CHECK(ok);
}

TEST_CASE("property: normal is never less than asked while blocks are there for it") {
  const bool ok = rc::check("normal", [] {
    const model::Host host = any_host(Era::D);
    const std::uint64_t percent = number(1, 100);
    const Compilation c =
        plan_for(host, "all: " + std::to_string(percent) + "% normal, rest movable\n");
    RC_ASSERT(c.plan.has_value());
    const std::string before = layout_text(host);
    const std::string after = layout_text(c.outcome);
    const auto count = [](const std::string& text, char mark) {
      return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), mark));
    };
    const std::uint64_t asked = (before.size() * percent + 99) / 100;
    const std::uint64_t possible = count(before, 'N') + count(before, '.');
    RC_ASSERT(count(after, 'N') >= std::min(asked, possible));
  });
  CHECK(ok);
}

TEST_CASE("property: growing a group moves nothing that is online") {
  const bool ok = rc::check("growing", [] {
    const model::Host host = any_host(Era::D);
    std::string policy = any_policy();
    if (policy.rfind("set rezone", 0) == 0) policy.erase(0, policy.find('\n') + 1);
    const Compilation first = plan_for(host, policy);
    RC_PRE(first.plan.has_value());
    kernel::Model model(first.outcome);
    const auto device = model.add_device(
        {model::Device::Kind::Dimm, model::Origin::Hotplugged, "dimm77", "", std::uint32_t{77}});
    RC_ASSERT(model.add(model::BlockId(400), number(1, 16), model::NodeId(0), device).has_value());
    const model::Host grown = model.host();
    const Compilation second = plan_for(grown, policy);
    RC_ASSERT(second.plan.has_value());
    const std::string before = layout_text(grown);
    const std::string after = layout_text(second.outcome);
    for (std::size_t i = 0; i < before.size(); ++i)
      RC_ASSERT((before[i] == '.' || before[i] == after[i]));
  });
  CHECK(ok);
}

TEST_CASE("property: the same host and policy give the same bytes") {
  const bool ok = rc::check("bytes", [] {
    const model::Host host = any_host(any_era());
    const std::string policy = any_policy();
    const Compilation a = plan_for(host, policy);
    const Compilation b = plan_for(host, policy);
    RC_PRE(a.plan.has_value());
    RC_ASSERT(render::plan_to_json(*a.plan) == render::plan_to_json(*b.plan));
    RC_ASSERT(render::plan_to_shell(*a.plan) == render::plan_to_shell(*b.plan));
  });
  CHECK(ok);
}
