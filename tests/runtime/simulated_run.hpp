// SPDX-License-Identifier: LGPL-2.1-or-later
// A plan applied to a simulated machine through a port of the test's own, and what its report says.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compiler/plan/unplug.hpp"
#include "runtime/apply/program.hpp"
#include "runtime/apply/report.hpp"
#include "runtime/apply/runner.hpp"
#include "tests/runtime/model_port.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/planning.hpp"

namespace memonline::test {

inline apply::Report run(const apply::Program& program, apply::MemoryPort& port) {
  const auto shared = *apply::SharedProgress::make(program);
  apply::Runner(program, *shared, port, {}).run();
  return apply::report_of(program, *shared, apply::Ended::Finished, 1);
}

/// One line for each: "memory12: EIO: the firmware reported an error".
inline std::string findings(const apply::Report& report) {
  std::string text;
  for (const auto& step : report.steps)
    for (const auto& finding : step.findings)
      text += model::range_name(finding.blocks) + ": " + finding.text + "\n";
  return text;
}

/// `Port` is made from the shared model of the kernel.
template <class Port>
struct SimulatedRun {
  model::Host host;
  std::shared_ptr<apply::SharedModel> kernel;
  Port port;
  std::vector<apply::BlocksBefore> before;  ///< what a journal of the run would hold
  std::vector<apply::KnobBefore> knobs;

  explicit SimulatedRun(const model::Host& from)
      : host(from), kernel(std::make_shared<apply::SharedModel>(from)), port(kernel) {}
  apply::Report apply(const std::string& policy) {
    const auto compiled = plan_for(host, policy);
    REQUIRE(compiled.plan);
    return apply(*compiled.plan);
  }
  apply::Report apply(const plan::Plan& plan) {
    before = apply::blocks_before(plan, host);
    knobs = apply::knobs_before(plan);
    return run(apply::program_of(plan, host), port);
  }
  /// Unplugs and releases memory.
  apply::Report release(const std::string& what) {
    diag::Sink sink;
    auto request = plan::parse_unplug(what).value();
    request.release = true;
    const auto plan = plan::plan_unplug(request, host, sink);
    REQUIRE(plan);
    return apply(*plan);
  }
  [[nodiscard]] apply::Program undo() const {
    return apply::program_to_undo(before, knobs, kernel->host());
  }
};

}  // namespace memonline::test
