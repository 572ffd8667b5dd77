// SPDX-License-Identifier: LGPL-2.1-or-later
// The era of a kernel (kernel rules 1.2 to 1.8). The `valid_zones` of blocks show the
// rule itself and are checked first; the presence of files of about the same age decides the rest.
#include "compiler/model/detect_era.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "compiler/model/block_set.hpp"

namespace memonline::model {

namespace {

bool single(const BlockRun& run) {
  return run.zones.kind() == ValidZones::Kind::Empty ||
         (run.zones.kind() == ValidZones::Kind::Listed && run.zones.size() == 1);
}

bool several(const BlockRun& run) {
  return run.zones.kind() == ValidZones::Kind::Listed && run.zones.size() > 1;
}

/// Which of A1..A3: by the setting of 4.6 and the listing of 4.12 (kernel rule 1.4).
DetectedEra era_a(const Host& host, const std::string& evidence) {
  if (host.facts.auto_online_blocks == false)
    return {Era::A1, evidence + ", no auto_online_blocks"};
  if (host.facts.empty_zones_listed == true)
    return {Era::A3, evidence + ", zoneinfo lists empty zones"};
  return {Era::A2, evidence};
}

/// C1 or C2, by the age of unrelated files. If that is unknown, C2, whose rules era D shares: most
/// kernels are of these eras.
DetectedEra era_c(const Host& host, std::string evidence) {
  if (host.facts.foll_pin == false)
    return {Era::C1, evidence + ", vmstat without nr_foll_pin_acquired"};
  return {Era::C2, std::move(evidence)};
}

/// Per node: where online memory ends.
std::map<NodeId, BlockId> online_ends(const Host& host) {
  std::map<NodeId, BlockId> ends;
  for (const BlockRun& run : host.blocks)
    if (run.state == State::Online && run.node) ends[*run.node] = run.end();
  return ends;
}

enum class Cover { Unknown, None, Spanned };

/// Whether the spans of the node's zones reach over the block.
Cover cover_of(const Host& host, const BlockRun& run, BlockId block) {
  const Node* node = run.node ? host.find_node(*run.node) : nullptr;
  if (!host.zone_spans_known || node == nullptr) return Cover::Unknown;
  const Pfn start(host.pages_of(block, 1).begin);
  for (const ZoneSpan& span : node->zones)
    if (span.contains(start)) return Cover::Spanned;
  return Cover::None;
}

/// An offline block that lists one zone (or none) is bound to it: in era A since it was added,
/// although no block near it is online; in era B since it or its neighbors were online, because
/// spans do not shrink there.
DetectedEra era_a_or_b(const Host& host, const BlockRun& run) {
  const auto ends = online_ends(host);
  std::string evidence = fmt::format("offline {} lists {} only", block_name(run.first),
                                     run.zones.size() == 0 ? "no zone" : zone_name(run.zones[0]));
  for (const BlockRun& other : host.blocks)
    if (other.state == State::Offline && cover_of(host, other, other.first) == Cover::None)
      return {Era::B,
              evidence + fmt::format(", {} is outside of all zones", block_name(other.first))};
  if (run.zones.kind() == ValidZones::Kind::Empty)
    return {Era::B, fmt::format("offline {} lists no zone", block_name(run.first))};
  const auto end = run.node ? ends.find(*run.node) : ends.end();
  const bool beyond = run.node && (end == ends.end() || end->second <= run.first);
  if (beyond && run.zones.contains(Zone::Normal))
    return era_a(host, evidence + " although it is above all online memory");
  return {Era::B, std::move(evidence)};
}

/// A block that may become Movable although Normal memory of its node is online above it.
const BlockRun* movable_below_normal(const Host& host) {
  for (const BlockRun& run : host.blocks) {
    if (run.state != State::Offline || !several(run) || !run.zones.contains(Zone::Movable))
      continue;
    for (const BlockRun& above : host.blocks)
      if (above.first > run.first && above.node == run.node && above.state == State::Online &&
          above.zones == ValidZones{Zone::Normal})
        return &run;
  }
  return nullptr;
}

/// A node of which two blocks may go to two zones each: in era A that holds for its border only.
const BlockRun* two_choices(const Host& host) {
  std::map<std::optional<NodeId>, std::uint64_t> counts;
  for (const BlockRun& run : host.blocks)
    if (run.state == State::Offline && several(run) && (counts[run.node] += run.count) > 1)
      return &run;
  return nullptr;
}

DetectedEra by_age(const Host& host) {
  const EraFacts& facts = host.facts;
  if (facts.foll_pin == true) return {Era::C2, "vmstat has nr_foll_pin_acquired"};
  if (facts.kreclaimable == true) return era_c(host, "meminfo has KReclaimable");
  if (facts.swap_ra == true) return era_c(host, "vmstat has swap_ra");
  if (facts.valid_zones == false) return {Era::A1, "no valid_zones"};
  if (facts.foll_pin == false && facts.kreclaimable == false && facts.swap_ra == false)
    // Without an offline block, era B looks like A3; the rules of A3 are valid in both.
    return era_a(host, "vmstat without swap_ra");
  return {Era::C2, "assumed, no evidence"};
}

}  // namespace

DetectedEra detect_era(const Host& host) {
  if (host.facts.online_policy == true) return {Era::D, "memory_hotplug.online_policy exists"};
  // Before 3.18, or at any age without hot-remove: then the age decides.
  if (host.facts.valid_zones == false) return by_age(host);

  for (const BlockRun& run : host.blocks)
    if (run.state == State::Online && several(run))
      return era_a(host, fmt::format("online {} lists two zones", block_name(run.first)));
  for (const BlockRun& run : host.blocks)
    if (run.state == State::Offline && single(run)) return era_a_or_b(host, run);
  if (const BlockRun* run = movable_below_normal(host))
    return era_c(host, fmt::format("offline {} may become Movable below Normal memory",
                                   block_name(run->first)));
  DetectedEra age = by_age(host);
  if (const BlockRun* run = two_choices(host); run != nullptr && is_era_a(age.era))
    return {Era::B, fmt::format("{} offline blocks list two zones", run->count)};
  return age;
}

}  // namespace memonline::model
