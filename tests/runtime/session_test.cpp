// SPDX-License-Identifier: LGPL-2.1-or-later
// What lies in /run/memonline between runs: the lock, the journal of a run that was killed, and
// what the next run makes of it.
#include "runtime/apply/session.hpp"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/runtime/model_port.hpp"
#include "tests/runtime/service_loop.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

namespace memonline {

using apply::Journal;
using apply::KnobBefore;
using apply::RunDirectory;
using apply::Session;
using model::BlockId;
using model::Zone;
using test::ModelPort;

namespace {

constexpr model::Knob kKnob = model::Knob::AutoOnlineBlocks;

/// A machine with a DIMM of eight offline blocks, and a /run of its own.
struct Machine {
  test::TemporaryDirectory root;
  model::Host host = test::HostBuilder(model::Era::D).boot(0, 0, 8).dimm(0, 32, 8).build();
  ModelPort* port = nullptr;

  Machine() {
    root.write("proc/sys/kernel/random/boot_id", "this boot\n");
    root.write("run/nothing", "");
  }

  Session session() {
    auto owned = std::make_unique<ModelPort>(host);
    port = owned.get();
    auto begun = Session::begin_on(
        std::move(owned), [this] { return Result<model::Host, runtime::HostError>(now()); },
        root.path(), "test", {}, apply::Writer::ThisThread);
    REQUIRE(begun);
    return std::move(*begun);
  }
  [[nodiscard]] model::Host now() const { return port->model().host(); }
  [[nodiscard]] bool has(const std::string& name) const {
    return std::filesystem::exists(root.path() + "/run/memonline/" + name);
  }
};

Journal journal_with(KnobBefore knob) {
  Journal journal;
  journal.command = "memonline apply";
  journal.knobs.push_back(std::move(knob));
  return journal;
}

std::string value_of(ModelPort& port) { return std::string(port.read_knob(kKnob).value()); }

}  // namespace

TEST_CASE("session: a knob that a killed run held is put back, also if it was to get another") {
  for (const bool stays : {false, true}) {
    const KnobBefore knob = stays ? KnobBefore{kKnob, "online", "online_movable", true, "offline"}
                                  : KnobBefore{kKnob, "online", "offline", false, {}};
    Machine machine;
    Session session = machine.session();
    REQUIRE(session.directory().write(journal_with(knob)));
    machine.port->set(kKnob, "offline");
    const auto recovered = session.recover({}, {});
    REQUIRE(recovered);
    CHECK(recovered->lines == std::vector<std::string>{"auto_online_blocks restored to online"});
    CHECK(machine.port->writes ==
          std::vector<std::string>{"wait for adds", "set auto_online_blocks=online"});
    CHECK((machine.has("last") && !machine.has("journal")));
  }
}

TEST_CASE("session: what a killed run had set to stay stays, and what others set as well") {
  for (const auto* now : {"online_movable", "online_kernel"}) {
    Machine machine;
    Session session = machine.session();
    REQUIRE(session.directory().write(
        journal_with({kKnob, "online", "online_movable", true, "offline"})));
    machine.port->set(kKnob, now);
    REQUIRE(session.recover({}, {}));
    CHECK(value_of(*machine.port) == now);
    CHECK(machine.port->writes.empty());
  }
}

TEST_CASE("session: what could not be put back is tried again by the next run") {
  Machine machine;
  Session session = machine.session();
  REQUIRE(session.directory().write(journal_with({kKnob, "online", "offline", false, {}})));
  machine.port->set(kKnob, "offline");
  machine.port->refuse_knobs = EIO;
  const auto failed = session.recover({}, {});
  REQUIRE(failed);
  CHECK(failed->lines ==
        std::vector<std::string>{"cannot restore auto_online_blocks to online: EIO"});
  CHECK(machine.has("journal"));
  machine.port->refuse_knobs = 0;
  REQUIRE(session.recover({}, {}));
  CHECK(value_of(*machine.port) == "online");
  CHECK(!machine.has("journal"));
}

TEST_CASE("session: undo goes back to before a killed run, whatever a later one added") {
  Machine machine;
  Session session = machine.session();
  const auto first = test::plan_for(machine.host, "block 32-35: movable\nblock 36-39: keep");
  Journal killed;
  killed.blocks = apply::blocks_before(*first.plan, machine.host);
  machine.port->write(BlockId(35), "online_movable");  // so far it came
  const model::Host found = machine.now();
  const auto second = test::plan_for(found, "hotplugged: movable");
  Journal journal;
  journal.blocks = apply::blocks_before(*second.plan, found);
  apply::merge_earlier(journal, killed);
  const auto report = session.carry_out(apply::program_of(*second.plan, found), journal, {}, {});
  REQUIRE(report);
  CHECK(machine.now().find_block(BlockId(32))->zones == model::ValidZones{Zone::Movable});

  const auto last = session.directory().read(RunDirectory::Which::Last);
  REQUIRE((last && *last));
  const auto undone = session.undo(RunDirectory::Which::Last, **last, {}, {});
  REQUIRE(undone);
  CHECK(undone->result() == apply::Report::Result::Complete);
  CHECK(machine.now().find_block(BlockId(32))->count == 8);
  CHECK(machine.now().find_block(BlockId(35))->state == model::State::Offline);
}

TEST_CASE("session: what writing left behind is swept away, and nothing else") {
  Machine machine;
  for (const auto* name : {".journal.aB3xYz", "hook", ".keep"})
    machine.root.write(std::string("run/memonline/") + name, "");
  const Session session = machine.session();
  CHECK_FALSE(machine.has(".journal.aB3xYz"));
  CHECK((machine.has("hook") && machine.has(".keep")));
}

TEST_CASE("session: a word of confirmation arrives although runs begin meanwhile") {
  Machine machine;
  std::atomic<bool> over = false;
  std::thread others([&] {
    while (!over) {
      auto directory = RunDirectory::open(machine.root.path());
      (void)directory->lock(std::chrono::milliseconds(0), "another");
    }
  });
  auto directory = RunDirectory::open(machine.root.path());
  int arrived = 0;
  for (int i = 0; i < 500; ++i) {
    const std::string run = "1." + std::to_string(i);
    arrived += directory->confirm(run) && directory->is_confirmed(run) ? 1 : 0;
  }
  over = true;
  others.join();
  CHECK(arrived == 500);
}

TEST_CASE("session: who waits for the lock goes when asked to") {
  Machine machine;
  const Session holds = machine.session();
  auto waits = RunDirectory::open(machine.root.path());
  REQUIRE(waits);
  volatile std::sig_atomic_t stops = 0;
  std::thread asks([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    stops = 1;
  });
  const auto held = waits->lock(std::chrono::hours(1), "test", &stops);
  asks.join();
  REQUIRE((held && *held));
  CHECK((*held)->owner.find("(test)") != std::string::npos);
}

TEST_CASE("session: a journal reads back as it was written") {
  Journal journal = journal_with({kKnob, "online", "online_movable", true, "offline"});
  journal.run = "12.34";
  journal.boot = "boot";
  journal.plan = "sha256:1";
  journal.to_confirm = true;
  journal.block_size = 128 << 20;
  journal.blocks = {{BlockId(1), BlockId(2), true, Zone::Movable, model::NodeId(1)},
                    {BlockId(4), BlockId(9), false, std::nullopt, std::nullopt}};
  const auto back = apply::journal_of(apply::to_json(journal));
  REQUIRE(back);
  CHECK(*back == journal);
}

}  // namespace memonline
