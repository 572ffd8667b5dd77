// SPDX-License-Identifier: LGPL-2.1-or-later
// What a program and a journal say of blocks that several steps of a plan touch.
#include "runtime/apply/program.hpp"

#include <algorithm>
#include <optional>
#include <random>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"

namespace memonline {

using apply::BlocksBefore;
using model::BlockId;
using model::Zone;

namespace {

plan::Plan plan_of(const std::vector<plan::Action>& actions) {
  plan::Plan plan;
  for (const plan::Action& action : actions)
    plan.steps.push_back({static_cast<std::uint32_t>(plan.steps.size() + 1), action, {}, {}});
  return plan;
}

plan::Action offline(std::uint64_t first, std::uint64_t last, Zone zone) {
  return plan::OfflineBlocks{{BlockId(first), BlockId(last)}, std::nullopt, zone};
}

plan::Action online(std::uint64_t first, std::uint64_t last) {
  return plan::OnlineBlocks{model::OnlineWord::OnlineKernel, {BlockId(first), BlockId(last)}, {}};
}

/// The zone that the last earlier step takes the highest of these blocks from that is taken
/// offline.
std::optional<Zone> taken_from(const plan::Plan& plan, std::size_t step) {
  const auto& blocks = std::get<plan::OnlineBlocks>(plan.steps[step].action).blocks;
  for (BlockId block = blocks.high(); block >= blocks.low(); block = BlockId(block.value() - 1)) {
    for (std::size_t before = step; before-- > 0;) {
      const auto* off = std::get_if<plan::OfflineBlocks>(&plan.steps[before].action);
      if (off != nullptr && off->blocks.low() <= block && block <= off->blocks.high())
        return off->zone;
    }
    if (block == BlockId(0)) break;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("program: blocks come back from the zone that they were taken out of last") {
  std::mt19937 random(7);
  const auto range = [&] {
    const std::uint64_t first = random() % 40, length = random() % 12;
    return std::pair(first, first + length);
  };
  const model::Host host = test::HostBuilder().boot(0, 0, 64).build();
  for (int round = 0; round < 500; ++round) {
    std::vector<plan::Action> actions;
    for (int step = 0; step < 12; ++step) {
      const auto [first, last] = range();
      if (random() % 2 == 0)
        actions.push_back(offline(first, last, random() % 2 == 0 ? Zone::Movable : Zone::Normal));
      else
        actions.push_back(online(first, last));
    }
    const plan::Plan plan = plan_of(actions);
    const apply::Program program = apply::program_of(plan, host);
    REQUIRE(program.tasks.size() == plan.steps.size());
    for (std::size_t step = 0; step < plan.steps.size(); ++step)
      if (program.tasks[step].kind == apply::Task::Kind::Online)
        REQUIRE(program.tasks[step].taken_from == taken_from(plan, step));
  }
}

TEST_CASE("program: the journal describes each block that a step touches once") {
  // Runs: 0..15 and 32..47 in Normal, 40..43 offline, a hole between.
  const model::Host host = test::HostBuilder()
                               .boot(0, 0, 16)
                               .dimm_online(0, 32, 8, Zone::Normal)
                               .dimm(0, 40, 4)
                               .dimm_online(0, 44, 4, Zone::Movable)
                               .build();
  const plan::Plan plan = plan_of({online(40, 43), offline(34, 45, Zone::Normal), online(8, 33),
                                   offline(10, 12, Zone::Normal), online(100, 120)});
  std::vector<std::uint64_t> described;
  for (const BlocksBefore& before : apply::blocks_before(plan, host))
    for (BlockId block = before.first; block <= before.last; block = block + 1) {
      described.push_back(block.value());
      const bool is_offline = BlockId(40) <= block && block <= BlockId(43);
      CHECK(before.online == !is_offline);
      CHECK(before.zone == (is_offline             ? std::nullopt
                            : block >= BlockId(44) ? std::optional(Zone::Movable)
                                                   : std::optional(Zone::Normal)));
    }
  std::vector<std::uint64_t> expected;
  for (std::uint64_t block = 8; block <= 45; ++block)
    if (block < 16 || block >= 32) expected.push_back(block);
  CHECK(described == expected);
}

}  // namespace memonline
