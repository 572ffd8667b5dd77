// SPDX-License-Identifier: LGPL-2.1-or-later
// An unplug with --release, carried out on the kernel model: DIMMs are ejected and dax devices
// unbound after all blocks are offline, or nothing is.
#include <cerrno>
#include <tuple>

#include "compiler/model/facts.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/apply/plan_file.hpp"
#include "runtime/base/digest.hpp"
#include "tests/runtime/simulated_run.hpp"
#include "tests/support/host_builder.hpp"

namespace memonline {

using apply::Report;
using model::BlockId;
using model::Host;
using model::Zone;

namespace {

/// Counts what is released, and refuses what a test says.
class Port final : public apply::ModelPort {
 public:
  explicit Port(std::shared_ptr<apply::SharedModel> kernel)
      : apply::ModelPort(kernel), kernel_(std::move(kernel)) {}
  int write_state(BlockId block, std::string_view word) noexcept override {
    if (block == stuck && word == "offline") return EBUSY;
    return apply::ModelPort::write_state(block, word);
  }
  int unbind_dax(std::string_view device) noexcept override {
    ++unbinds;
    return unbind_error != 0 ? unbind_error : kernel_->bind_dax(device, false);
  }
  int eject_dimm(std::uint32_t number) noexcept override {
    ++ejects;
    late = late == 0 ? 0 : late - 1;
    ejecting = number;
    return late == 0 ? kernel_->eject_dimm(number) : 0;
  }
  // The kernel ejects a DIMM some time after the write.
  void pause(std::chrono::milliseconds) noexcept override {
    if (late > 0 && --late == 0) (void)kernel_->eject_dimm(ejecting);
    if (ejects > 0 && slowly) slowly = *slowly + 1;
  }
  // Or it removes them one by one.
  apply::BlockView look(BlockId block) noexcept override {
    const bool lasts = ejects > 0 && slowly && *slowly <= block && block <= BlockId(39);
    if (!lasts) return apply::ModelPort::look(block);
    apply::BlockView view;
    view.state = model::State::Offline;
    return view;
  }
  std::optional<BlockId> stuck;
  std::optional<BlockId> slowly;  ///< the first block that is still there after an eject
  int unbind_error = 0;
  int unbinds = 0;
  int ejects = 0;
  int late = 0;  ///< pauses until the blocks are gone
  std::uint32_t ejecting = 0;

 private:
  std::shared_ptr<apply::SharedModel> kernel_;
};

using Machine = test::SimulatedRun<Port>;

// Boot 0..7, dax0.0 8..11 and 14..15 in Movable, dimm0 32..35 in Movable, dimm1 36..39 in Normal.
Host machine() {
  Machine m(test::with_waiting_dax(test::HostBuilder()
                                       .boot(0, 0, 8)
                                       .dimm(0, 32, 0)
                                       .dimm_online(0, 32, 4, Zone::Movable)
                                       .dimm(0, 36, 0)
                                       .dimm_online(0, 36, 4, Zone::Normal)
                                       .build(),
                                   0, {{BlockId(8), BlockId(11)}, {BlockId(14), BlockId(15)}}));
  REQUIRE(m.apply("dax0.0 system-ram: movable").result() == Report::Result::Complete);
  return m.kernel->host();
}

std::string layout(const Machine& m) { return test::layout_text(m.kernel->host()); }

}  // namespace

TEST_CASE("release: a dax device is unbound by one write, and an undo brings it back") {
  Machine m(machine());
  const std::string before = layout(m);
  CHECK(m.release("dax0.0").result() == Report::Result::Complete);
  CHECK(m.port.unbinds == 1);
  CHECK_FALSE(m.kernel->host().find_block(BlockId(8)));
  CHECK_FALSE(m.kernel->host().find_block(BlockId(15)));
  const Report undone = test::run(m.undo(), m.port);
  CHECK(undone.result() == Report::Result::Complete);
  CHECK(layout(m) == before);
}

TEST_CASE("release: a DIMM is ejected, though its blocks go later") {
  for (const int late : {0, 3}) {
    Machine m(machine());
    m.port.late = late;
    CHECK(m.release("dimm1").result() == Report::Result::Complete);
    CHECK(m.port.ejects == 1);
    CHECK_FALSE(m.kernel->host().find_block(BlockId(36)));
    CHECK(m.kernel->host().find_block(BlockId(35)));
  }
}

TEST_CASE("release: a DIMM is ejected, though its blocks go one by one") {
  for (const std::uint64_t first : {36U, 37U, 39U}) {
    Machine m(machine());
    m.port.slowly = BlockId(first);
    const Report report = m.release("dimm1");
    INFO(test::findings(report));
    CHECK(report.result() == Report::Result::Complete);
  }
}

TEST_CASE("release: nothing is released if a block stays, and all blocks come back") {
  for (const char* what : {"dax0.0", "hotplugged", "dimm0"})
    for (const std::uint64_t stuck : {9U, 33U}) {
      Machine m(machine());
      const std::string before = layout(m);
      m.port.stuck = BlockId(stuck);
      const Report report = m.release(what);
      INFO(what << " " << stuck);
      const bool concerned =
          std::string(what) == "hotplugged" || (std::string(what) == "dax0.0") == (stuck == 9);
      CHECK((report.result() == Report::Result::Complete) != concerned);
      if (!concerned) continue;
      CHECK(m.port.unbinds + m.port.ejects == 0);
      CHECK(layout(m) == before);
    }
}

TEST_CASE("release: a device that the kernel does not release keeps its blocks online") {
  Machine m(machine());
  const std::string before = layout(m);
  m.port.unbind_error = EIO;
  CHECK(m.release("dax0.0").result() == Report::Result::Failed);
  CHECK(layout(m) == before);
}

TEST_CASE("release: what is a part of its device is offlined only") {
  Machine m(machine());
  CHECK(m.release("block 38-39").result() == Report::Result::Complete);
  CHECK(m.port.ejects == 0);
  CHECK(m.kernel->host().find_block(BlockId(39)));
}

TEST_CASE("release: the plan is read back from its file as it was written") {
  for (const char* what : {"dax0.0", "dimm1", "hotplugged"}) {
    diag::Sink sink;
    auto request = plan::parse_unplug(what).value();
    request.release = true;
    Host host = machine();
    host.fingerprint = runtime::sha256_of(model::canonical_text(host));
    const auto plan = plan::plan_unplug(request, host, sink);
    REQUIRE(plan);
    const auto read = apply::read_plan(render::plan_to_json(*plan), "plan.json");
    INFO((read ? std::string() : read.error().message));
    REQUIRE(read);
    CHECK(read->steps == plan->steps);
    CHECK(read->afterwards == plan->afterwards);
  }
}

TEST_CASE(
    "release: a plan that releases a device with blocks that it does not offline is refused") {
  Host host = machine();
  host.fingerprint = runtime::sha256_of(model::canonical_text(host));
  for (const auto& [what, from, to] :
       {std::tuple("dimm1", "[36, 39]", "[38, 39]"), std::tuple("dimm1", "[36, 39]", "[32, 39]"),
        std::tuple("dax0.0", "[14, 15]", "[15, 15]")}) {
    diag::Sink sink;
    auto request = plan::parse_unplug(what).value();
    request.release = true;
    std::string text = render::plan_to_json(*plan::plan_unplug(request, host, sink));
    const std::size_t at = text.rfind(from, text.rfind(R"("before": "offline")"));
    REQUIRE(at != std::string::npos);
    text.replace(at, std::string_view(from).size(), to);
    const auto read = apply::read_plan(text, "plan.json");
    INFO(what << " " << to);
    REQUIRE_FALSE(read);
    CHECK(read.error().message.find("are not for exactly the blocks that it has") !=
          std::string::npos);
  }
}

TEST_CASE("release: the script examines all ranges of a device before it writes once") {
  diag::Sink sink;
  auto request = plan::parse_unplug("dax0.0").value();
  request.release = true;
  const Host host = machine();
  const std::string script = render::plan_to_shell(*plan::plan_unplug(request, host, sink));
  const std::size_t write = script.find("\nunbind dax0.0 8 11\n");
  REQUIRE(write != std::string::npos);
  CHECK(script.find("\nall_offline 8 11 || ") < write);
  CHECK(script.find("\nall_offline 14 15 || ") < write);
  CHECK(script.find("\nunbind dax0.0 14 15") == std::string::npos);
}

}  // namespace memonline
