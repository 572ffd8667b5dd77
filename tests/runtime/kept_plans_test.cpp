// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/kept_plans.hpp"

#include <string>

#include "tests/support/catch.hpp"

namespace memonline {

using service::KeptPlans;
using service::PlanToApply;

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20U;

bool keep(KeptPlans& plans, std::uint32_t uid, const std::string& digest, std::size_t bytes = 100,
          KeptPlans::Clock::time_point now = KeptPlans::Clock::now()) {
  return plans.keep(uid, digest, {std::make_shared<plan::Plan>(), bytes}, now);
}

}  // namespace

TEST_CASE("kept plans: a user who asks for many loses own ones and nobody else's") {
  KeptPlans plans;
  keep(plans, 1, "mine");
  for (int i = 0; i < 100; ++i) keep(plans, 2, std::to_string(i));
  CHECK(plans.find("mine") != nullptr);
  CHECK(plans.find("83") == nullptr);
  CHECK(plans.find("84") != nullptr);
  CHECK(plans.find("99") != nullptr);
  CHECK(plans.size() == 1 + KeptPlans::kMostOfOne);
}

TEST_CASE("kept plans: one asked for again is the latest again, and counts once") {
  KeptPlans plans;
  keep(plans, 1, "first");
  for (int i = 1; i < 16; ++i) keep(plans, 1, std::to_string(i));
  keep(plans, 1, "first");
  CHECK(plans.size() == KeptPlans::kMostOfOne);
  keep(plans, 1, "another");
  CHECK(plans.find("first") != nullptr);
  CHECK(plans.find("1") == nullptr);
}

TEST_CASE("kept plans: what two users made is found until both have lost it") {
  KeptPlans plans;
  keep(plans, 1, "same");
  keep(plans, 2, "same");
  for (int i = 0; i < 16; ++i) keep(plans, 1, std::to_string(i));
  CHECK(plans.find("same") != nullptr);
  for (int i = 0; i < 16; ++i) keep(plans, 2, std::to_string(i));
  CHECK(plans.find("same") == nullptr);
}

TEST_CASE("kept plans: beyond all that may be, the user who has most gives") {
  KeptPlans plans;
  keep(plans, 1000, "alone");
  for (std::uint32_t uid = 0; uid < 20; ++uid)
    for (int i = 0; i < 16; ++i) keep(plans, uid, std::to_string(uid) + ":" + std::to_string(i));
  CHECK(plans.size() == KeptPlans::kMost);
  CHECK(plans.find("alone") != nullptr);
  CHECK(plans.find("19:15") != nullptr);
}

TEST_CASE("kept plans: a user's share is bounded in bytes") {
  KeptPlans plans;
  CHECK(keep(plans, 1, "small", kMiB));
  CHECK(keep(plans, 1, "large", 6 * kMiB));
  CHECK(keep(plans, 1, "larger", 7 * kMiB));
  CHECK(plans.find("small") == nullptr);
  CHECK(plans.find("large") == nullptr);
  CHECK(plans.find("larger") != nullptr);
  CHECK_FALSE(keep(plans, 1, "too large", KeptPlans::kMostBytesOfOne + 1));
  CHECK(plans.find("too large") == nullptr);
  CHECK(plans.find("larger") != nullptr);
}

TEST_CASE("kept plans: all of them are bounded in bytes, at the cost of who has most") {
  KeptPlans plans;
  keep(plans, 1, "little", kMiB);
  for (std::uint32_t uid = 2; uid < 12; ++uid) keep(plans, uid, std::to_string(uid), 7 * kMiB);
  CHECK(plans.bytes() <= KeptPlans::kMostBytes);
  CHECK(plans.find("little") != nullptr);
  CHECK(plans.find("11") != nullptr);
  CHECK(plans.find("2") == nullptr);
}

TEST_CASE("kept plans: they expire after ten minutes") {
  KeptPlans plans;
  const auto start = KeptPlans::Clock::now();
  CHECK_FALSE(plans.expires_at());
  keep(plans, 1, "first", 100, start);
  keep(plans, 1, "second", 100, start + std::chrono::minutes(4));
  CHECK(plans.expires_at() == start + std::chrono::minutes(10));
  CHECK(plans.find("first", start + std::chrono::minutes(9)) != nullptr);
  CHECK(plans.find("first", start + std::chrono::minutes(10)) == nullptr);
  plans.expire(start + std::chrono::minutes(10));
  CHECK(plans.size() == 1);
  CHECK(plans.expires_at() == start + std::chrono::minutes(14));
  plans.expire(start + std::chrono::minutes(14));
  CHECK(plans.size() == 0);
}

TEST_CASE("kept plans: what applying needs is kept, and nothing else") {
  plan::Plan plan;
  plan.host.fingerprint = "sha256:0";
  plan.host.facts = {"era D"};
  plan::Step step;
  step.number = 1;
  step.action = plan::OnlineBlocks{plan::OnlineWord::OnlineMovable,
                                   {model::BlockId(32), model::BlockId(39)},
                                   {},
                                   model::Zone::Movable};
  step.rule = {"/etc/a.mempolicy", 3, 1, "rest movable"};
  step.why = std::string(10000, 'x');
  plan.steps.push_back(step);
  plan.diagnostics.resize(1000);
  plan.skipped.resize(1000);
  const PlanToApply kept = service::plan_to_apply(plan);
  CHECK(kept.plan->host == plan.host);
  REQUIRE(kept.plan->steps.size() == 1);
  CHECK(kept.plan->steps[0].action == step.action);
  CHECK(kept.plan->steps[0].rule.text == "rest movable");
  CHECK(kept.plan->diagnostics.empty());
  CHECK(kept.plan->skipped.empty());
  CHECK(kept.bytes > sizeof(plan::Plan));
  CHECK(kept.bytes < 10000);
}

}  // namespace memonline
