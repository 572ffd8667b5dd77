// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/kept_plans.hpp"

#include <string>

#include "runtime/apply/plan_file.hpp"
#include "runtime/base/file.hpp"
#include "tests/support/catch.hpp"

namespace memonline {

using service::KeptPlans;

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20U;

bool keep(KeptPlans& plans, std::uint32_t uid, const std::string& digest, std::size_t bytes = 100,
          KeptPlans::Clock::time_point now = KeptPlans::Clock::now()) {
  return plans.keep(uid, digest, {std::string(bytes, 'x'), {}}, now);
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
  CHECK(plans.size() == 1 + KeptPlans::kMaxOfOne);
}

TEST_CASE("kept plans: one asked for again is the latest again, and counts once") {
  KeptPlans plans;
  keep(plans, 1, "first");
  for (int i = 1; i < 16; ++i) keep(plans, 1, std::to_string(i));
  keep(plans, 1, "first");
  CHECK(plans.size() == KeptPlans::kMaxOfOne);
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
  CHECK(plans.size() == KeptPlans::kMax);
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
  CHECK_FALSE(keep(plans, 1, "too large", KeptPlans::kMaxBytesOfOne + 1));
  CHECK(plans.find("too large") == nullptr);
  CHECK(plans.find("larger") != nullptr);
}

TEST_CASE("kept plans: all of them are bounded in bytes, at the cost of who has most") {
  KeptPlans plans;
  keep(plans, 1, "little", kMiB);
  for (std::uint32_t uid = 2; uid < 12; ++uid) keep(plans, uid, std::to_string(uid), 7 * kMiB);
  CHECK(plans.bytes() <= KeptPlans::kMaxBytes);
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

TEST_CASE("kept plans: large ones make room after half a minute, those of who has most first") {
  KeptPlans plans;
  const auto start = KeptPlans::Clock::now();
  const auto later = start + KeptPlans::kLater;
  keep(plans, 1, "small", 100, start);
  keep(plans, 2, "large", 4 * kMiB, start);
  keep(plans, 3, "new", 4 * kMiB, start + std::chrono::seconds(10));
  CHECK(plans.expires_at() == later);
  plans.expire(later - std::chrono::milliseconds(1));
  CHECK(plans.size() == 3);
  plans.expire(later);
  CHECK(plans.find("small", later) != nullptr);
  CHECK(plans.find("large", later) == nullptr);
  CHECK(plans.find("new", later) != nullptr);
  CHECK(plans.expires_at() == later + std::chrono::seconds(10));
  plans.expire(later + std::chrono::seconds(10));
  CHECK(plans.size() == 1);
  CHECK(plans.expires_at() == start + KeptPlans::kKeptFor);
}

TEST_CASE("kept plans: of many that are older than half a minute, sixteen are kept") {
  KeptPlans plans;
  const auto start = KeptPlans::Clock::now();
  keep(plans, 1000, "alone", 100, start);
  for (std::uint32_t uid = 1; uid < 8; ++uid)
    for (int i = 0; i < 16; ++i)
      keep(plans, uid, std::to_string(uid) + ":" + std::to_string(i), 100, start);
  CHECK(plans.expires_at() == start + KeptPlans::kLater);
  plans.expire(start + KeptPlans::kLater);
  CHECK(plans.size() == KeptPlans::kMaxLater);
  CHECK(plans.find("alone", start) != nullptr);
  CHECK(plans.find("7:15", start) != nullptr);
}

TEST_CASE("kept plans: root's go last") {
  KeptPlans plans;
  const auto start = KeptPlans::Clock::now();
  keep(plans, 0, "of root", 100 << 10, start);
  keep(plans, 1, "first", 20 << 10, start);
  keep(plans, 2, "second", 20 << 10, start);
  plans.expire(start + KeptPlans::kLater);
  CHECK(plans.find("of root", start) != nullptr);
  CHECK(plans.size() == 2);
  keep(plans, 0, "another of root", 100 << 10, start);
  plans.expire(start + KeptPlans::kLater);
  CHECK(plans.find("another of root", start) != nullptr);
  CHECK(plans.size() == 1);
}

TEST_CASE("kept plans: a plan comes back as it was, and takes a fraction of its document") {
  const auto document = runtime::read_file(std::string(MEMONLINE_TESTS_DIR) +
                                           "/golden/documents/6.12-c1/hotplugged-normal.json");
  REQUIRE(document);
  const auto made = apply::read_plan(*document, "a plan");
  REQUIRE(made);
  const auto kept = service::kept_plan(*document, *made);
  REQUIRE(kept);
  CHECK(kept->bytes() < document->size() / 2);
  CHECK(kept->summary.steps == made->steps.size());
  const auto plan = service::plan_in(*kept);
  REQUIRE(plan);
  CHECK(plan->host == made->host);
  REQUIRE(plan->steps.size() == made->steps.size());
  for (std::size_t i = 0; i < made->steps.size(); ++i)
    CHECK(plan->steps[i].action == made->steps[i].action);
}

}  // namespace memonline
