// SPDX-License-Identifier: LGPL-2.1-or-later
// What the executor makes of every answer a kernel may give: programs run on the kernel model.
#include "runtime/apply/runner.hpp"

#include "runtime/apply/report.hpp"
#include "runtime/apply/sysfs.hpp"
#include "tests/runtime/model_port.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

namespace memonline {

using apply::Outcome;
using apply::Report;
using model::BlockId;
using model::Era;
using model::Zone;
using test::HostBuilder;
using test::ModelPort;

namespace {

HostBuilder host_with_dimm(Era era = Era::D) {
  HostBuilder builder(era);
  builder.boot(0, 0, 8).dimm(0, 32, 8);
  return builder;
}

/// Blocks 32 up to 32 + count, and one offline block that no policy here selects.
model::Host host_with_online(std::uint64_t count, Zone zone) {
  return HostBuilder(Era::D).boot(0, 0, 8).dimm(0, 48, 1).dimm_online(0, 32, count, zone).build();
}

struct Run {
  apply::Program program;
  std::shared_ptr<apply::SharedProgress> shared;
  Report report;
  [[nodiscard]] const apply::BlockResult& result(std::size_t task, std::uint64_t i) const {
    return shared->result(program.tasks.at(task).first_result + i);
  }
};

Run run_program(apply::Program program, ModelPort& port, bool stop = false) {
  Run run{std::move(program), nullptr, {}};
  run.shared = std::move(*apply::SharedProgress::make(run.program));
  run.shared->head().stop.store(stop);
  apply::Limits limits;
  apply::Runner(run.program, *run.shared, port, limits).run();
  run.report = apply::report_of(run.program, *run.shared, apply::Ended::Finished, 1);
  return run;
}

Run apply_policy(const model::Host& host, const std::string& policy, ModelPort& port) {
  const auto compiled = test::plan_for(host, policy);
  REQUIRE(compiled.plan);
  return run_program(apply::program_of(*compiled.plan, host), port);
}

/// Nothing comes online by itself while eight blocks do, and from then on new memory is Movable.
plan::Plan held_and_then_set() {
  const plan::OnlineBlocks movable{model::OnlineWord::OnlineMovable,
                                   {BlockId(39), BlockId(32)},
                                   model::NodeId(0),
                                   Zone::Movable};
  plan::Plan plan;
  plan.steps.push_back(
      {1,
       plan::SetKnob{model::Knob::AutoOnlineBlocks, "offline", "online", plan::KnobScope::Run},
       {},
       {}});
  plan.steps.push_back({2, movable, {}, {}});
  plan.steps.push_back({3,
                        plan::SetKnob{model::Knob::AutoOnlineBlocks, "online_movable", "online",
                                      plan::KnobScope::Stay},
                        {},
                        {}});
  return plan;
}

std::vector<std::string> texts(const Report& report) {
  std::vector<std::string> all;
  for (const auto& step : report.steps)
    for (const auto& finding : step.findings) all.push_back(finding.text);
  return all;
}

}  // namespace

TEST_CASE("apply: blocks are written in the order of the plan and read back") {
  const auto host = host_with_dimm().build();
  ModelPort port(host);
  const Run run = apply_policy(host, "hotplugged: last 75% movable, rest normal", port);
  CHECK(run.report.result() == Report::Result::Complete);
  CHECK(port.writes == std::vector<std::string>{"online_kernel 32", "online_kernel 33",
                                                "online_movable 39", "online_movable 38",
                                                "online_movable 37", "online_movable 36",
                                                "online_movable 35", "online_movable 34"});
  CHECK(run.report.blocks_done == 8);
  CHECK(texts(run.report).empty());
}

TEST_CASE("apply: what may pass is tried again six times, within 1.55 s, and the rest goes on") {
  const auto host = host_with_dimm().build();
  for (const int error : {EBUSY, EAGAIN, ENOMEM, EINTR}) {
    ModelPort port(host);
    port.refuse = [error](BlockId block, std::string_view) {
      return block == BlockId(36) ? error : 0;
    };
    const Run run = apply_policy(host, "hotplugged: movable", port);
    CHECK(run.report.result() == Report::Result::Partly);
    CHECK(run.report.blocks_done == 7);
    CHECK(run.result(0, 3).outcome == Outcome::Refused);
    CHECK(run.result(0, 3).tries == 6);
    CHECK(port.paused == std::chrono::milliseconds(50 + 100 + 200 + 400 + 800));
  }
}

TEST_CASE("apply: what passes meanwhile is done, with the number of tries known") {
  const auto host = host_with_dimm().build();
  ModelPort port(host);
  int left = 2;
  port.refuse = [&](BlockId block, std::string_view) {
    return block == BlockId(36) && left-- > 0 ? ENOMEM : 0;
  };
  const Run run = apply_policy(host, "hotplugged: movable", port);
  CHECK(run.report.result() == Report::Result::Complete);
  CHECK(run.result(0, 3).tries == 3);
}

TEST_CASE("apply: other refusals end the block at once") {
  const auto host = host_with_dimm().build();
  ModelPort port(host);
  port.refuse = [](BlockId block, std::string_view) {
    return block == BlockId(36) ? EHWPOISON : 0;
  };
  const Run run = apply_policy(host, "hotplugged: movable", port);
  CHECK(run.result(0, 3).tries == 1);
  CHECK(texts(run.report) ==
        std::vector<std::string>{"EHWPOISON: the block has pages with hardware errors"});
}

TEST_CASE("apply: Movable memory waits for the kernel memory of its node, not of others") {
  HostBuilder builder(Era::D);
  const auto host = builder.boot(0, 0, 8).boot(1, 8, 8).dimm(0, 32, 4).dimm(1, 40, 4).build();
  ModelPort port(host);
  port.refuse = [](BlockId block, std::string_view) { return block == BlockId(32) ? EPERM : 0; };
  const Run run =
      apply_policy(host, "each hotplugged node: first 1 blocks normal, rest movable", port);
  CHECK(run.report.result() == Report::Result::Partly);
  CHECK(port.model().valid_zones(BlockId(41)) == model::ValidZones{Zone::Movable});
  CHECK(port.look(BlockId(33)).state == model::State::Offline);
  CHECK(texts(run.report) ==
        std::vector<std::string>{
            "EPERM: a driver or the firmware forbids it",
            "not tried: kernel memory that must come first could not be onlined"});
}

TEST_CASE("apply: what another writer did already is success, elsewhere it is an error") {
  const auto host = host_with_dimm().build();
  ModelPort port(host);
  port.refuse = [&](BlockId block, std::string_view) {
    if (block == BlockId(38)) port.write(block, "online_movable");
    if (block == BlockId(36)) port.write(block, "online_kernel");
    return 0;
  };
  const Run run = apply_policy(host, "hotplugged: movable", port);
  CHECK(run.result(0, 1).outcome == Outcome::Already);
  CHECK(run.result(0, 3).outcome == Outcome::WrongZone);
  CHECK(texts(run.report) ==
        std::vector<std::string>{
            "already done by another process",
            "ended up in Normal instead of Movable; another process onlined it"});
  CHECK(port.look(BlockId(36)).state == model::State::Online);
}

TEST_CASE("apply: a block that our own write put elsewhere is taken offline again") {
  const auto host = host_with_dimm().build();
  const auto compiled = test::plan_for(host, "hotplugged: movable");
  apply::Program program = apply::program_of(*compiled.plan, host);
  program.tasks.front().word = model::OnlineWord::OnlineKernel;  // as era A2 would have it
  ModelPort port(host);
  const Run run = run_program(std::move(program), port);
  CHECK(run.report.result() == Report::Result::Failed);
  CHECK(run.result(0, 0).put_back);
  CHECK(port.look(BlockId(39)).state == model::State::Offline);
  CHECK(texts(run.report).front() == "ended up in Normal instead of Movable; offlined again");
}

TEST_CASE("apply: a write that is taken in part is the refusal that other kernels say in words") {
  CHECK(apply::answer_of(15, 15, 0) == 0);
  CHECK(apply::answer_of(1, 15, 0) == EINVAL);
  CHECK(apply::answer_of(-1, 15, EBUSY) == EBUSY);
}

TEST_CASE("apply: a block that vanishes is said, and the others go on") {
  const auto host = host_with_dimm().build();
  ModelPort port(host);
  port.refuse = [](BlockId block, std::string_view) { return block == BlockId(35) ? ENODEV : 0; };
  const Run run = apply_policy(host, "hotplugged: movable", port);
  CHECK(run.result(0, 4).outcome == Outcome::Vanished);
  CHECK(run.report.blocks_done == 7);
}

TEST_CASE("apply: without permission nothing more is tried") {
  const auto host = host_with_dimm().build();
  ModelPort port(host);
  port.refuse = [](BlockId, std::string_view) { return EACCES; };
  const Run run = apply_policy(host, "hotplugged: movable", port);
  CHECK(run.report.result() == Report::Result::Failed);
  CHECK(port.writes.size() == 1);
}

TEST_CASE("apply: offline that the deadline ends is not tried again, and the block stays") {
  const auto host = host_with_online(8, Zone::Movable);
  ModelPort port(host);
  port.refuse = [&](BlockId block, std::string_view) {
    if (block != BlockId(37)) return 0;
    port.pass(std::chrono::seconds(33));
    return EINTR;
  };
  const Run run = apply_policy(host, "set rezone = allowed\nblock 32-39: offline", port);
  CHECK(run.report.blocks_done == 7);
  CHECK(run.result(0, 2).outcome == Outcome::Deadline);
  CHECK(run.result(0, 2).tries == 1);
}

TEST_CASE("apply: what was taken offline for another zone and fails there comes back") {
  const auto host = host_with_online(4, Zone::Normal);
  ModelPort port(host);
  port.refuse = [](BlockId block, std::string_view word) {
    return block == BlockId(33) && word == "online_movable" ? ENOMEM : 0;
  };
  const Run run = apply_policy(host, "set rezone = allowed\nblock 32-35: movable", port);
  CHECK(run.report.result() == Report::Result::Partly);
  CHECK(port.model().valid_zones(BlockId(33)) == model::ValidZones{Zone::Normal});
  CHECK(port.model().valid_zones(BlockId(32)) == model::ValidZones{Zone::Movable});
  CHECK(texts(run.report).back() ==
        "ENOMEM after 6 tries: the kernel could not allocate the memory it needs for this; "
        "re-onlined in Normal");
}

TEST_CASE("apply: a block that could not be taken offline is not reported as somebody else's") {
  const auto host = host_with_online(2, Zone::Normal);
  ModelPort port(host);
  port.refuse = [](BlockId, std::string_view word) { return word == "offline" ? EBUSY : 0; };
  const Run run = apply_policy(host, "set rezone = allowed\nblock 32-35: movable", port);
  CHECK(texts(run.report).back() == "ended up in Normal instead of Movable; could not be offlined");
}

TEST_CASE("apply: in eras A and B a block waits for those before it in its run") {
  const auto host = host_with_dimm(Era::A3).build();
  ModelPort port(host);
  int left = 1;
  port.refuse = [&](BlockId block, std::string_view) {
    return block == BlockId(38) && left-- > 0 ? ENOMEM : 0;
  };
  const Run run = apply_policy(host, "hotplugged: movable", port);
  CHECK(run.report.result() == Report::Result::Complete);
  CHECK(port.writes ==
        std::vector<std::string>{"online_movable 39", "online_movable 38", "online_movable 38",
                                 "online_movable 37", "online_movable 36", "online_movable 35",
                                 "online_movable 34", "online_movable 33", "online_movable 32"});
}

TEST_CASE("apply: knobs wait for adds, and those of the run are put back also when it is stopped") {
  plan::Plan plan;
  plan.steps.push_back(
      {1,
       plan::SetKnob{model::Knob::AutoOnlineBlocks, "offline", "online", plan::KnobScope::Run},
       {},
       {}});
  plan.steps.push_back({2,
                        plan::OnlineBlocks{model::OnlineWord::OnlineMovable,
                                           {BlockId(39), BlockId(32)},
                                           model::NodeId(0),
                                           Zone::Movable},
                        {},
                        {}});
  const auto host = host_with_dimm().build();
  ModelPort port(host);
  port.set(model::Knob::AutoOnlineBlocks, "online");
  const auto program = apply::program_of(plan, host);
  Run run = run_program(program, port);
  CHECK(port.writes.front() == "wait for adds");
  CHECK(port.writes.at(1) == "set auto_online_blocks=offline");
  CHECK(port.writes.back() == "set auto_online_blocks=online");

  ModelPort stopped(host);
  stopped.set(model::Knob::AutoOnlineBlocks, "offline");
  run = run_program(program, stopped, true);
  CHECK(stopped.writes ==
        std::vector<std::string>{"wait for adds", "set auto_online_blocks=online"});
}

TEST_CASE("apply: a knob that the plan gives a value to stay is put back if it came not that far") {
  const auto host = host_with_dimm().build();
  const apply::Program program = apply::program_of(held_and_then_set(), host);

  ModelPort port(host);
  port.set(model::Knob::AutoOnlineBlocks, "online");
  Run run = run_program(program, port);
  CHECK(run.report.result() == Report::Result::Complete);
  CHECK(port.writes.back() == "set auto_online_blocks=online_movable");
  CHECK(run.report.steps.size() == 3);

  // Stopped, or without the memory that the switch depends on.
  ModelPort stopped(host);
  stopped.set(model::Knob::AutoOnlineBlocks, "offline");
  run = run_program(program, stopped, true);
  CHECK(stopped.writes.back() == "set auto_online_blocks=online");
  CHECK(run.report.steps.size() == 4);

  apply::Program kernel = program;
  kernel.tasks[1].word = model::OnlineWord::OnlineKernel;
  kernel.tasks[1].zone = Zone::Normal;
  ModelPort failing(host);
  failing.set(model::Knob::AutoOnlineBlocks, "online");
  failing.refuse = [](BlockId, std::string_view) { return EPERM; };
  run = run_program(kernel, failing);
  CHECK(failing.writes.back() == "set auto_online_blocks=online");
}

TEST_CASE("apply: what somebody else set a knob to meanwhile is left alone, and said") {
  const auto host = host_with_dimm().build();
  plan::Plan plan = held_and_then_set();
  plan.steps.pop_back();
  ModelPort port(host);
  port.set(model::Knob::AutoOnlineBlocks, "online");
  port.refuse = [&](BlockId, std::string_view) {
    port.set(model::Knob::AutoOnlineBlocks, "online_kernel");
    return 0;
  };
  const Run run = run_program(apply::program_of(plan, host), port);
  CHECK(port.read_knob(model::Knob::AutoOnlineBlocks).value() == "online_kernel");
  CHECK(texts(run.report) ==
        std::vector<std::string>{"changed by another process meanwhile: left unchanged"});
  CHECK(run.report.result() == Report::Result::Complete);
}

TEST_CASE("apply: who watches sees each call that waits for the kernel's lock") {
  const auto host = host_with_dimm().build();
  const apply::Program program = apply::program_of(held_and_then_set(), host);
  const auto shared = std::move(*apply::SharedProgress::make(program));
  ModelPort port(host);
  port.set(model::Knob::AutoOnlineBlocks, "online");
  port.pass(std::chrono::seconds(1));
  std::vector<bool> under_way;
  port.locked = [&] { under_way.push_back(shared->head().write_began.load() != 0); };
  apply::Runner(program, *shared, port, {}).run();
  CHECK(under_way == std::vector<bool>(12, true));  // eight blocks, two knobs and their waits
  CHECK(shared->head().write_began.load() == 0);
}

}  // namespace memonline
