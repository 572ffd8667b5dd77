// SPDX-License-Identifier: LGPL-2.1-or-later
// Standby memory of s390x on a simulated machine: configured, onlined, and returned by an undo.
#include "runtime/apply/journal.hpp"
#include "tests/runtime/simulated_run.hpp"
#include "tests/support/host_builder.hpp"

namespace memonline {

using apply::Outcome;
using apply::Report;
using apply::StandbyFile;
using model::BlockId;
using model::BlockRange;
using model::Host;
using test::findings;
using test::run;

namespace {

Host machine() {
  Host host = test::HostBuilder().boot(0, 0, 8).build();
  host.arch = "s390x";
  host.virtualization = "none";
  host.facts.memmap_pages = true;
  host.knobs.memmap_on_memory = "Y";
  host.configures_standby = true;
  host.standby = {{BlockId(8), BlockId(15)}};
  host.standby_own_map = host.standby;
  return host;
}

/// Refuses writes of `config`, or of `memmap_on_memory`, of one block.
class Port final : public apply::ModelPort {
 public:
  explicit Port(std::shared_ptr<apply::SharedModel> kernel)
      : apply::ModelPort(kernel), kernel_(std::move(kernel)) {}
  int write_standby(BlockId block, StandbyFile file, bool value) noexcept override {
    if (block == bad && file == bad_file && error != 0) return error;
    return kernel_->write_standby(block, file, value);
  }
  void pause(std::chrono::milliseconds) noexcept override {}
  BlockId bad;
  StandbyFile bad_file = StandbyFile::Config;
  int error = 0;

 private:
  std::shared_ptr<apply::SharedModel> kernel_;
};

using Machine = test::SimulatedRun<Port>;

}  // namespace

TEST_CASE("configure: standby memory is configured, and onlined as planned") {
  Host host = machine();
  host.knobs.auto_online_blocks = "online";
  Machine m(host);
  const Report report = m.apply("standby: last 50% movable, rest normal; set hotplug = service");
  CHECK(report.result() == Report::Result::Complete);
  CHECK(findings(report).empty());
  CHECK(report.blocks_done == 16);
  CHECK(test::layout_text(m.kernel->host()) == "NNNNNNNNNNNNMMMM");
  CHECK(m.kernel->host().standby.empty());
  CHECK(m.kernel->host().knobs.auto_online_blocks == "online");
}

TEST_CASE("configure: an undo takes the blocks away again, and a journal knows which") {
  Machine m(machine());
  REQUIRE(m.apply("standby: movable; set hotplug = service").result() == Report::Result::Complete);
  CHECK(m.before == std::vector<apply::BlocksBefore>{
                        {BlockId(8), BlockId(15), false, {}, model::NodeId(0), false}});
  apply::Journal journal;
  journal.blocks = m.before;
  const auto read = apply::journal_of(to_json(journal));
  REQUIRE(read);
  CHECK(*read == journal);
  const auto back = apply::program_to_undo(read->blocks, m.knobs, m.kernel->host());
  REQUIRE(back.tasks.size() == 2);
  CHECK(apply::task_text(back.tasks[0]) == "offline memory15..8");
  CHECK(apply::task_text(back.tasks[1]) == "deconfigure memory15..8");
  CHECK(run(back, m.port).result() == Report::Result::Complete);
  CHECK(test::layout_text(m.kernel->host()) == "NNNNNNNN");
  CHECK(m.kernel->host().standby == m.host.standby);
}

TEST_CASE("configure: an undo configures what was returned, and onlines it again") {
  kernel::Model model(machine());
  REQUIRE(model.configure({BlockId(8), BlockId(11)}));
  REQUIRE(model.online({BlockId(11), BlockId(10)}, model::OnlineWord::OnlineMovable));
  Machine m(model.host());
  REQUIRE(m.apply("standby: offline; set rezone = allowed").result() == Report::Result::Complete);
  CHECK(test::layout_text(m.kernel->host()) == "NNNNNNNN");
  const auto back = apply::program_to_undo(m.before, m.knobs, m.kernel->host());
  CHECK(run(back, m.port).result() == Report::Result::Complete);
  CHECK(test::layout_text(m.kernel->host()) == "NNNNNNNN..MM");
  CHECK(m.kernel->host().standby == m.host.standby);
}

TEST_CASE("configure: a block that cannot be configured is not onlined, and the rest is") {
  for (const auto& [error, text] :
       {std::pair(EIO, "EIO: the firmware reported an error"),
        std::pair(ENOMEM,
                  "ENOMEM after 6 tries: the kernel could not allocate the memory it needs for "
                  "this")}) {
    Machine m(machine());
    m.port.bad = BlockId(12);
    m.port.error = error;
    const Report report = m.apply("standby: movable; set hotplug = service");
    CHECK(report.result() == Report::Result::Partly);
    CHECK(findings(report) == std::string("memory12: ") + text +
                                  "\nmemory12: not tried: the block could not be added\n");
    CHECK(test::layout_text(m.kernel->host()) == "NNNNNNNNMMMMMMM");
  }
}

TEST_CASE("configure: Movable is not configured if kernel memory failed") {
  Machine m(machine());
  m.kernel->refuse(BlockId(9), EPERM);
  const Report report =
      m.apply("standby: first 4 blocks normal, rest movable; set hotplug = service");
  CHECK(report.result() == Report::Result::Partly);
  CHECK(test::layout_text(m.kernel->host()).find('M') == std::string::npos);
  CHECK(m.kernel->host().standby ==
        std::vector<BlockRange>{{BlockId(9), BlockId(9)}, {BlockId(12), BlockId(15)}});
}

TEST_CASE("configure: the place of the memory map is written first") {
  Machine m(machine());
  REQUIRE(m.apply("standby block 8-11: movable; set memmap-on-memory = off").result() ==
          Report::Result::Complete);
  CHECK_FALSE(m.kernel->look_at_standby(BlockId(8)).own_map);
  CHECK(m.kernel->look_at_standby(BlockId(12)).own_map);
  // A kernel that was booted without it, although the host said otherwise.
  Host host = machine();
  host.standby_own_map.emplace();
  Machine other(host);
  other.port.bad = BlockId(15);
  other.port.bad_file = StandbyFile::MemmapOnMemory;
  other.port.error = EOPNOTSUPP;
  CHECK(findings(other.apply("standby block 14-15: movable; set memmap-on-memory = on")) ==
        "memory15: EOPNOTSUPP: the kernel was booted without memory_hotplug.memmap_on_memory\n"
        "memory15: not tried: the block could not be added\n");
  CHECK(other.kernel->look_at_standby(BlockId(14)).own_map);
}

TEST_CASE("configure: the simulated machine answers as sclp_mem.c does") {
  apply::SharedModel kernel(machine());
  CHECK(kernel.write_standby(BlockId(16), StandbyFile::Config, true) == ENOENT);
  CHECK(kernel.look_at_standby(BlockId(16)).error == ENOENT);
  CHECK(kernel.write_standby(BlockId(8), StandbyFile::MemmapOnMemory, false) == 0);
  CHECK(kernel.write_standby(BlockId(8), StandbyFile::Config, true) == 0);
  CHECK(kernel.write_standby(BlockId(8), StandbyFile::MemmapOnMemory, true) == EBUSY);
  CHECK(kernel.look(BlockId(8)).state == model::State::Offline);
  CHECK(kernel.write_state(BlockId(8), "online_movable") == 0);
  CHECK(kernel.write_standby(BlockId(8), StandbyFile::Config, false) == EBUSY);
  CHECK(kernel.write_state(BlockId(8), "offline") == 0);
  CHECK(kernel.write_standby(BlockId(8), StandbyFile::Config, false) == 0);
  CHECK(kernel.look(BlockId(8)).error == ENOENT);
  CHECK(kernel.write_knob(model::Knob::AutoOnlineBlocks, "online_movable") == 0);
  CHECK(kernel.write_standby(BlockId(8), StandbyFile::Config, true) == 0);
  CHECK(kernel.look(BlockId(8)).state == model::State::Online);
  Host host = machine();
  host.knobs.memmap_on_memory = "N";
  apply::SharedModel without(host);
  CHECK(without.write_standby(BlockId(8), StandbyFile::MemmapOnMemory, true) == EOPNOTSUPP);
  host.configures_standby = false;
  CHECK(apply::SharedModel(host).look_at_standby(BlockId(8)).error == ENOENT);
}

}  // namespace memonline
