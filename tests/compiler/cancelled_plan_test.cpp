// SPDX-License-Identifier: LGPL-2.1-or-later
// A plan that its caller does not want any more.
#include <cstdint>
#include <optional>

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
  source::SourceSet files;
  files.emplace_back("t.mempolicy", "hotplugged: auto\nlimit movable to 1x normal\n", "");
  diag::Sink sink;
  const auto policy = sema::analyse(files, sink);
  REQUIRE(policy);
  const model::Host host = test::HostBuilder().boot(0, 0, 8).dimm(0, 32, 24).build();
  Tried tried;
  tried.plan =
      plan::make_plan(*policy, files, host, sink, [&] { return tried.polls++ >= last; }).plan;
  return tried;
}

}  // namespace

TEST_CASE("planner: cancelled between any two steps, it ends there without a plan") {
  const Tried whole = plan_until(SIZE_MAX);
  REQUIRE(whole.plan);
  REQUIRE_FALSE(whole.plan->steps.empty());
  // Each stage, and each run of the kernel model that limits need.
  CHECK(whole.polls >= 9);
  for (std::size_t poll = 0; poll < whole.polls; ++poll) {
    const Tried cancelled = plan_until(poll);
    CHECK_FALSE(cancelled.plan);
    CHECK(cancelled.polls == poll + 1);
  }
}

}  // namespace memonline
