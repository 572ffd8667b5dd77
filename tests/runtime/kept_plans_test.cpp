// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/kept_plans.hpp"

#include <string>

#include "tests/support/catch.hpp"

namespace memonline {

using service::KeptPlans;

namespace {

void keep(KeptPlans& plans, std::uint32_t uid, const std::string& digest) {
  plans.keep(uid, digest, std::make_shared<plan::Plan>());
}

}  // namespace

TEST_CASE("kept plans: who asks for many loses his own and nobody else's") {
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

TEST_CASE("kept plans: beyond all that may be, who has most gives") {
  KeptPlans plans;
  keep(plans, 1000, "alone");
  for (std::uint32_t uid = 0; uid < 20; ++uid)
    for (int i = 0; i < 16; ++i) keep(plans, uid, std::to_string(uid) + ":" + std::to_string(i));
  CHECK(plans.size() == KeptPlans::kMost);
  CHECK(plans.find("alone") != nullptr);
  CHECK(plans.find("19:15") != nullptr);
}

}  // namespace memonline
