// SPDX-License-Identifier: LGPL-2.1-or-later
// A plan that its caller does not want any more.
#include <cstdint>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "compiler/plan/planner.hpp"
#include "compiler/sema/analyse.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"

namespace memonline {

namespace {

/// What planning comes to if it is cancelled at this poll, from 0.
struct Tried {
  std::optional<plan::Plan> plan;
  std::size_t polls = 0;
};

Tried plan_until(std::size_t last) {
  std::string policy_text = "limit movable to 1x normal\n";
  for (int dimm = 0; dimm < 200; ++dimm)
    policy_text += fmt::format("dimm {}: 30% movable, rest normal\n", dimm);
  source::SourceSet files;
  files.emplace_back("t.mempolicy", policy_text, "");
  diag::Sink sink;
  const auto policy = sema::analyse(files, sink);
  REQUIRE(policy);
  test::HostBuilder builder;
  builder.boot(0, 0, 8);
  for (std::uint64_t dimm = 0; dimm < 200; ++dimm) builder.dimm(0, 32 + 8 * dimm, 8);
  Tried tried;
  Work work(plan::kMaxPlanWork, [&] { return tried.polls++ >= last; });
  tried.plan = plan::make_plan(*policy, files, builder.build(), sink, work).plan;
  return tried;
}

}  // namespace

TEST_CASE("planner: cancelled between any two steps, it ends there without a plan") {
  const Tried whole = plan_until(SIZE_MAX);
  REQUIRE(whole.plan);
  REQUIRE_FALSE(whole.plan->steps.empty());
  REQUIRE(whole.polls > 5);
  for (std::size_t poll = 0; poll < whole.polls; ++poll) {
    const Tried cancelled = plan_until(poll);
    CHECK_FALSE(cancelled.plan);
    CHECK(cancelled.polls == poll + 1);
  }
}

}  // namespace memonline
