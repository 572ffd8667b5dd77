// SPDX-License-Identifier: LGPL-2.1-or-later
// Dax devices on a simulated machine: bound to kmem and onlined, and released by an undo.
#include <map>

#include "compiler/model/dax.hpp"
#include "runtime/apply/journal.hpp"
#include "tests/runtime/simulated_run.hpp"
#include "tests/support/host_builder.hpp"

namespace memonline {

using apply::Report;
using model::BlockId;
using model::Host;
using test::findings;
using test::run;

namespace {

Host machine() {
  return test::with_waiting_dax(test::HostBuilder().boot(0, 0, 8).build(), 0,
                                {{BlockId(8), BlockId(11)}, {BlockId(14), BlockId(15)}});
}

/// Counts the writes to `bind` and `unbind`, and refuses them.
class Port final : public apply::ModelPort {
 public:
  explicit Port(std::shared_ptr<apply::SharedModel> kernel)
      : apply::ModelPort(kernel), kernel_(std::move(kernel)) {}
  int bind_dax(std::string_view device) noexcept override {
    ++binds;
    if (lost) return 0;
    return error != 0 ? error : kernel_->bind_dax(device, true);
  }
  int unbind_dax(std::string_view device) noexcept override {
    ++unbinds;
    return error != 0 ? error : kernel_->bind_dax(device, false);
  }
  void pause(std::chrono::milliseconds) noexcept override {}
  int binds = 0;
  int unbinds = 0;
  int error = 0;
  bool lost = false;  ///< the kernel answers nothing, and does nothing: a probe that failed

 private:
  std::shared_ptr<apply::SharedModel> kernel_;
};

using Machine = test::SimulatedRun<Port>;

constexpr const char* kPolicy = "dax0.0 system-ram: last 50% movable, rest normal";

}  // namespace

TEST_CASE("bind: one write takes the device, and its blocks are onlined as planned") {
  Host host = machine();
  host.knobs.auto_online_blocks = "online";
  Machine m(host);
  const Report report = m.apply(kPolicy);
  CHECK(report.result() == Report::Result::Complete);
  CHECK(findings(report).empty());
  CHECK(m.port.binds == 1);
  CHECK(test::layout_text(m.kernel->host()) == "NNNNNNNNNNNMMM");
  CHECK(m.kernel->host().knobs.auto_online_blocks == "online");
}

TEST_CASE("bind: an undo releases the device once all of its blocks are offline") {
  Machine m(machine());
  REQUIRE(m.apply(kPolicy).result() == Report::Result::Complete);
  apply::Journal journal;
  journal.blocks = m.before;
  const auto read = apply::journal_of(to_json(journal));
  REQUIRE(read);
  CHECK(*read == journal);
  CHECK(read->blocks.front().device == "dax0.0");
  const auto back = m.undo();
  CHECK(apply::task_text(back.tasks.back()).starts_with("unbind dax0.0 memory"));
  CHECK(run(back, m.port).result() == Report::Result::Complete);
  CHECK(m.port.unbinds == 1);
  CHECK(test::layout_text(m.kernel->host()) == "NNNNNNNN");
  CHECK_FALSE(m.kernel->host().dax_devices[0].is_system_ram());
}

TEST_CASE("bind: a device with a block that cannot be offlined is not released") {
  for (const std::uint64_t stuck : {8U, 15U}) {
    Machine m(machine());
    REQUIRE(m.apply(kPolicy).result() == Report::Result::Complete);
    m.kernel->refuse(BlockId(stuck), EBUSY);
    const Report report = run(m.undo(), m.port);
    CHECK(report.result() == Report::Result::Partly);
    CHECK(m.port.unbinds == 0);
    CHECK(m.kernel->host().dax_devices[0].is_system_ram());
    // Nothing is lost: the next undo ends it.
    m.kernel->refuse(BlockId(stuck), 0);
    CHECK(run(m.undo(), m.port).result() == Report::Result::Complete);
    CHECK(test::layout_text(m.kernel->host()) == "NNNNNNNN");
  }
}

TEST_CASE("bind: a device that the kernel refuses brings no blocks, and nothing is onlined") {
  for (const auto& [error, lost] : {std::pair(EIO, false), std::pair(0, true)}) {
    Machine m(machine());
    m.port.error = error;
    m.port.lost = lost;
    const Report report = m.apply(kPolicy);
    CHECK(report.result() == Report::Result::Failed);
    CHECK(findings(report).find("not tried: the block could not be added") != std::string::npos);
    CHECK(test::layout_text(m.kernel->host()) == "NNNNNNNN");
    CHECK(m.undo().tasks.empty());
  }
}

TEST_CASE("bind: a refused device is asked once in a round, not for each block") {
  Machine refused(machine());
  refused.port.error = EIO;
  CHECK(refused.apply(kPolicy).result() == Report::Result::Failed);
  CHECK(refused.port.binds == 1);
  Machine busy(machine());
  busy.port.error = EBUSY;
  CHECK(busy.apply(kPolicy).result() == Report::Result::Failed);
  CHECK(busy.port.binds == static_cast<int>(apply::Limits{}.rounds));
}

TEST_CASE("bind: a device that has changed since the run is not released") {
  Machine m(machine());
  REQUIRE(m.apply(kPolicy).result() == Report::Result::Complete);
  m.before.pop_back();  // the journal does not know the second range
  const auto back = m.undo();
  for (const apply::Task& task : back.tasks) CHECK_FALSE(task.configures());
  CHECK(run(back, m.port).result() == Report::Result::Complete);
  CHECK(m.port.unbinds == 0);
  CHECK(m.kernel->host().dax_devices[0].is_system_ram());
}

TEST_CASE(
    "bind: a device that another process bound first is not written, and its blocks are onlined") {
  Machine m(machine());
  const auto compiled = test::plan_for(m.host, kPolicy);
  REQUIRE(compiled.plan);
  const auto program = apply::program_of(*compiled.plan, m.host);
  REQUIRE(m.kernel->bind_dax("dax0.0", true) == 0);
  CHECK(run(program, m.port).result() == Report::Result::Complete);
  CHECK(m.port.binds == 0);
}

TEST_CASE("bind: only names of dax devices are taken from a journal") {
  for (const char* name : {"dax0.0", "dax12.34"}) CHECK(model::is_dax_name(name));
  for (const char* name : {"", "dax", "dax0", "dax0.", "dax.0", "dax0.0/..", "dax-1.0", "dax0.0\n",
                           "dax00000000000000.0000000000000"})
    CHECK_FALSE(model::is_dax_name(name));
  apply::Journal journal;
  journal.blocks = {{BlockId(8), BlockId(11), false, {}, {}, false, "../x"}};
  CHECK_FALSE(apply::journal_of(to_json(journal)));
}

}  // namespace memonline
