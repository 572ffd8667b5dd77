// SPDX-License-Identifier: LGPL-2.1-or-later
// Kernel 4.13: mm/memory_hotplug.c, allow_online_pfn_range() and move_pfn_range(). Spans never
// shrink on offline, so each boundary is a one-way street.
#include "compiler/kernel/rules.hpp"

namespace memonline::kernel {

using model::OnlineWord;
using model::Zone;

Choice choose_era_b(const MemoryState& state, const StateRun& run, Piece piece, OnlineWord word) {
  const NodeState& node = state.node_of(run);
  const PageRange range = state.pages(piece.first, piece.count);
  const Zone kernel = state.kernel_zone(node, range);
  const ZoneState& movable = node[Zone::Movable];
  const bool kernel_ok = movable.empty() || range.end <= movable.span.begin;
  const bool movable_ok = node[kernel].empty() || node[kernel].span.end <= range.begin;
  switch (word) {
    case OnlineWord::OnlineKernel:
      if (kernel_ok) return Chosen{kernel, piece.count};
      return Refused{"kernel memory must be below all of Movable in this kernel (4.13)",
                     movable.span.begin};
    case OnlineWord::OnlineMovable:
      if (movable_ok) return Chosen{Zone::Movable, piece.count};
      return Refused{"Movable must be above all kernel memory in this kernel (4.13)",
                     node[kernel].span.end - 1};
    case OnlineWord::Online: break;
  }
  const bool to_movable = !kernel_ok || (state.movable_node && !node[kernel].intersects(range));
  return Chosen{to_movable ? Zone::Movable : kernel, piece.count};
}

}  // namespace memonline::kernel
