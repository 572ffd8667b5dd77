// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/model/zone_evidence.hpp"

#include <algorithm>
#include <utility>

namespace memonline::model {

namespace {

using Kind = ValidZones::Kind;

struct Span {
  Zone zone = Zone::Normal;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool full = false;  ///< every page of it is online, and in this zone
  [[nodiscard]] bool meets(std::uint64_t from, std::uint64_t to) const {
    return begin < to && from < end;
  }
};

/// The spans that may contain pages of a run: those of its node, or of all nodes if it is unknown.
struct Spans {
  std::vector<Span> all;
  bool complete = true;  ///< no zone with pages lacks its span
  bool one_node = true;
};

Spans spans_for(const Host& host, const BlockRun& run) {
  Spans spans;
  spans.one_node = run.node.has_value();
  for (const Node& node : host.nodes) {
    if (run.node && node.id != *run.node) continue;
    for (std::size_t z = 0; z < kZoneCount; ++z) {
      const ZoneSpan& span = node.zones.at(z);
      if (static_cast<Zone>(z) == Zone::Device) continue;  // no block is in it
      if (span.empty() && span.present > 0) spans.complete = false;
      if (span.empty()) continue;
      const PageRange pages = span.pages();
      spans.all.push_back(
          {static_cast<Zone>(z), pages.begin, pages.end, span.present == span.spanned});
    }
  }
  return spans;
}

ValidZones zones_of(const Spans& spans, std::uint64_t begin, std::uint64_t end, State state,
                    bool single_block) {
  const bool online = state == State::Online;
  std::vector<const Span*> here;
  for (const Span& span : spans.all) {
    if (!span.meets(begin, end)) continue;
    if (online && span.full && span.begin <= begin && end <= span.end) return ValidZones{span.zone};
    here.push_back(&span);
  }
  if (here.empty() || !spans.complete) return {};
  const auto same = [&](const Span* one) { return one->zone == here.front()->zone; };
  if (std::all_of(here.begin(), here.end(), same)) return ValidZones{here.front()->zone};
  // A span ends with a page of its zone: where spans meet within a block, it has pages of both.
  for (const Span* a : here)
    for (const Span* b : here)
      if (a != b && a->meets(b->begin, b->end)) return {};
  return single_block && spans.one_node ? ValidZones(Kind::None) : ValidZones();
}

}  // namespace

std::vector<ZonePart> zone_parts(const Host& host, const BlockRun& run) {
  if (run.several_nodes && run.state == State::Online)
    return {{run.first, run.count, ValidZones(Kind::None)}};
  const std::uint64_t pages = host.pages_per_block();
  if (!host.zone_spans_known || pages == 0) return {{run.first, run.count, {}}};
  const Spans spans = spans_for(host, run);
  std::vector<BlockId> cuts{run.first, run.end()};
  for (const Span& span : spans.all)
    for (const std::uint64_t page : {span.begin, span.end})
      for (const BlockId block : {BlockId(page / pages), BlockId((page + pages - 1) / pages)})
        if (run.first < block && block < run.end()) cuts.push_back(block);
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  std::vector<ZonePart> parts;
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    const std::uint64_t count = cuts[i + 1] - cuts[i];
    const PageRange range = host.pages_of(cuts[i], count);
    ValidZones zones = zones_of(spans, range.begin, range.end, run.state, count == 1);
    if (!parts.empty() && parts.back().zones == zones)
      parts.back().count += count;
    else
      parts.push_back({cuts[i], count, zones});
  }
  return parts;
}

void settle_zones(Host& host) {
  std::vector<BlockRun> settled;
  for (const BlockRun& run : std::exchange(host.blocks, {})) {
    const bool shown = run.zones.kind() == Kind::None || run.zones.kind() == Kind::Listed;
    if (run.state != State::Online || shown) {
      append_run(settled, run);
      continue;
    }
    for (const ZonePart& part : zone_parts(host, run)) {
      BlockRun piece = run;
      piece.first = part.first;
      piece.count = part.count;
      piece.zones = part.zones;
      append_run(settled, piece);
    }
  }
  host.blocks = std::move(settled);
}

}  // namespace memonline::model
