// SPDX-License-Identifier: LGPL-2.1-or-later
// Kernels from 4.14 on, policy contig-zones: mm/memory_hotplug.c, zone_for_pfn_range() and
// default_zone_for_pfn(). Explicit words never fail. Within a piece the answer stays the same
// while it is written: a block that goes to a zone extends that zone's span over the next one
// only where the next one would have gone there anyway.
#include "compiler/kernel/rules.hpp"

namespace memonline::kernel {

using model::OnlineWord;
using model::Zone;

Choice choose_era_c(const MemoryState& state, const StateRun& run, Piece piece, OnlineWord word) {
  const NodeState& node = state.node_of(run);
  const PageRange range = state.pages(piece.first, piece.count);
  const Zone kernel = state.kernel_zone(node, range);
  switch (word) {
    case OnlineWord::OnlineKernel: return Chosen{kernel, piece.count};
    case OnlineWord::OnlineMovable: return Chosen{Zone::Movable, piece.count};
    case OnlineWord::Online: break;
  }
  if (state.auto_movable) return choose_auto_movable(state, run, piece);
  const bool in_kernel = node[kernel].intersects(range);
  const bool in_movable = node[Zone::Movable].intersects(range);
  bool to_movable = state.movable_node;
  if (in_kernel != in_movable) to_movable = in_movable;
  return Chosen{to_movable ? Zone::Movable : kernel, piece.count};
}

}  // namespace memonline::kernel
