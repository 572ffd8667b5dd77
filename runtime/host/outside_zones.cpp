// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/outside_zones.hpp"

#include <algorithm>
#include <optional>

namespace memonline::runtime {

namespace {

using model::PageRange;

/// The spans of all zones, by where they begin; they may overlap.
std::vector<PageRange> spans_of(const model::Host& host) {
  std::vector<PageRange> spans;
  for (const model::Node& node : host.nodes)
    for (const model::ZoneSpan& zone : node.zones)
      if (!zone.empty()) spans.push_back(zone.pages());
  std::sort(spans.begin(), spans.end(),
            [](const PageRange& a, const PageRange& b) { return a.begin < b.begin; });
  return spans;
}

}  // namespace

std::vector<Alike> alike_outside_zones(const Blocks& blocks, const model::Host& host) {
  std::vector<Alike> found;
  if (!host.zone_spans_known || host.knobs.online_policy != "contig-zones") return found;
  const std::uint64_t pages = blocks.size / host.page_size;
  const std::vector<PageRange> spans = spans_of(host);
  auto span = spans.begin();  // the first that begins beyond the block at hand
  std::uint64_t reached = 0;  // the furthest end of those before it
  std::optional<Alike> run;
  const auto close = [&] {
    if (run && run->last - run->first > 1) found.push_back(*run);
    run.reset();
  };
  for (std::size_t i = 0; i < blocks.all.size(); ++i) {
    const Block& block = blocks.all[i];
    const std::uint64_t start = block.id * pages;
    for (; span != spans.end() && span->begin < start + pages; ++span)
      reached = std::max(reached, span->end);
    if (reached > start || block.several_nodes || !block.node) {
      close();
    } else if (run && blocks.all[run->first].node == block.node) {
      run->last = i;
    } else {
      close();
      run = Alike{i, i};
    }
  }
  close();
  return found;
}

}  // namespace memonline::runtime
