// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/outside_zones.hpp"

#include <algorithm>
#include <optional>

namespace memonline::runtime {

namespace {

using model::PfnRange;

/// The spans of all zones by where they begin, those that touch as one.
std::vector<PfnRange> spans_of(const model::Host& host) {
  std::vector<PfnRange> spans;
  for (const model::Node& node : host.nodes)
    for (const model::ZoneSpan& zone : node.zones)
      if (!zone.empty()) spans.push_back({zone.start.value(), zone.end().value()});
  std::sort(spans.begin(), spans.end(),
            [](const PfnRange& a, const PfnRange& b) { return a.first < b.first; });
  std::vector<PfnRange> merged;
  for (const PfnRange& span : spans) {
    if (merged.empty() || merged.back().end < span.first)
      merged.push_back(span);
    else
      merged.back().end = std::max(merged.back().end, span.end);
  }
  return merged;
}

}  // namespace

std::vector<Alike> alike_outside_zones(const Blocks& blocks, const model::Host& host) {
  std::vector<Alike> found;
  if (!host.zone_spans_known || host.knobs.online_policy != "contig-zones") return found;
  const std::uint64_t pages = blocks.size / host.page_size;
  const std::vector<PfnRange> spans = spans_of(host);
  auto span = spans.begin();  // the first that ends beyond the block at hand
  std::optional<Alike> run;
  const auto close = [&] {
    if (run && run->last - run->first > 1) found.push_back(*run);
    run.reset();
  };
  for (std::size_t i = 0; i < blocks.all.size(); ++i) {
    const Block& block = blocks.all[i];
    const std::uint64_t start = block.id * pages;
    while (span != spans.end() && span->end <= start) ++span;
    const bool outside = span == spans.end() || start + pages <= span->first;
    if (!outside || block.several_nodes || !block.node) {
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
