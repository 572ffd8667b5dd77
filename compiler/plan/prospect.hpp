// SPDX-License-Identifier: LGPL-2.1-or-later
// How likely a block can be offlined, by the use of its memory.
//
// Sources: Documentation/admin-guide/mm/memory-hotplug.rst, "Offlining Memory Blocks"; mm/
// memory_hotplug.c, offline_pages(): one zone, no holes (5.5), isolation; drivers/base/memory.c.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"

namespace memonline::plan {

struct Prospect {
  Chance chance = Chance::Never;
  std::string why;
};
Prospect prospect_of(const model::Host& host, const model::BlockRun& run);

/// Adds to each step that offlines blocks, to change their zone or permanently, the chance of its
/// least likely block. Warns of unlikely ones (ML0546), and adds to the outcome the memory that
/// depends on them.
void judge_offlining(const model::Host& host, Plan& plan, diag::Sink& sink);

}  // namespace memonline::plan
