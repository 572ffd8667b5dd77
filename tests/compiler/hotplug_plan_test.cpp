// SPDX-License-Identifier: LGPL-2.1-or-later
// Who onlines hot-added memory, and with which kernel settings, example by example.
#include "compiler/model/knob.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

using namespace memonline;
using test::codes_text;
using test::eight_and_forty;
using test::plan_for;

TEST_CASE("hotplug: lowered to the kernel where it means the same") {
  const auto host = eight_and_forty().build();
  const auto lowered = [&](const std::string& policy) {
    const Compilation c = plan_for(host, policy);
    if (!c.plan) return "no plan: " + codes_text(c.diagnostics);
    std::string text(plan::onliner_name(c.plan->hotplug.by));
    for (const auto& [knob, value] : c.plan->hotplug.knobs)
      text += " " + std::string(model::knob_name(knob)) + "=" + value;
    return text;
  };
  CHECK(lowered("hotplugged: movable") == "kernel auto_online_blocks=online_movable");
  CHECK(lowered("all: normal") == "kernel auto_online_blocks=online_kernel");
  CHECK(lowered("hotplugged: offline") == "kernel auto_online_blocks=offline");
  CHECK(lowered("boot: keep") == "kernel");
  CHECK(lowered("node1: movable") == "service auto_online_blocks=offline");
  CHECK(lowered("node1: movable\nhotplugged: movable") ==
        "kernel auto_online_blocks=online_movable");
  CHECK(lowered("hotplugged: auto\nlimit movable to 3x normal per node") ==
        "kernel auto_movable_numa_aware=Y auto_movable_ratio=300 auto_online_blocks=online "
        "online_policy=auto-movable");
  CHECK(lowered("hotplugged: movable\nlimit movable to 3x normal") ==
        "service auto_online_blocks=offline");
  CHECK(lowered("set hotplug = kernel\nnode1: movable") == "no plan: ML0508");
  CHECK(lowered("set hotplug = service\nhotplugged: movable") ==
        "service auto_online_blocks=offline");
}

TEST_CASE("hotplug: the kernel defers to the service where that is faster") {
  auto host = eight_and_forty().build();
  host.service = true;
  const auto by = [&](const std::string& policy) {
    const Compilation c = plan_for(host, policy);
    REQUIRE(c.plan);
    return c.plan->hotplug.by;
  };
  CHECK(by("hotplugged: movable") == plan::Onliner::Service);
  CHECK(plan_for(host, "hotplugged: movable").plan->hotplug.knobs ==
        std::map<model::Knob, std::string>{{model::Knob::AutoOnlineBlocks, "offline"}});
  CHECK(by("hotplugged: normal") == plan::Onliner::Kernel);
  CHECK(by("hotplugged: auto") == plan::Onliner::Kernel);
  CHECK(by("set hotplug = kernel\nhotplugged: movable") == plan::Onliner::Kernel);
  host.virtualization = "microsoft";
  CHECK(by("hotplugged: movable") == plan::Onliner::Kernel);
  host.virtualization = "kvm";
  CHECK(by("hotplugged: movable") == plan::Onliner::Service);
  host.devices.back().kind = model::Device::Kind::VirtioMem;
  CHECK(by("hotplugged: movable") == plan::Onliner::Kernel);
}

TEST_CASE("hotplug: at boot, when there is no service yet, the kernel setting counts") {
  auto host = eight_and_forty().build();
  const auto words = [&] { return plan_for(host, "hotplugged: movable").plan->boot.parameters; };
  const auto without = words();
  host.service = true;
  CHECK(words() == without);
}

TEST_CASE(
    "hotplug: new memory is held back while the plan runs where the kernel would get it wrong") {
  auto host = eight_and_forty().build();
  const auto steps = [&](const char* auto_online, const std::string& policy) {
    host.knobs.auto_online_blocks = auto_online;
    const Compilation c = plan_for(host, policy);
    REQUIRE(c.plan.has_value());
    CHECK(plan_for(c.outcome, policy).plan->steps.empty());
    return test::steps_text(*c.plan);
  };
  CHECK(steps("online", "hotplugged: movable") ==
        "set auto_online_blocks=offline for the run\nonline_movable 79..40 Movable\n"
        "set auto_online_blocks=online_movable\n");
  // The kernel does what the policy says, or leaves memory alone, or the policy wants that.
  CHECK(steps("online_movable", "hotplugged: movable") == "online_movable 79..40 Movable\n");
  CHECK(steps("offline", "hotplugged: movable") ==
        "online_movable 79..40 Movable\nset auto_online_blocks=online_movable\n");
  // The service holds the switch while it runs; without it new memory would stay offline.
  CHECK(steps("online", "hotplugged: movable\nset hotplug = service") ==
        "set auto_online_blocks=offline for the run\nonline_movable 79..40 Movable\n");
  CHECK(steps("online", "hotplugged: last 50% movable") ==
        "set auto_online_blocks=offline for the run\nonline_movable 79..60 Movable\n");
  // The policy says nothing of memory to come.
  CHECK(steps("online", "boot: last 1 blocks movable, rest normal\nset rezone = allowed") ==
        "offline 39 Normal\nonline_movable 39 Movable\n");
  // `online` means the same only once the other knobs do, and then it is the word to go back to.
  CHECK(steps("online", "hotplugged: auto\nlimit movable to 2x normal per node") ==
        "set auto_online_blocks=offline for the run\nset auto_movable_ratio=200\n"
        "set online_policy=auto-movable\nonline 79..40 Normal\n");
  // Nothing but the knob changes: there is nothing to wait for.
  host = plan_for(host, "hotplugged: movable").outcome;
  CHECK(steps("online", "hotplugged: movable") == "set auto_online_blocks=online_movable\n");
}

TEST_CASE("hotplug: a step that stays says what the host said when planned for") {
  auto host = eight_and_forty().build();
  host.knobs.auto_online_blocks = "online";
  const Compilation c = plan_for(host, "hotplugged: movable");
  REQUIRE(c.plan.has_value());
  using Set = plan::SetKnob;
  CHECK(std::get<Set>(c.plan->steps.front().action) ==
        Set{model::Knob::AutoOnlineBlocks, "offline", "online", plan::KnobScope::Run});
  CHECK(std::get<Set>(c.plan->steps.back().action) ==
        Set{model::Knob::AutoOnlineBlocks, "online_movable", "online", plan::KnobScope::Stay});
}
