// SPDX-License-Identifier: LGPL-2.1-or-later
// An unplug carried out on the kernel model: all of it, or everything back where it was.
#include "compiler/plan/unplug.hpp"

#include "compiler/model/facts.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/apply/plan_file.hpp"
#include "runtime/apply/report.hpp"
#include "runtime/apply/runner.hpp"
#include "runtime/base/digest.hpp"
#include "tests/runtime/model_port.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

namespace memonline {

using apply::Report;
using model::BlockId;
using model::Zone;
using test::ModelPort;

namespace {

// dimm0: 32..33 Normal, 34..39 Movable.
model::Host host() {
  return test::HostBuilder(model::Era::D)
      .boot(0, 0, 8)
      .dimm(0, 40, 0)
      .dimm_online(0, 32, 2, Zone::Normal)
      .dimm_online(0, 34, 6, Zone::Movable)
      .build();
}

plan::Plan plan_of(const model::Host& host) {
  diag::Sink sink;
  auto plan = plan::plan_unplug(plan::parse_unplug("memory32-39").value(), host, sink);
  REQUIRE(plan);
  return *plan;
}

Report run_on(ModelPort& port, const model::Host& host, bool stop_midway = false) {
  const apply::Program program = apply::program_of(plan_of(host), host);
  const auto shared = std::move(*apply::SharedProgress::make(program));
  if (stop_midway)
    port.refuse = [&](BlockId block, std::string_view) {
      if (block == BlockId(37)) shared->head().stop.store(true);
      return 0;
    };
  apply::Runner(program, *shared, port, apply::Limits{}).run();
  return apply::report_of(program, *shared, apply::Ended::Finished, 1);
}

}  // namespace

TEST_CASE("unplug: every block goes offline") {
  const auto before = host();
  ModelPort port(before);
  const Report report = run_on(port, before);
  CHECK(report.result() == Report::Result::Complete);
  CHECK(test::layout_text(port.model().host()) == "NNNNNNNN........");
}

TEST_CASE("unplug: one block that cannot go, and all are back in their zones") {
  const auto before = host();
  for (const std::uint64_t stuck : {32U, 33U, 34U, 37U, 39U})
    for (const int error : {EBUSY, EINVAL, EPERM}) {
      ModelPort port(before);
      port.refuse = [&](BlockId block, std::string_view word) {
        return block == BlockId(stuck) && word == "offline" ? error : 0;
      };
      const Report report = run_on(port, before);
      INFO(stuck << " " << error);
      CHECK(report.result() == Report::Result::Failed);
      CHECK(report.blocks_done == 0);
      CHECK(port.model().host().blocks == before.blocks);
    }
}

TEST_CASE("unplug: the deadline ends it, nothing more is taken down, and the report says so") {
  const auto before = host();
  ModelPort port(before);
  port.refuse = [&](BlockId block, std::string_view word) {
    if (block != BlockId(37) || word != "offline") return 0;
    port.pass(std::chrono::seconds(32));
    return EINTR;
  };
  const Report report = run_on(port, before);
  CHECK(port.writes == std::vector<std::string>{"offline 33", "offline 32", "offline 39",
                                                "offline 38", "offline 37", "online_movable 38",
                                                "online_movable 39", "online_kernel 32",
                                                "online_kernel 33"});
  CHECK(port.model().host().blocks == before.blocks);
  std::string texts = to_text(report);
  CHECK(
      texts.find("memory33..32: offlined, then re-onlined in Normal because the request failed") !=
      std::string::npos);
  CHECK(texts.find("memory37: could not be offlined within the time limit") != std::string::npos);
  CHECK(texts.find("memory36..34: not tried: another block of the request could not be offlined") !=
        std::string::npos);
}

TEST_CASE("unplug: asked to stop midway, what went comes back; a refused return is tried again") {
  const auto before = host();
  ModelPort port(before);
  run_on(port, before, true);
  CHECK(port.model().host().blocks == before.blocks);

  ModelPort stubborn(before);
  int left = 2;
  stubborn.refuse = [&](BlockId block, std::string_view word) {
    if (word == "offline") return block == BlockId(34) ? EINVAL : 0;
    return block == BlockId(39) && left-- > 0 ? ENOMEM : 0;
  };
  run_on(stubborn, before);
  CHECK(stubborn.model().host().blocks == before.blocks);
}

TEST_CASE("unplug: what somebody else took offline is not brought back") {
  const auto before = host();
  ModelPort port(before);
  port.write(BlockId(39), "offline");
  port.refuse = [](BlockId block, std::string_view word) {
    return block == BlockId(34) && word == "offline" ? EINVAL : 0;
  };
  run_on(port, before);
  CHECK(test::layout_text(port.model().host()) == "NNNNNNNNNNMMMMM.");
}

TEST_CASE("unplug: the plan is read back from its file as it was written") {
  model::Host before = host();
  before.fingerprint = runtime::sha256_of(model::canonical_text(before));
  const plan::Plan plan = plan_of(before);
  const auto read = apply::read_plan(render::plan_to_json(plan), "plan.json");
  INFO((read ? std::string() : read.error().message));
  REQUIRE(read);
  REQUIRE(read->steps == plan.steps);
}

}  // namespace memonline
