// SPDX-License-Identifier: LGPL-2.1-or-later
// The zone of blocks without valid_zones, from the zones' spans.
#include "compiler/model/zone_evidence.hpp"

#include "compiler/kernel/memory_state.hpp"
#include "compiler/model/facts.hpp"
#include "tests/support/catch.hpp"

namespace memonline {

using model::BlockId;
using model::BlockRun;
using model::Host;
using model::NodeId;
using model::State;
using model::ValidZones;
using model::Zone;

namespace {

constexpr std::uint64_t kPages = 32768;

/// Blocks of 128 MiB, all of one state and without valid_zones.
Host host_with(std::uint64_t first, std::uint64_t count, State state = State::Online) {
  Host host;
  host.block_size = model::Bytes(kPages * 4096);
  host.zone_spans_known = true;
  host.facts.valid_zones = false;
  host.era = model::Era::A1;
  host.devices.emplace_back();
  host.nodes.emplace_back().id = NodeId(0);
  BlockRun run;
  run.first = BlockId(first);
  run.count = count;
  run.state = state;
  run.node = NodeId(0);
  host.blocks.push_back(run);
  return host;
}

void span(Host& host, Zone zone, std::uint64_t start, std::uint64_t spanned,
          std::uint64_t present) {
  host.nodes.front().zones.at(static_cast<std::size_t>(zone)) = {model::Pfn(start), spanned,
                                                                 present, present, 0};
}

std::string settled(Host host) {
  model::settle_zones(host);
  std::string text;
  for (const BlockRun& run : host.blocks)
    text += (text.empty() ? "" : ", ") + std::to_string(run.first.value()) + ".." +
            std::to_string(run.last().value()) + " " + model::zones_text(run.zones);
  return text;
}

}  // namespace

TEST_CASE("zone evidence: a run is cut where a zone ends") {
  Host host = host_with(0, 16);
  span(host, Zone::Dma, 1, 4095, 3998);
  span(host, Zone::Dma32, 4096, 8 * kPages - 4096, 8 * kPages - 4096);
  span(host, Zone::Movable, 8 * kPages, 8 * kPages, 8 * kPages);
  CHECK(settled(host) == "0..0 none, 1..7 DMA32, 8..15 Movable");
  CHECK_FALSE(kernel::zone_of(host, host.blocks.front()).has_value());
  const auto state = kernel::state_of(host);
  CHECK(state.runs.size() == 3);
  CHECK(state.runs.at(8).zone == Zone::Movable);
  CHECK(state.runs.at(0).mixed);
}

TEST_CASE("zone evidence: where spans overlap, only a zone without holes is proven") {
  Host host = host_with(32, 16);
  span(host, Zone::Normal, 32 * kPages, 16 * kPages, 12 * kPages);
  span(host, Zone::Movable, 40 * kPages, 4 * kPages, 4 * kPages);
  CHECK(settled(host) == "32..39 Normal, 40..43 Movable, 44..47 Normal");
  span(host, Zone::Movable, 40 * kPages, 4 * kPages, 3 * kPages);
  CHECK(settled(host) == "32..39 Normal, 40..43 unknown, 44..47 Normal");
}

TEST_CASE("zone evidence: nothing is proven of blocks outside all spans, or beside a hidden one") {
  Host host = host_with(32, 8);
  span(host, Zone::Normal, 0, 8 * kPages, 8 * kPages);
  CHECK(settled(host) == "32..39 unknown");
  span(host, Zone::Normal, 32 * kPages, 8 * kPages, 4 * kPages);
  CHECK(settled(host) == "32..39 Normal");
  span(host, Zone::Movable, 0, 0, 4 * kPages);  // its start is not shown
  CHECK(settled(host) == "32..39 unknown");
  host.zone_spans_known = false;
  CHECK(settled(host) == "32..39 unknown");
}

TEST_CASE("zone evidence: blocks without a node are judged by the spans of all nodes") {
  Host host = host_with(0, 8);
  host.blocks.front().node.reset();
  span(host, Zone::Normal, 0, 4 * kPages, 4 * kPages);
  host.nodes.emplace_back().id = NodeId(1);
  host.nodes.back().zones.at(static_cast<std::size_t>(Zone::Normal)) = {
      model::Pfn(4 * kPages), 4 * kPages, 4 * kPages, 4 * kPages, 0};
  CHECK(settled(host) == "0..7 Normal");
  CHECK(host.nodes.size() == 2);
}

TEST_CASE("zone evidence: an offline block of an old kernel is bound to the zone that spans it") {
  Host host = host_with(40, 8, State::Offline);
  span(host, Zone::Normal, 32 * kPages, 12 * kPages, 8 * kPages);
  span(host, Zone::Movable, 44 * kPages, 4 * kPages, 0);
  CHECK(settled(host) == "40..47 unknown");  // what it may join is not what it is in
  const auto state = kernel::state_of(host);
  CHECK(state.runs.at(40).zone == Zone::Normal);
  CHECK(state.runs.at(44).zone == Zone::Movable);
}

}  // namespace memonline
