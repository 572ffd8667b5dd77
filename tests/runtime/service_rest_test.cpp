// SPDX-License-Identifier: LGPL-2.1-or-later
// When the service may exit because the kernel does all the work, and how the next one deals with
// changes in between.
#include <filesystem>
#include <string>

#include "runtime/service/rest.hpp"
#include "tests/runtime/service_asks.hpp"

namespace memonline {

using service::Rest;
using service::State;
using test::ask_apply;
using test::ask_plan;
using test::HostBuilder;
using test::kPolicy;
using test::reload;
using test::RunningService;
using test::said;
using test::small_host;
using test::until_done;
using test::zones;

namespace {

// Without the setting the service brings such memory online itself, which is faster.
constexpr auto kMovable = "set hotplug = kernel\nhotplugged: movable\n";

std::string knob(const RunningService& running) {
  return std::string(running.kernel->read_knob(model::Knob::AutoOnlineBlocks).value());
}

bool exists(const RunningService& running, const std::string& name) {
  return std::filesystem::exists(running.directory.path() + "/run/memonline/" + name);
}

}  // namespace

TEST_CASE("service: it may end where the kernel does all, and leaves the settings") {
  RunningService running(small_host(), kMovable);
  running.rest();
  CHECK(knob(running) == "online_movable");
  CHECK(exists(running, "resting"));
  CHECK_FALSE(exists(running, "service"));
  SECTION("the next one takes over, and puts them back when it is stopped") {
    running.restart();
    CHECK_FALSE(exists(running, "resting"));
    REQUIRE(running.until(State::InSync));
    running.service->shut_down();
    CHECK(knob(running) == "offline");
  }
  SECTION("stopped while it rests, it gives them back as well") {
    const auto target = service::simulated(running.kernel, running.directory.path(), {});
    CHECK(service::put_back(*target).said ==
          std::vector<std::string>{"auto_online_blocks restored to offline"});
    CHECK(knob(running) == "offline");
    CHECK_FALSE(exists(running, "resting"));
    CHECK(service::put_back(*target).said.empty());
  }
  SECTION("but not where they are to stay") {
    running.keep_switches = true;
    running.restart();
    running.rest();
    const auto target = service::simulated(running.kernel, running.directory.path(), {});
    CHECK(service::put_back(*target).said.empty());
    CHECK(knob(running) == "online_movable");
  }
  SECTION("again and again") {
    running.restart();
    running.rest();
    CHECK(knob(running) == "online_movable");
  }
}

TEST_CASE("service: it stays where something has to be decided, or watched") {
  SECTION("new memory is to be divided") {
    RunningService running(small_host(), kPolicy);
    REQUIRE(running.until(State::InSync));
    CHECK_FALSE(running.service->is_idle());
  }
  SECTION("the policy says that the service brings it online") {
    RunningService running(small_host(), "set hotplug = service\nhotplugged: normal\n");
    REQUIRE(running.until(State::InSync));
    CHECK_FALSE(running.service->is_idle());
  }
  SECTION("someone has taken memory offline") {
    RunningService running(small_host(), kMovable);
    REQUIRE(running.until([&] { return running.service->is_idle(); }));
    REQUIRE(running.write(33, "offline") == 0);
    REQUIRE(running.until(State::Drift));
    CHECK_FALSE(running.service->is_idle());
  }
  SECTION("the policy on the disk has a mistake") {
    RunningService running(small_host(), kMovable);
    REQUIRE(running.until([&] { return running.service->is_idle(); }));
    running.policy("hotplugged: moveable\n");
    reload(running);
    CHECK_FALSE(running.service->is_idle());
  }
  SECTION("a client has a plan, or the outcome of its job") {
    RunningService running(small_host(), kMovable);
    REQUIRE(running.until([&] { return running.service->is_idle(); }));
    service::PlanRequest request;
    request.policy = "hotplugged: normal\n";
    const auto plan = ask_plan(running, request);
    CHECK_FALSE(running.service->is_idle());
    const auto job = ask_apply(running, plan.digest);
    REQUIRE(job);
    REQUIRE(until_done(running, *job));
    CHECK_FALSE(running.service->is_idle());
  }
  SECTION("another process keeps writing the setting") {
    RunningService running(small_host(), kMovable);
    REQUIRE(running.until([&] { return running.service->is_idle(); }));
    for (int i = 0; i < 3; ++i) {
      REQUIRE(running.kernel->write_knob(model::Knob::AutoOnlineBlocks, "online") == 0);
      reload(running);
      REQUIRE(running.until([&] { return i == 2 || knob(running) == "online_movable"; }));
    }
    REQUIRE(running.until([&] { return said(running, "another process keeps setting"); }));
    CHECK(knob(running) == "online");
    CHECK_FALSE(running.service->is_idle());
  }
}

TEST_CASE("service: what is taken offline while it rests stays offline") {
  RunningService running(small_host(), kMovable);
  REQUIRE(running.until(State::InSync));
  REQUIRE(zones(running, 32, 8) == "MMMMMMMM");
  running.rest();
  REQUIRE(running.kernel->write_state(model::BlockId(34), "offline") == 0);
  SECTION("with the same policy") {}
  SECTION("with another one, which is shown and not applied") {
    running.policy("hotplugged: normal\n");
  }
  running.restart();
  REQUIRE(running.until(State::Drift));
  CHECK(zones(running, 32, 8) == "MM.MMMMM");
  CHECK(said(running, "memory34 was offlined by another process"));
  CHECK(exists(running, "left-alone"));
  // Also once more memory has come.
  running.plug(4);
  REQUIRE(running.until([&] { return said(running, "blocks onlined"); }));
  CHECK(zones(running, 32, 4) == "MM.M");
}

TEST_CASE("service: what comes while it rests, and the kernel did not bring online, is its work") {
  RunningService running(small_host(), kMovable);
  running.rest();
  std::filesystem::remove(running.directory.path() + "/run/memonline/memory-changed");
  SECTION("the kernel onlined it: only the hooks run") {
    const auto first = running.kernel->add_dimm(4, model::NodeId(0));
    CHECK(zones(running, first.value(), 4) == "MMMM");
  }
  SECTION("someone had changed the setting") {
    REQUIRE(running.kernel->write_knob(model::Knob::AutoOnlineBlocks, "offline") == 0);
    const auto first = running.kernel->add_dimm(4, model::NodeId(0));
    REQUIRE(zones(running, first.value(), 4) == "....");
    running.restart();
    REQUIRE(running.until([&] { return said(running, "4 blocks onlined"); }));
    CHECK(zones(running, first.value(), 4) == "MMMM");
  }
  running.restart();
  REQUIRE(running.until(State::InSync));
  CHECK(exists(running, "memory-changed"));
}

TEST_CASE("service: a policy that changed while it rested is shown, not applied") {
  RunningService running(HostBuilder().boot(0, 0, 8).dimm(0, 32, 8).build(), "hotplugged: keep\n");
  running.rest();
  running.policy(kMovable);
  running.restart();
  REQUIRE(running.until(State::Drift));
  CHECK(zones(running, 32, 8) == "........");
  // Started once more, by hand and not from rest, it is applied.
  running.restart();
  REQUIRE(running.until(State::InSync));
  CHECK(zones(running, 32, 8) == "MMMMMMMM");
}

TEST_CASE("service: what a service at rest leaves is read back, but for another boot's") {
  const test::TemporaryDirectory directory;
  const model::BlockSet online(
      {{model::BlockId(0), model::BlockId(7)}, {model::BlockId(32), model::BlockId(40)}});
  const Rest rest{{"ab12", "cd34"}, online, true};
  REQUIRE(service::write_rest(directory.path(), "boot-1", rest));
  CHECK(service::read_rest(directory.path(), "boot-1") == rest);
  CHECK_FALSE(service::read_rest(directory.path(), "boot-2"));
  SECTION("words of a later version are left out") {
    directory.write("resting", "boot boot-1\nsettings put-back\nnew words here\nonline 9 3\n");
    CHECK(service::read_rest(directory.path(), "boot-1") == Rest{});
  }
  service::remove_rest(directory.path());
  CHECK_FALSE(service::read_rest(directory.path(), "boot-1"));
}

}  // namespace memonline
