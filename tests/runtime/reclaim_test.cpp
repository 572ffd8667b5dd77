// SPDX-License-Identifier: LGPL-2.1-or-later
// An unplug with --reclaim on the kernel model: before the first block of a kernel zone, once each,
// and it does not matter for the blocks whether it can be done.
#include <cerrno>
#include <vector>

#include <fmt/format.h>

#include "compiler/model/facts.hpp"
#include "compiler/plan/unplug.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/apply/plan_file.hpp"
#include "runtime/apply/report.hpp"
#include "runtime/base/digest.hpp"
#include "tests/runtime/model_port.hpp"
#include "tests/runtime/simulated_run.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"

namespace memonline {

using apply::Report;
using model::BlockId;
using model::Zone;
using plan::Reclaim;

namespace {

/// Two DIMMs: 32-35 in Normal, 36-39 in Movable.
model::Host two_zones() {
  return test::HostBuilder()
      .boot(0, 0, 8)
      .dimm(0, 32, 0)
      .dimm_online(0, 32, 4, Zone::Normal)
      .dimm(0, 36, 0)
      .dimm_online(0, 36, 4, Zone::Movable)
      .build();
}

plan::Plan planned(const std::string& what, diag::Sink& sink, const model::Host& host) {
  auto request = *plan::parse_unplug(what);
  request.reclaim = true;
  const auto plan = plan::plan_unplug(request, host, sink);
  REQUIRE(plan);
  return *plan;
}

std::string actions(const plan::Plan& plan) {
  std::string text;
  for (const plan::Step& step : plan.steps)
    text += fmt::format("{} {}\n", step.number, render::step_text(step));
  return text;
}

}  // namespace

TEST_CASE("reclaim: before the first block of a kernel zone, and with the harm said") {
  diag::Sink sink;
  const plan::Plan plan = planned("block 32-39", sink, two_zones());
  CHECK(actions(plan) ==
        "1 drop the clean page cache\n2 reclaim slab\n3 compact memory\n"
        "4 offline 35..32\n5 offline 39..36\n");
  REQUIRE_FALSE(sink.all().empty());
  CHECK(sink.all().front().code == diag::Code::ReclaimsAll);
  CHECK(sink.all().front().message.find("whole machine") != std::string::npos);
}

TEST_CASE("reclaim: not for Movable memory, which it does not help") {
  diag::Sink sink;
  CHECK(actions(planned("block 36-39", sink, two_zones())) == "1 offline 39..36\n");
  CHECK(sink.all().front().message.find("nothing is reclaimed") == 0);
}

TEST_CASE("reclaim: what cannot be reclaimed is reported, and the blocks go all the same") {
  for (const int error : {0, EACCES, EINTR}) {
    diag::Sink sink;
    const model::Host host = two_zones();
    test::ModelPort port(host);
    std::vector<Reclaim> asked;
    port.on_reclaim = [&](Reclaim what) {
      asked.push_back(what);
      return what == Reclaim::Slab ? error : 0;
    };
    port.free_bytes = std::uint64_t{1} << 20U;
    const Report report =
        test::run(apply::program_of(planned("block 32-35", sink, host), host), port);
    CHECK(asked == std::vector<Reclaim>{Reclaim::PageCache, Reclaim::Slab, Reclaim::Compact});
    CHECK(report.blocks_done == 4);
    CHECK((report.result() == Report::Result::Complete) == (error == 0));
    REQUIRE(report.steps.at(0).freed);
    CHECK(*report.steps.at(0).freed == 0);
    port.free_bytes.reset();
    CHECK_FALSE(test::run(apply::program_of(planned("block 36-39", sink, host), host), port)
                    .steps.at(0)
                    .freed);
    const std::string text = apply::to_text(report);
    CHECK(text.find("step 1: drop the clean page cache: 0 B more free\n") != std::string::npos);
    CHECK((text.find("step 2: reclaim slab: EACCES: this requires root") != std::string::npos) ==
          (error == EACCES));
  }
}

TEST_CASE("reclaim: the plan is read back from its file as it was written, and once each") {
  diag::Sink sink;
  model::Host host = two_zones();
  host.fingerprint = runtime::sha256_of(model::canonical_text(host));
  const plan::Plan plan = planned("block 32-35", sink, host);
  std::string text = render::plan_to_json(plan);
  const auto read = apply::read_plan(text, "plan.json");
  REQUIRE(read);
  CHECK(read->steps == plan.steps);
  text.replace(text.find("\"slab\""), 6, "\"page-cache\"");
  const auto twice = apply::read_plan(text, "plan.json");
  REQUIRE_FALSE(twice);
  CHECK(twice.error().message ==
        "step 2 repeats `drop the clean page cache`: expected at most once");
}

}  // namespace memonline
