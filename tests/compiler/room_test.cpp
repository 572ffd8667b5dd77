// SPDX-License-Identifier: LGPL-2.1-or-later
// Room for what must move before memory goes offline: the judgment itself, and that a plan never
// takes more offline than fits.
#include "compiler/plan/room.hpp"

#include <rapidcheck.h>

#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

using namespace memonline;
using model::Bytes;
using model::Era;
using model::NodeId;
using model::Zone;
using plan::Fit;
using plan::Room;
using test::HostBuilder;

namespace {

constexpr std::uint64_t kBlock = 32768;  // pages

// What the host's readers would find: so many free pages in a zone of a node.
void set_free(model::Host& host, std::uint32_t node, Zone zone, std::uint64_t pages) {
  for (model::Node& one : host.nodes) {
    if (one.id != NodeId(node)) continue;
    one.use[static_cast<std::size_t>(zone)].free = pages;
    model::ZoneSpan& span = one.zones[static_cast<std::size_t>(zone)];
    span.managed = span.present;
  }
}

// Normal 0..15 and a DIMM 32..47 in `zone` on node 0; with a second node 16 more in Normal there.
model::Host host(Zone zone, bool second = false, Era era = Era::D) {
  HostBuilder builder(era);
  builder.boot(0, 0, 16).dimm(0, 32, 0).dimm_online(0, 32, 16, zone);
  if (second) builder.boot(1, 64, 16);
  return builder.build();
}

std::uint64_t blocks(Bytes bytes) { return bytes.value() / 4096 / kBlock; }

std::uint64_t offlined_without_room(const model::Host& host, const plan::Plan& plan) {
  Room room(host);
  std::uint64_t count = 0;
  for (const plan::Step& step : plan.steps) {
    if (const auto* online = std::get_if<plan::OnlineBlocks>(&step.action))
      room.give({online->node, online->zone, online->blocks.count()});
    if (const auto* offline = std::get_if<plan::OfflineBlocks>(&step.action)) {
      const plan::Leaving leaving{offline->node, plan::assumed_zone(offline->zone),
                                  offline->blocks.count()};
      if (!room.judge(leaving).fits) count += leaving.count;
      room.take(leaving);
    }
  }
  return count;
}

}  // namespace

TEST_CASE("room: nothing known, nothing refused") {
  const Room room(host(Zone::Movable));
  CHECK_FALSE(room.known());
  CHECK(room.judge({NodeId(0), Zone::Movable, 16}).fits);
}

TEST_CASE("room: pages in use against what is free elsewhere, less a reserve") {
  auto h = host(Zone::Movable);
  set_free(h, 0, Zone::Normal, 8 * kBlock);
  set_free(h, 0, Zone::Movable, 8 * kBlock);
  const Fit whole = Room(h).judge({NodeId(0), Zone::Movable, 16});
  CHECK(blocks(whole.moved) == 8);
  CHECK(blocks(whole.free) == 8);
  CHECK(whole.reserve.value() == 16 * kBlock * 4096 / 32);
  CHECK_FALSE(whole.fits);
  // Half of the DIMM: four blocks in use, eight free in Normal and four in the other half.
  CHECK(Room(h).judge({NodeId(0), Zone::Movable, 8}).fits);
  const std::uint64_t most = Room(h).most({NodeId(0), Zone::Movable, 16});
  CHECK(Room(h).judge({NodeId(0), Zone::Movable, most}).fits);
  CHECK_FALSE(Room(h).judge({NodeId(0), Zone::Movable, most + 1}).fits);
  h.nodes[0].use[static_cast<std::size_t>(Zone::Normal)].high = 8 * kBlock;
  CHECK(Room(h).most({NodeId(0), Zone::Movable, 16}) < most);
}

TEST_CASE("room: pages of a kernel zone move to kernel zones only") {
  auto h = HostBuilder(Era::D)
               .boot(0, 0, 16)
               .dimm(0, 32, 0)
               .dimm_online(0, 32, 8, Zone::Normal)
               .dimm_online(0, 40, 8, Zone::Movable)
               .build();
  set_free(h, 0, Zone::Normal, 2 * kBlock);
  set_free(h, 0, Zone::Movable, 8 * kBlock);
  const Fit kernel = Room(h).judge({NodeId(0), Zone::Normal, 8});
  CHECK_FALSE(kernel.fits);
  CHECK(kernel.kernel_only);
  CHECK(blocks(kernel.free) == 1);
  set_free(h, 0, Zone::Normal, 8 * kBlock);
  set_free(h, 0, Zone::Movable, 0);
  CHECK(Room(h).judge({NodeId(0), Zone::Movable, 4}).fits);
}

TEST_CASE("room: while another node has memory, pages move there only, from 4.13 on") {
  for (const Era era : {Era::D, Era::A3}) {
    auto h = host(Zone::Movable, true, era);
    set_free(h, 0, Zone::Normal, 15 * kBlock);
    set_free(h, 0, Zone::Movable, 0);
    set_free(h, 1, Zone::Normal, kBlock);
    const Fit fit = Room(h).judge({NodeId(0), Zone::Movable, 8});
    CHECK(fit.fits == (era == Era::A3));
    CHECK(fit.off_node == (era == Era::A3 ? std::optional<NodeId>() : NodeId(0)));
  }
}

TEST_CASE("room: MemAvailable has the last word, and is enough by itself") {
  auto h = host(Zone::Movable);
  h.memory_available = Bytes(8 * kBlock * 4096);
  REQUIRE(Room(h).known());
  CHECK_FALSE(Room(h).judge({NodeId(0), Zone::Movable, 16}).fits);
  CHECK(blocks(Room(h).judge({NodeId(0), Zone::Movable, 16}).moved) == 12);
  // Less is available than free: the rest is spoken for.
  set_free(h, 0, Zone::Normal, 16 * kBlock);
  set_free(h, 0, Zone::Movable, 16 * kBlock);
  CHECK(blocks(Room(h).judge({NodeId(0), Zone::Movable, 16}).free) == 4);
  // More is available than free: it can be reclaimed where it is in use.
  set_free(h, 0, Zone::Normal, 0);
  set_free(h, 0, Zone::Movable, 0);
  CHECK(blocks(Room(h).judge({NodeId(0), Zone::Movable, 16}).free) == 4);
}

TEST_CASE("room: page cache counts where zones report it, else where the node does") {
  auto h = host(Zone::Movable);
  set_free(h, 0, Zone::Normal, 0);
  set_free(h, 0, Zone::Movable, 0);
  h.nodes[0].use[static_cast<std::size_t>(Zone::Normal)].file = 8 * kBlock;
  h.nodes[0].use[static_cast<std::size_t>(Zone::Movable)].file = 0;
  CHECK(blocks(Room(h).judge({NodeId(0), Zone::Movable, 4}).free) == 8);
  for (auto& use : h.nodes[0].use) use = {};
  h.nodes[0].memory = {Bytes(0), Bytes(16 * kBlock * 4096), Bytes(0)};
  CHECK(blocks(Room(h).judge({NodeId(0), Zone::Movable, 16}).free) == 8);
}

TEST_CASE("room: one piece where it fits, slices where it does not, an error where none does") {
  const std::string policy = "set rezone = allowed; dimm: normal";
  const auto steps = [&](std::uint64_t normal, std::uint64_t movable) {
    auto h = host(Zone::Movable);
    set_free(h, 0, Zone::Normal, normal);
    set_free(h, 0, Zone::Movable, movable);
    const Compilation c = test::plan_for(h, policy);
    return c.plan ? test::steps_text(*c.plan) : test::codes_text(c.diagnostics);
  };
  CHECK(steps(12 * kBlock, 12 * kBlock) == "offline 47..32 Movable\nonline_kernel 32..47 Normal\n");
  CHECK(steps(9 * kBlock, 0) ==
        "offline 39..32 Movable\nonline_kernel 32..39 Normal\noffline 47..40 Movable\n"
        "online_kernel 40..47 Normal\n");
  CHECK(steps(kBlock / 2, 0) == "ML0544");
}

TEST_CASE(
    "property: no step of a plan takes more offline than fits, and slices only where needed") {
  const bool ok = rc::check("room", [] {
    const auto number = [](std::uint64_t low, std::uint64_t high) {
      return *rc::gen::inRange(low, high + 1);
    };
    const Era era = *rc::gen::elementOf(std::vector<Era>{Era::C1, Era::C2, Era::D});
    HostBuilder builder(era);
    const std::uint64_t nodes = number(1, 2);
    for (std::uint32_t node = 0; node < nodes; ++node) {
      builder.boot(node, node * 16, number(1, 12));
      builder.dimm(node, 64 + node * 64, number(1, 4));
      builder.dimm_online(node, 68 + node * 64, number(1, 24), Zone::Movable);
      builder.dimm_online(node, 92 + node * 64, number(1, 24), Zone::Normal);
    }
    model::Host h = builder.build();
    for (std::uint32_t node = 0; node < nodes; ++node)
      for (const Zone zone : {Zone::Normal, Zone::Movable}) {
        const std::uint64_t present = h.nodes[node].zones[static_cast<std::size_t>(zone)].present;
        set_free(h, node, zone, number(0, present));
      }
    const std::string policy =
        "set rezone = allowed\n" +
        *rc::gen::elementOf(std::vector<std::string>{
            "each node: last 50% movable, rest normal", "hotplugged: normal", "hotplugged: movable",
            "hotplugged: first 8 blocks offline, rest normal",
            "each dimm: 4 blocks offline, rest movable"});
    const Compilation c = test::plan_for(h, policy);
    RC_LOG() << policy << "\n" << test::layout_text(h) << "\n";
    if (!c.plan) {
      RC_ASSERT(test::codes_text(c.diagnostics).find("ML0544") != std::string::npos);
      return;
    }
    RC_LOG() << test::steps_text(*c.plan);
    RC_ASSERT(offlined_without_room(h, *c.plan) == 0U);
    // The same host with room for everything: the same outcome, and never more steps.
    model::Host roomy = h;
    for (model::Node& node : roomy.nodes)
      for (std::size_t z = 0; z < node.zones.size(); ++z) node.use[z].free = node.zones[z].present;
    const Compilation easy = test::plan_for(roomy, policy);
    if (!easy.plan) return;
    RC_ASSERT(easy.plan->steps.size() <= c.plan->steps.size());
    RC_ASSERT(test::layout_text(easy.outcome) == test::layout_text(c.outcome));
  });
  CHECK(ok);
}
