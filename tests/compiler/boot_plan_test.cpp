// SPDX-License-Identifier: LGPL-2.1-or-later
// Which kernel parameters a plan asks for: the nearest to the wish, nobody else's touched, its own
// removed when the policy no longer needs them.
#include <algorithm>

#include <fmt/format.h>

#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

using namespace memonline;
using model::Zone;
using test::codes_text;
using test::HostBuilder;
using test::plan_for;
using Words = std::vector<std::string>;

namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;

// Two nodes of 1 GiB below 4 GiB, and a DIMM of 512 MiB on the second.
model::Host two_nodes(const Words& command_line = {}, const Words& own = {}) {
  HostBuilder builder;
  builder.boot(0, 0, 8, Zone::Dma32).boot(1, 8, 8, Zone::Dma32).dimm(1, 40, 4);
  for (const std::string& word : command_line) builder.parameter(word);
  model::Host host = builder.build();
  host.arch = "x86_64";
  host.boot_memory = {{1, 160}, {256, 524288}};
  host.own_parameters = own;
  return host;
}

// Beside ML0502: boot memory is online in Normal already, and only a reboot helps.
std::string other_codes(const diag::Sink& sink) {
  diag::Sink others;
  for (const diag::Diagnostic& d : sink.all())
    if (diag::name_of(d.code) != "ML0502") others.add(d.code, d.span, d.message);
  return codes_text(others);
}

plan::Boot boot_of(const model::Host& host, const std::string& policy,
                   const std::string& codes = "") {
  const auto compiled = plan_for(host, policy);
  REQUIRE(compiled.plan.has_value());
  INFO(policy);
  CHECK(other_codes(compiled.diagnostics) == codes);
  return compiled.plan->boot;
}

constexpr const char* kHalf = "each node boot: last 50% movable, rest normal";

}  // namespace

TEST_CASE("boot plan: half of each of two equal nodes is met to the block") {
  const plan::Boot boot = boot_of(two_nodes(), kHalf);
  REQUIRE(boot.set.size() == 1);
  CHECK(boot.parameters == boot.set);
  CHECK(boot.reboot_required);
  REQUIRE(boot.nodes.size() == 2);
  for (const plan::BootNode& node : boot.nodes) {
    const std::uint64_t wished = node.wished.at("Movable");
    const std::uint64_t predicted = node.predicted.at("Movable");
    CHECK(wished == kGiB / 2);
    CHECK(std::max(wished, predicted) - std::min(wished, predicted) <= 4U << 20U);
  }
}

TEST_CASE("boot plan: what is there already is not set again, and goes when nobody needs it") {
  const Words words = boot_of(two_nodes(), kHalf).parameters;
  const plan::Boot there = boot_of(two_nodes(words, words), kHalf);
  CHECK(there.parameters == words);
  CHECK(there.set.empty());
  CHECK_FALSE(there.reboot_required);
  const plan::Boot gone = boot_of(two_nodes(words, words), "hotplugged: movable");
  CHECK(gone.parameters.empty());
  CHECK(gone.remove == words);
  CHECK(gone.reboot_required);
}

TEST_CASE("boot plan: another wish replaces our own word") {
  const plan::Boot boot = boot_of(two_nodes({"kernelcore=1600M"}, {"kernelcore=1600M"}), kHalf);
  CHECK(boot.set.size() == 1);
  CHECK(boot.remove == Words{"kernelcore=1600M"});
}

TEST_CASE("boot plan: the user's own word stays and is predicted") {
  const plan::Boot boot = boot_of(two_nodes({"kernelcore=50%"}), kHalf, "ML0510");
  CHECK(boot.parameters.empty());
  CHECK_FALSE(boot.reboot_required);
  REQUIRE(boot.nodes.size() == 2);
  CHECK(boot.nodes[1].predicted.at("Movable") == kGiB / 2);
  const plan::Boot split = boot_of(two_nodes({"movable_node"}), kHalf, "ML0510");
  CHECK(split.parameters.empty());
  CHECK(split.nodes.empty());
}

TEST_CASE("boot plan: a word without a prediction is named, and predicted nothing") {
  for (const char* word : {"movable_node", "kernelcore=mirror"}) {
    const auto compiled = plan_for(two_nodes({word}), kHalf);
    INFO(word);
    CHECK(other_codes(compiled.diagnostics) == "ML0510");
    CHECK(compiled.plan->boot.nodes.empty());
    for (const diag::Diagnostic& d : compiled.diagnostics.all())
      if (diag::name_of(d.code) == "ML0510") CHECK(d.notes.size() == 1);
  }
  // The larger amount for the kernel counts; movable_node makes the kernel ignore both.
  const plan::Boot both =
      boot_of(two_nodes({"kernelcore=25%", "movablecore=512M"}), kHalf, "ML0510 ML0511");
  CHECK(both.nodes[1].predicted.at("Movable") == kGiB / 4);
  model::Host host = two_nodes({"kernelcore=50%", "movable_node"});
  host.hotpluggable_memory.emplace();
  CHECK(boot_of(host, kHalf, "ML0510 ML0511").nodes[1].predicted.count("Movable") == 0);
}

TEST_CASE("boot plan: movable_node where the wish is a whole hot-pluggable node") {
  const auto host = [](const Words& command_line = {}, const Words& own = {}) {
    model::Host made = two_nodes(command_line, own);
    made.hotpluggable_memory = {{262144, 524288}};
    return made;
  };
  const std::string policy = "node1 boot: movable\nnode0: normal\nhotplugged: movable";
  const plan::Boot boot = boot_of(host(), policy);
  CHECK(boot.set == Words{"movable_node"});
  REQUIRE(boot.nodes.size() == 2);
  CHECK(boot.nodes[0].predicted.count("Movable") == 0);
  CHECK(boot.nodes[1].predicted.at("Movable") == kGiB);
  CHECK(boot.nodes[1].predicted.size() == 1);
  // Ours stays; somebody else's is named and predicted the same.
  CHECK(boot_of(host({"movable_node"}, {"movable_node"}), policy).set.empty());
  const plan::Boot foreign = boot_of(host({"movable_node"}), policy, "ML0510");
  CHECK(foreign.parameters.empty());
  CHECK(foreign.nodes == boot.nodes);
  // Half of each node is nearer with kernelcore, and nobody needs movable_node then.
  const plan::Boot half = boot_of(host({"movable_node"}, {"movable_node"}), kHalf);
  CHECK(half.set.size() == 1);
  CHECK(half.remove == Words{"movable_node"});
  // The kernel needs early memory on it, or the table is unknown: kernelcore again, and not near.
  model::Host held = host();
  held.early_memory = {{520000, 524288}};
  CHECK(other_codes(plan_for(held, policy).diagnostics) == "ML0511");
  CHECK(other_codes(plan_for(two_nodes(), policy).diagnostics) == "ML0511");
  // A limit that leaves the kernel more than the other node has.
  const plan::Boot limited = boot_of(host(), "limit movable to 0.5x normal\n" + policy, "ML0511");
  CHECK(limited.set != Words{"movable_node"});
}

TEST_CASE("boot plan: the kernel keeps a fifth, or what a limit says") {
  const plan::Boot all = boot_of(two_nodes(), "boot: movable", "ML0511");
  REQUIRE(all.nodes.size() == 2);
  const auto movable = [](const plan::Boot& boot) {
    return boot.nodes[0].predicted.at("Movable") + boot.nodes[1].predicted.at("Movable");
  };
  CHECK(movable(all) <= 2 * kGiB * 4 / 5);
  CHECK(movable(all) > 2 * kGiB * 3 / 4);
  const plan::Boot limited = boot_of(
      two_nodes(), "limit movable to 1x normal\nboot: movable\nhotplugged: normal", "ML0511");
  CHECK(movable(limited) <= kGiB);
}

TEST_CASE("boot plan: a wish that no setting comes near is said with its alternative") {
  const auto compiled =
      plan_for(two_nodes(), "node1 boot: movable\nnode0: normal\nhotplugged: normal");
  CHECK(other_codes(compiled.diagnostics) == "ML0511");
  for (const diag::Diagnostic& d : compiled.diagnostics.all()) {
    if (diag::name_of(d.code) != "ML0511") continue;
    CHECK(d.notes.size() == 2);
    CHECK(d.help.find("rezone = allowed") != std::string::npos);
  }
}

TEST_CASE("boot plan: boot-parameters = ignore, and rezone = allowed, ask for none") {
  CHECK(boot_of(two_nodes(), std::string("set boot-parameters = ignore\n") + kHalf) ==
        plan::Boot{});
  const auto compiled = plan_for(two_nodes(), std::string("set rezone = allowed\n") + kHalf);
  REQUIRE(compiled.plan.has_value());
  CHECK(compiled.plan->boot.parameters.empty());
}

TEST_CASE("boot plan: memmap-on-memory is a parameter where the kernel has it") {
  const std::string policy = "set memmap-on-memory = on\nhotplugged: movable";
  model::Host host = two_nodes();
  host.facts.memmap_pages = true;
  host.knobs.memmap_on_memory.reset();
  CHECK(boot_of(host, policy, "ML0573").parameters.empty());
  host.knobs.memmap_on_memory = "N";
  CHECK(boot_of(host, policy).set == Words{"memory_hotplug.memmap_on_memory=1"});
  model::Host foreign = two_nodes({"memory_hotplug.memmap_on_memory=0"});
  foreign.facts.memmap_pages = true;
  foreign.knobs.memmap_on_memory = "N";
  CHECK(boot_of(foreign, policy, "ML0510").set.empty());
  foreign.knobs.memmap_on_memory = "Y";
  CHECK(boot_of(foreign, policy).set.empty());
}

TEST_CASE("boot plan: memmap-on-memory is not asked for where the kernel never uses it") {
  const auto in_vain = [](const model::Host& host, const char* value) {
    const plan::Boot boot = boot_of(
        host, fmt::format("set memmap-on-memory = {}\nhotplugged: movable", value), "ML0573");
    return boot.parameters.empty() && !boot.reboot_required;
  };
  model::Host host = two_nodes();
  host.knobs.memmap_on_memory = "N";
  host.facts.memmap_pages = false;  // up to 6.7: only a DIMM of one block
  CHECK(in_vain(host, "on"));
  host.facts.memmap_pages = true;
  model::Host virtio = HostBuilder().boot(0, 0, 8, Zone::Dma32).virtio_mem(0, 40, 4).build();
  virtio.knobs.memmap_on_memory = "N";
  virtio.facts.memmap_pages = true;
  CHECK(in_vain(virtio, "on"));
  CHECK(in_vain(virtio, "force"));
  model::Host arm = host;
  arm.page_size = 16384;
  CHECK(in_vain(arm, "on"));
  // What was asked for once stays: to remove it would need a reboot, too.
  virtio.own_parameters = {"memory_hotplug.memmap_on_memory=1"};
  virtio.command_line = virtio.own_parameters;
  const plan::Boot boot =
      boot_of(virtio, "set memmap-on-memory = on\nhotplugged: movable", "ML0573");
  CHECK_FALSE(boot.reboot_required);
}

TEST_CASE("boot plan: DIMMs that came online wrongly at boot are met before user space runs") {
  const auto host = [](const Words& command_line, const Words& own, Zone zone) {
    HostBuilder builder;
    builder.boot(0, 0, 8, Zone::Dma32).dimm(0, 40, 4).dimm_online(0, 44, 4, zone);
    for (const std::string& word : command_line) builder.parameter(word);
    model::Host made = builder.build();
    made.knobs.auto_online_blocks = "online";
    made.own_parameters = own;
    return made;
  };
  const Words ours{"memhp_default_state=online_movable"};
  const auto boot = [](const model::Host& made) {
    const auto compiled = plan_for(made, "hotplugged: movable");
    REQUIRE(compiled.plan.has_value());
    return compiled.plan->boot;
  };
  CHECK(boot(host({}, {}, Zone::Normal)).set == ours);
  CHECK(boot(host({}, {}, Zone::Movable)).set.empty());
  CHECK(boot(host(ours, ours, Zone::Movable)).parameters == ours);
  CHECK_FALSE(boot(host(ours, ours, Zone::Movable)).reboot_required);
}
