// SPDX-License-Identifier: LGPL-2.1-or-later
// How far a run has come, as it is shown meanwhile.
#include "runtime/cli/progress.hpp"

#include <chrono>

#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

namespace memonline {

namespace {

std::int64_t before_now(std::chrono::seconds time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             (std::chrono::steady_clock::now() - time).time_since_epoch())
      .count();
}

}  // namespace

TEST_CASE("progress: step, block, blocks, bytes, rate and the time that is left") {
  const auto host = test::HostBuilder(model::Era::D).boot(0, 0, 8).dimm(0, 32, 64).build();
  const auto compiled = test::plan_for(host, "hotplugged: first 16 blocks normal, rest movable");
  const apply::Program program = apply::program_of(*compiled.plan, host);
  const auto shared = std::move(*apply::SharedProgress::make(program));
  const auto text = [&](double seconds) {
    return cli::progress_text(cli::current_state_of(program, *shared), seconds);
  };
  apply::SharedProgress::Head& head = shared->head();
  head.block.store(32);
  CHECK(text(1) == "step 1 of 2: 0 of 64 blocks, 0.0 of 8.0 GiB, 0 blocks/s; memory32");
  head.task.store(1);
  head.block.store(80);
  head.settled.store(32);
  CHECK(text(4) == "step 2 of 2: 32 of 64 blocks, 4.0 of 8.0 GiB, 8 blocks/s, 4 s left; memory80");
  head.write_began.store(before_now(std::chrono::seconds(9)));
  CHECK(text(4) ==
        "step 2 of 2: 32 of 64 blocks; memory80: 9 s waiting for the kernel's hotplug lock");
  head.offlining.store(true);
  CHECK(text(4).find("; memory80: 9 s migrating its pages or waiting") != std::string::npos);
}

TEST_CASE("progress: what is not known is not said") {
  cli::CurrentState state;
  state.steps = 2;
  state.blocks = 64;
  state.done = 32;
  CHECK(cli::progress_text(state, 4) == "step 1 of 2: 32 of 64 blocks, 8 blocks/s, 4 s left");
}

}  // namespace memonline
