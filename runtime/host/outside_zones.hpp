// SPDX-License-Identifier: LGPL-2.1-or-later
// Blocks with the same valid_zones, because no zone reaches them: reading two of them is enough for
// all between.
#pragma once

#include <cstddef>
#include <vector>

#include "compiler/model/host.hpp"
#include "runtime/host/blocks.hpp"

namespace memonline::runtime {

/// Blocks::all from `first` up to `last`, both with: three or more, all of one node.
struct Alike {
  std::size_t first = 0;
  std::size_t last = 0;
};

/// Neighbors in `blocks` that are outside every zone's span, under the policy contig-zones. They
/// are offline: move_pfn_range_to_zone() widens the span of a block's zone before it is online (mm/
/// memory_hotplug.c, 4.14 to 7.2). What they may join depends on their node and on movable_node
/// alone: zone_for_pfn_range() asks whether their pages intersect a zone of the node, and these
/// intersect none. Empty where `host` does not hold its zones, page size and knobs, or has another
/// policy.
std::vector<Alike> alike_outside_zones(const Blocks& blocks, const model::Host& host);

}  // namespace memonline::runtime
