// SPDX-License-Identifier: LGPL-2.1-or-later
// Eras from what a host shows: the rules of zones at work first, then the age of other things.
#include "compiler/model/detect_era.hpp"

#include "tests/support/catch.hpp"

namespace memonline {

using model::BlockId;
using model::BlockRun;
using model::detect_era;
using model::Era;
using model::EraFacts;
using model::Host;
using model::NodeId;
using model::Pfn;
using model::State;
using model::ValidZones;
using model::Zone;

namespace {

constexpr std::uint64_t kPages = 32768;

const ValidZones kNormal{Zone::Normal};
const ValidZones kBoth{Zone::Normal, Zone::Movable};

class EraHost {
 public:
  EraHost() {
    host_.block_size = model::Bytes(kPages * 4096);
    host_.devices.emplace_back();
    host_.nodes.emplace_back();
    host_.facts.valid_zones = true;
    host_.facts.online_policy = false;
  }
  EraHost& blocks(std::uint64_t first, std::uint64_t last, State state, const ValidZones& zones) {
    BlockRun run;
    run.first = BlockId(first);
    run.count = last - first + 1;
    run.state = state;
    run.zones = zones;
    run.node = NodeId(0);
    model::append_run(host_.blocks, run);
    return *this;
  }
  EraHost& span(Zone zone, std::uint64_t first, std::uint64_t last) {
    host_.zone_spans_known = true;
    model::ZoneSpan& span = host_.nodes[0].zones[static_cast<std::size_t>(zone)];
    span.start = Pfn(first * kPages);
    span.spanned = (last - first + 1) * kPages;
    return *this;
  }
  EraHost& facts(std::optional<bool> foll_pin, std::optional<bool> kreclaimable,
                 std::optional<bool> swap_ra) {
    host_.facts.foll_pin = foll_pin;
    host_.facts.kreclaimable = kreclaimable;
    host_.facts.swap_ra = swap_ra;
    return *this;
  }
  Host& host() { return host_; }
  [[nodiscard]] Era era() const { return detect_era(host_).era; }

 private:
  Host host_;
};

}  // namespace

TEST_CASE("era: online_policy is D, whatever else shows") {
  EraHost host;
  host.host().facts.online_policy = true;
  host.blocks(0, 7, State::Offline, kNormal);
  CHECK(host.era() == Era::D);
  CHECK(detect_era(host.host()).evidence == "memory_hotplug.online_policy exists");
}

TEST_CASE("era: no valid_zones is A1, unless younger things show that hot remove is lacking") {
  EraHost host;
  host.host().facts.valid_zones = false;
  host.blocks(0, 7, State::Online, ValidZones());
  CHECK(host.era() == Era::A1);
  CHECK(host.facts(true, true, true).era() == Era::C2);
}

TEST_CASE("era: an online block with two names is A") {
  EraHost host;
  host.blocks(0, 6, State::Online, kNormal).blocks(7, 7, State::Online, kBoth);
  host.facts(true, true, true);  // even against the age of backported things
  CHECK(host.era() == Era::A2);
  host.host().facts.auto_online_blocks = false;
  CHECK(host.era() == Era::A1);
  host.host().facts.auto_online_blocks = true;
  host.host().facts.empty_zones_listed = true;
  CHECK(host.era() == Era::A3);
  CHECK(detect_era(host.host()).evidence.find("online memory7 lists two zones") == 0);
}

TEST_CASE("era: offline blocks bound beyond all online memory are A") {
  EraHost host;
  host.blocks(0, 7, State::Online, kNormal).blocks(32, 38, State::Offline, kNormal);
  host.blocks(39, 39, State::Offline, kBoth).span(Zone::Normal, 0, 39);
  CHECK(host.era() == Era::A2);
  host.host().facts.empty_zones_listed = true;
  CHECK(host.era() == Era::A3);
}

TEST_CASE("era: offline blocks with one name are B where membership comes with onlining") {
  // Within the span of online memory.
  EraHost inside;
  inside.blocks(0, 7, State::Online, kNormal).blocks(8, 9, State::Offline, kNormal);
  inside.blocks(10, 15, State::Online, kNormal).span(Zone::Normal, 0, 15);
  CHECK(inside.era() == Era::B);
  // Another offline block is in no zone at all.
  EraHost outside;
  outside.blocks(0, 7, State::Online, kNormal).blocks(32, 33, State::Offline, kNormal);
  outside.blocks(48, 50, State::Offline, kBoth).span(Zone::Normal, 0, 39);
  CHECK(outside.era() == Era::B);
  // An empty line was possible in 4.13 only.
  EraHost empty;
  empty.blocks(0, 7, State::Online, kNormal);
  empty.blocks(8, 8, State::Offline, ValidZones(ValidZones::Kind::Empty)).span(Zone::Normal, 0, 8);
  CHECK(empty.era() == Era::B);
}

TEST_CASE("era: Movable offered below Normal memory is C") {
  EraHost host;
  host.blocks(0, 7, State::Online, kNormal).blocks(8, 9, State::Offline, kBoth);
  host.blocks(10, 15, State::Online, kNormal).facts(false, false, false);
  CHECK(host.era() == Era::C1);
  CHECK(host.facts(true, true, true).era() == Era::C2);
  CHECK(host.facts({}, {}, {}).era() == Era::C2);
}

TEST_CASE("era: where blocks do not tell, age does") {
  EraHost host;
  host.blocks(0, 7, State::Online, kNormal);
  CHECK(host.facts(true, true, true).era() == Era::C2);
  CHECK(host.facts(false, true, true).era() == Era::C1);
  CHECK(host.facts(false, false, true).era() == Era::C1);
  CHECK(host.facts(false, false, false).era() == Era::A2);
  CHECK(host.facts({}, {}, {}).era() == Era::C2);
  host.host().facts.auto_online_blocks = false;
  CHECK(host.facts(false, false, false).era() == Era::A1);
  // Two offline blocks with a choice each exclude A: there only the border has one.
  host.blocks(32, 39, State::Offline, kBoth);
  CHECK(host.era() == Era::B);
  CHECK(host.facts(false, true, true).era() == Era::C1);
}

TEST_CASE("era: a host without blocks or facts has one, too") {
  CHECK(detect_era(Host()).era == Era::C2);
  CHECK_FALSE(detect_era(Host()).evidence.empty());
}

}  // namespace memonline
