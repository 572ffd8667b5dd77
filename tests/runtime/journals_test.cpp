// SPDX-License-Identifier: LGPL-2.1-or-later
// Files in /run/memonline that are not as this program would have left them: damaged, of a later
// version, for another run, or open to others.
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/apply/session.hpp"
#include "runtime/apply/unconfirmed.hpp"
#include "tests/runtime/model_port.hpp"
#include "tests/runtime/service_loop.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"
#include "tests/support/skip.hpp"

namespace memonline {

namespace fs = std::filesystem;
using apply::Journal;
using apply::RunDirectory;
using apply::Session;
using model::BlockId;
using test::ModelPort;
using Which = RunDirectory::Which;

namespace {

/// A machine with a DIMM of eight offline blocks, and a /run of its own.
struct Machine {
  test::TemporaryDirectory root;
  model::Host host = test::HostBuilder(model::Era::D).boot(0, 0, 8).dimm(0, 32, 8).build();
  ModelPort* port = nullptr;

  Machine() { root.write("proc/sys/kernel/random/boot_id", "this boot\n"); }
  Session session() {
    fs::create_directories(root.path() + "/run");
    auto owned = std::make_unique<ModelPort>(host);
    port = owned.get();
    auto begun = Session::begin_on(
        std::move(owned),
        [this] { return Result<model::Host, runtime::HostError>(port->model().host()); },
        root.path(), "test", {}, apply::Writer::ThisThread);
    REQUIRE(begun);
    return std::move(*begun);
  }
  [[nodiscard]] std::string at(const std::string& name) const {
    return root.path() + "/run/memonline/" + name;
  }
  [[nodiscard]] bool has(const std::string& name) const { return fs::exists(at(name)); }
  /// Has the policy carried out; whether memory came online.
  [[nodiscard]] bool applies(Session& session, bool to_confirm = false) const {
    const auto planned = test::plan_for(host, "hotplugged: movable");
    Journal journal;
    journal.to_confirm = to_confirm;
    journal.blocks = apply::blocks_before(*planned.plan, host);
    return session.carry_out(apply::program_of(*planned.plan, host), journal, {}, {}) &&
           port->model().host().find_block(BlockId(32))->state == model::State::Online;
  }
};

/// What `work` says in a process of a user who may do nothing.
int as_nobody(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::setgid(65534) == 0 && ::setuid(65534) == 0 ? work() : 99);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("journals: one that cannot be read is set aside, and memory comes online all the same") {
  const std::string name = GENERATE(as<std::string>{}, "journal", "unconfirmed");
  const std::string good = apply::to_json(Journal{});
  std::string text;
  SECTION("empty") {}
  SECTION("truncated") { text = good.substr(0, good.size() / 2); }
  SECTION("of a later version") {
    text = good;
    text.replace(text.find("journal/1"), 9, "journal/2");
  }
  SECTION("no text at all") { text = std::string(3, '\0') + "\xff"; }
  Machine machine;
  machine.root.write("run/memonline/" + name, text);
  Session session = machine.session();
  const auto recovered = session.recover({}, {});
  REQUIRE(recovered);
  REQUIRE(recovered->set_aside.size() == 1);
  CHECK(recovered->set_aside[0].error.path == machine.at(name));
  CHECK(recovered->set_aside[0].path == machine.at(name + ".unreadable"));
  CHECK(recovered->lines.at(0).find("renamed to `" + machine.at(name + ".unreadable")) !=
        std::string::npos);
  CHECK(machine.has(name + ".unreadable"));
  CHECK_FALSE(machine.has(name));

  // It is of a run after any that is known, which `undo` would leave out.
  const auto refused = session.directory().read(Which::Last);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().path == machine.at(name + ".unreadable"));
  CHECK(machine.applies(session));
  CHECK(machine.has(name + ".unreadable.old"));
  const auto last = session.directory().read(Which::Last);
  REQUIRE((last && *last));
  const auto undone = session.undo(Which::Last, **last, {}, {});
  REQUIRE(undone);
  CHECK(undone->result() == apply::Report::Result::Complete);
}

TEST_CASE("journals: undo is refused where the last run before an unreadable one is known, too") {
  Machine machine;
  {
    Session session = machine.session();
    REQUIRE(machine.applies(session));
    CHECK(session.directory().read(Which::Last));
  }
  machine.root.write("run/memonline/journal", "{");
  Session session = machine.session();
  REQUIRE(session.recover({}, {}));
  CHECK(machine.has("last"));
  CHECK_FALSE(session.directory().read(Which::Last));
}

TEST_CASE("journals: each run has a name of its own, and a word for one is for no other") {
  std::set<std::string> names;
  Machine machine;
  for (int i = 0; i < 100; ++i) names.insert(machine.session().run());
  CHECK(names.size() == 100);
  CHECK(names.begin()->starts_with(std::to_string(::getpid()) + "."));

  Session session = machine.session();
  REQUIRE(machine.applies(session, true));
  REQUIRE(session.directory().confirm(session.run()));
  CHECK(machine.has("confirmed"));
  REQUIRE(session.keep());
  CHECK_FALSE(machine.has("confirmed"));
  // A word for another run stays: that one may wait beside.
  REQUIRE(session.directory().confirm("1.another"));
  REQUIRE(machine.applies(session));
  CHECK(machine.has("confirmed"));
  CHECK_FALSE(session.directory().is_confirmed(session.run()));
}

TEST_CASE("journals: what is undone or kept by the service takes its word with it") {
  Machine machine;
  Session session = machine.session();
  REQUIRE(machine.applies(session, true));
  SECTION("undone") {
    const auto journal = session.directory().read(Which::Running);
    REQUIRE((journal && *journal));
    REQUIRE(session.directory().confirm(session.run()));
    REQUIRE(session.undo(Which::Running, **journal, {}, {}));
  }
  SECTION("kept") {
    auto waits = apply::Unconfirmed::of(session.directory());
    REQUIRE(waits);
    REQUIRE(session.directory().confirm(session.run()));
    REQUIRE((*waits)->keep());
  }
  CHECK_FALSE(machine.has("confirmed"));
}

TEST_CASE("journals: what was confirmed stays, also if who waited for it was killed before") {
  Machine machine;
  {
    Session killed = machine.session();
    REQUIRE(machine.applies(killed, true));
    REQUIRE(killed.directory().confirm(killed.run()));
    machine.host = machine.port->model().host();
  }
  Session next = machine.session();
  const auto recovered = next.recover({}, {});
  REQUIRE(recovered);
  CHECK_FALSE(recovered->undone);
  CHECK(machine.port->model().host().find_block(BlockId(32))->state == model::State::Online);
  CHECK((machine.has("last") && !machine.has("journal") && !machine.has("confirmed")));
}

TEST_CASE("journals: whatever the umask is, no other user may open and lock what locks are on") {
  const mode_t before = ::umask(0);
  Machine machine;
  fs::permissions(machine.root.path(), fs::perms::all);
  Session session = machine.session();
  REQUIRE(machine.applies(session, true));
  const auto waits = apply::Unconfirmed::of(session.directory());
  REQUIRE(session.directory().confirm("1.x"));
  ::umask(before);
  REQUIRE(waits);
  for (const char* name : {"lock", "unconfirmed", "confirmed"}) {
    INFO(name);
    struct stat status {};
    REQUIRE(::stat(machine.at(name).c_str(), &status) == 0);
    CHECK((status.st_mode & 07777U) == 0600U);
  }
  if (::geteuid() != 0) return test::skip_part("journals", "needs root, to be another user");
  CHECK(as_nobody([&] {
          int opened = 0;
          for (const char* name : {"lock", "unconfirmed", "confirmed"}) {
            const int file = ::open(machine.at(name).c_str(), O_RDONLY | O_CLOEXEC);
            if (file >= 0 && ::flock(file, LOCK_SH | LOCK_NB) == 0) ++opened;
          }
          return opened;
        }) == 0);
}

}  // namespace memonline
