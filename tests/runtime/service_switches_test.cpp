// SPDX-License-Identifier: LGPL-2.1-or-later
// What the service holds while it runs: the kernel settings, and a distribution's rules away from
// memory.
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>

#include "runtime/host/udev_steer.hpp"
#include "tests/runtime/service_asks.hpp"

namespace memonline {

using service::State;
using test::kPolicy;
using test::reload;
using test::RunningService;
using test::said;
using test::small_host;

namespace {

constexpr auto kAutoMovable = "hotplugged: auto\nlimit movable to 2.5x normal\n";

std::string knobs(const RunningService& running) {
  std::string text;
  for (const model::Knob knob : {model::Knob::AutoOnlineBlocks, model::Knob::OnlinePolicy,
                                 model::Knob::AutoMovableRatio, model::Knob::AutoMovableNumaAware})
    text += (text.empty() ? "" : " ") + std::string(running.kernel->read_knob(knob).value());
  return text;
}

}  // namespace

TEST_CASE("service: the kernel settings are held while it runs and restored") {
  model::Host host = small_host();
  host.knobs.auto_online_blocks = "online";
  RunningService running(host, kPolicy);
  REQUIRE(running.until(State::InSync));
  CHECK(running.kernel->read_knob(model::Knob::AutoOnlineBlocks).value() == "offline");
  CHECK(running.service->view()->switches.at("auto_online_blocks") == "offline");
  running.service->shut_down();
  CHECK(running.kernel->read_knob(model::Knob::AutoOnlineBlocks).value() == "online");
  CHECK(said(running, "auto_online_blocks restored to online"));
}

TEST_CASE("service: auto-movable with its ratio is held, and put back") {
  RunningService running(small_host(), kAutoMovable);
  REQUIRE(running.until(State::InSync));
  CHECK(knobs(running) == "online auto-movable 250 N");
  CHECK(
      said(running,
           "hot-added memory is handled by the kernel: online_policy=auto-movable with a ratio of "
           "250% keeps the limit"));
  running.service->shut_down();
  CHECK(knobs(running) == "offline contig-zones 301 Y");
}

TEST_CASE("service: settings that are to stay do, and the next service restores them") {
  RunningService running(small_host(), kAutoMovable);
  running.keep_switches = true;
  running.restart();
  REQUIRE(running.until(State::InSync));
  running.service->shut_down();
  CHECK(knobs(running) == "online auto-movable 250 N");
  running.keep_switches = false;
  running.restart();
  REQUIRE(running.until(State::InSync));
  running.service->shut_down();
  CHECK(knobs(running) == "offline contig-zones 301 Y");
}

TEST_CASE(
    "service: the log says which rule makes new memory the kernel's or not, when it changes") {
  RunningService running(small_host(), kPolicy);
  REQUIRE(running.until(State::InSync));
  CHECK(said(running, "is handled by memonlined: the rule splits hot-added memory"));
  CHECK(said(running, "(`hotplugged: first 25% normal, rest movable`, "));
  running.said.clear();
  running.plug(4);
  REQUIRE(running.until([&] { return said(running, "4 blocks onlined"); }));
  CHECK_FALSE(said(running, "hot-added memory is handled by"));
  running.policy("hotplugged: normal\n");
  reload(running);
  REQUIRE(
      running.until([&] { return said(running, "hot-added memory is handled by the kernel: "); }));
}

TEST_CASE("service: settings are restored also while another run holds the lock, and it is said") {
  RunningService running(small_host(), "hotplugged: normal\n");
  REQUIRE(running.until(State::InSync));
  const int lock =
      ::open((running.directory.path() + "/run/memonline/lock").c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(::flock(lock, LOCK_EX | LOCK_NB) == 0);
  running.service->shut_down();
  ::close(lock);
  CHECK(running.kernel->read_knob(model::Knob::AutoOnlineBlocks).value() == "offline");
  CHECK(said(running, "the kernel settings were restored anyway"));
}

TEST_CASE("service: rules are steered away only while it runs and request it") {
  RunningService running(small_host(), kPolicy);
  running.directory.write("usr/lib/udev/rules.d/40-redhat.rules",
                          "SUBSYSTEM==\"memory\", ACTION==\"add\", ATTR{state}=\"online\"\n");
  running.keep_switches = GENERATE(false, true);
  running.restart();
  REQUIRE(running.until(State::InSync));
  const std::string copy = running.directory.path() + "/run/udev/rules.d/40-redhat.rules";
  const auto steered = runtime::read_file(copy);
  REQUIRE(steered);
  running.service->shut_down();
  CHECK_FALSE(std::filesystem::exists(copy));

  // What one that was killed leaves, and the next does not wish.
  running.directory.write("run/udev/rules.d/40-redhat.rules", *steered);
  running.policy("boot: keep\n");
  running.restart();
  REQUIRE(running.until(State::InSync));
  CHECK_FALSE(std::filesystem::exists(copy));
}

TEST_CASE("service: a distribution's rule is out of the way while it runs, and only then") {
  const std::string rule =
      "# comment\n"
      "SUBSYSTEM!=\"memory\", GOTO=\"end\"\n"
      "ACTION==\"add\", ATTR{state}==\"offline\", ATTR{state}=\"online\", ENV{X}=\"1\"\n"
      "LABEL=\"end\"\n";
  test::TemporaryDirectory root;
  root.write("usr/lib/udev/rules.d/40-redhat.rules", rule);
  root.write("usr/lib/udev/rules.d/50-other.rules", "SUBSYSTEM==\"memory\", ENV{Y}=\"1\"\n");
  root.write("etc/udev/rules.d/60-admin.rules", rule);
  root.write("run/udev/rules.d/70-some.rules", rule);
  const auto steered = runtime::steer_udev(root.path(), small_host());
  REQUIRE(steered);
  CHECK(*steered == std::vector<std::string>{"/usr/lib/udev/rules.d/40-redhat.rules"});
  const auto copy = runtime::read_file(root.path() + "/run/udev/rules.d/40-redhat.rules");
  REQUIRE(copy);
  CHECK(copy->find("ATTR{state}==\"offline\", ENV{.memonline}=\"steered\", ENV{X}=\"1\"\n") !=
        std::string::npos);
  CHECK(copy->find("ATTR{state}=\"online\"") == std::string::npos);
  runtime::unsteer_udev(root.path());
  CHECK_FALSE(runtime::read_file(root.path() + "/run/udev/rules.d/40-redhat.rules"));
  CHECK(runtime::read_file(root.path() + "/run/udev/rules.d/70-some.rules"));
}

TEST_CASE("service: a policy that a setting means exactly is lowered to it") {
  RunningService running(small_host(), "hotplugged: normal\n");
  REQUIRE(running.until(State::InSync));
  CHECK(running.kernel->read_knob(model::Knob::AutoOnlineBlocks).value() == "online_kernel");
  CHECK(running.service->view()->plan->hotplug.by == plan::Onliner::Kernel);
}

TEST_CASE("service: the kernel defers to it where whole devices are to be movable") {
  RunningService running(small_host(), "hotplugged: movable\n");
  REQUIRE(running.until(State::InSync));
  CHECK(running.kernel->read_knob(model::Knob::AutoOnlineBlocks).value() == "offline");
  CHECK(running.service->view()->plan->hotplug.by == plan::Onliner::Service);
  const std::string sign = running.directory.path() + "/run/memonline/service";
  CHECK(std::filesystem::exists(sign));
  running.service->shut_down();
  CHECK_FALSE(std::filesystem::exists(sign));
}

}  // namespace memonline
