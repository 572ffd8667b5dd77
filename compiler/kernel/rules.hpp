// SPDX-License-Identifier: LGPL-2.1-or-later
// How each era of kernels chooses the zone of blocks that go online. One function an era; each
// answers for as many blocks as behave alike, so that a run costs as much as a block.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "compiler/kernel/memory_state.hpp"
#include "compiler/model/write.hpp"

namespace memonline::kernel {

/// The blocks to online: `count` offline blocks of one run from `first` upwards, between zone
/// boundaries of their node, written from the bottom up or from the top down.
struct Piece {
  std::uint64_t first = 0;
  std::uint64_t count = 1;
  bool descending = false;
  [[nodiscard]] std::uint64_t end() const { return first + count; }
};

/// The first `count` blocks, in the order of writes, go to `zone`.
struct Chosen {
  model::Zone zone = model::Zone::Normal;
  std::uint64_t count = 1;
};

/// The write to the first block fails. `why` names the kernel's rule, `in_the_way` the page frame
/// of the block that would have to change first.
struct Refused {
  std::string why;
  std::optional<std::uint64_t> in_the_way;
};

using Choice = std::variant<Chosen, Refused>;

/// Eras A1, A2, A3 (3.8 .. 4.12): the zone was fixed when memory was added; online_kernel and
/// online_movable only move the border between Normal and Movable
/// (mm/memory_hotplug.c: zone_can_shift, move_pfn_range_left, move_pfn_range_right).
Choice choose_era_a(const MemoryState& state, const StateRun& run, Piece piece,
                    model::OnlineWord word);
/// Era B (4.13): chosen when onlined, kernel zones entirely below Movable
/// (allow_online_pfn_range, move_pfn_range).
Choice choose_era_b(const MemoryState& state, const StateRun& run, Piece piece,
                    model::OnlineWord word);
/// Eras C1, C2, D (4.14 on): explicit words never fail
/// (zone_for_pfn_range, default_zone_for_pfn).
Choice choose_era_c(const MemoryState& state, const StateRun& run, Piece piece,
                    model::OnlineWord word);
/// online_policy=auto-movable (5.15 on), for the plain word only (auto_movable_zone_for_pfn).
Chosen choose_auto_movable(const MemoryState& state, const StateRun& run, Piece piece);

}  // namespace memonline::kernel
