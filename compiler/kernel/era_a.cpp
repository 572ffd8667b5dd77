// SPDX-License-Identifier: LGPL-2.1-or-later
// Kernels 3.8 to 4.12: mm/memory_hotplug.c, online_pages() with its shifts. A distribution kernel
// of these years is taken to be built with CONFIG_MOVABLE_NODE, as RHEL's and Debian's were.
#include "compiler/kernel/rules.hpp"

namespace memonline::kernel {

using model::Era;
using model::OnlineWord;
using model::Zone;

namespace {

// zone_can_shift / move_pfn_range_right: the block must be the last of Normal's span.
bool can_shift_right(const NodeState& node, PageRange block) {
  return !node[Zone::Normal].empty() && block.end == node[Zone::Normal].span.end;
}

// move_pfn_range_left: the block must be the first of Movable's span.
bool can_shift_left(const NodeState& node, PageRange block) {
  return !node[Zone::Movable].empty() && block.begin == node[Zone::Movable].span.begin;
}

Choice impossible(const MemoryState& state, const StateRun& run, const char* why,
                  std::uint64_t in_the_way) {
  // 4.8 and 4.9 go on with the zone the block is bound to and say nothing.
  if (state.era == Era::A2) return Chosen{run.zone, 1};
  return Refused{why, in_the_way};
}

}  // namespace

Choice choose_era_a(const MemoryState& state, const StateRun& run, Piece piece, OnlineWord word) {
  const NodeState& node = state.node_of(run);
  const std::uint64_t next = piece.descending ? piece.end() - 1 : piece.first;
  const PageRange block = state.pages(next, 1);
  if (word == OnlineWord::OnlineMovable && run.zone == Zone::Normal) {
    if (can_shift_right(node, block))
      return Chosen{Zone::Movable, piece.descending ? piece.count : 1};
    return impossible(state, run,
                      "only the last block of Normal's span can become Movable in this kernel",
                      node[Zone::Normal].span.end - 1);
  }
  if (word == OnlineWord::OnlineKernel && run.zone == Zone::Movable) {
    if (can_shift_left(node, block))
      return Chosen{Zone::Normal, piece.descending ? 1 : piece.count};
    return impossible(state, run,
                      "only the first block of Movable's span can become Normal in this kernel",
                      node[Zone::Movable].span.begin);
  }
  // A DMA32 block asked to be movable: 4.10 to 4.12 refuse, older kernels keep it where it is.
  if (state.era == Era::A3 && word == OnlineWord::OnlineMovable && run.zone != Zone::Movable)
    return Refused{"the zone of this block cannot be shifted to Movable", std::nullopt};
  return Chosen{run.zone, piece.count};
}

}  // namespace memonline::kernel
