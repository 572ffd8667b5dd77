// SPDX-License-Identifier: LGPL-2.1-or-later
// Step 7 of planning: an order in which every write is legal and the kernel's own memory
// comes first, found on the kernel model and thereby proved.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/base/work.hpp"
#include "compiler/diag/diagnostic.hpp"
#include "compiler/kernel/model.hpp"
#include "compiler/plan/allocate.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/plan/room.hpp"

namespace memonline::plan {

/// Runs of kernel memory up to this long are written upwards, so that an interrupted plan leaves
/// kernel memory in one piece at the bottom; longer ones downwards, because after each block the
/// kernel walks the zone from its start to see whether it is contiguous, and walks the whole of it
/// when the new block is its end (set_zone_contiguous(), mm/page_alloc.c or mm/mm_init.c).
inline constexpr std::uint64_t kShortKernelRun = 16;

/// Most pieces that blocks of one run change their zone in, where they do not fit elsewhere at
/// once.
inline constexpr std::uint64_t kMaxSlices = 64;

/// Steps for every decision that needs a write, in order, with the zones the model predicts. Blocks
/// that change their zone are offlined in slices whose used pages fit elsewhere; each slice is
/// re-onlined before the next is offlined. The model ends in the predicted state. False, with a
/// diagnostic: no legal order exists (it names the block in the way), or there is no room; `stuck`
/// then gets the writes that remain. False without one: the work is spent.
bool order_writes(const Allocation& allocation, const source::SourceSet& files,
                  kernel::Model& model, Room room, std::vector<Step>& steps, diag::Sink& sink,
                  Work& work, std::vector<model::WriteRun>* stuck = nullptr);

}  // namespace memonline::plan
