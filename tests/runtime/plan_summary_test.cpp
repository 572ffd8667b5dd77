// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/plan_summary.hpp"

#include <cstdint>

#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

namespace memonline {

namespace {

std::string summary(const model::Host& host, const std::string& policy) {
  const Compilation made = test::plan_for(host, policy);
  REQUIRE(made.plan);
  return service::summary_text(service::summarize(*made.plan));
}

}  // namespace

// One step is the kernel setting for memory to come.
TEST_CASE("plan summary: steps, bytes and nodes, each block counted once") {
  test::HostBuilder builder;
  builder.boot(0, 0, 8).dimm(0, 32, 8);
  CHECK(summary(builder.build(), "hotplugged: movable\n") ==
        "change 1 GiB of memory on node 0 in 2 steps");
  builder.boot(2, 64, 8).dimm(2, 72, 4);
  CHECK(summary(builder.build(), "hotplugged: movable\n") ==
        "change 1.5 GiB of memory on nodes 0, 2 in 3 steps");
  // Offline and online again: the same blocks twice.
  const model::Host other = test::HostBuilder()
                                .boot(0, 0, 8)
                                .dimm(0, 48, 1)
                                .dimm_online(0, 32, 4, model::Zone::Movable)
                                .build();
  CHECK(summary(other, "set rezone = allowed\nblock32-35: normal\n") ==
        "change 512 MiB of memory on node 0 in 2 steps");
}

TEST_CASE("plan summary: a plan that writes no block changes kernel settings") {
  plan::Plan plan;
  plan.steps.resize(1);
  plan.steps[0].action = plan::SetKnob{model::Knob::AutoOnlineBlocks, "offline", "online"};
  CHECK(service::summary_text(service::summarize(plan)) == "change kernel settings in 1 step");
}

}  // namespace memonline
