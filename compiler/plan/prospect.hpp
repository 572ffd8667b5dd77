// SPDX-License-Identifier: LGPL-2.1-or-later
// How likely a block can be offlined: by its zone, and by its contents where they are known.
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
/// "likely to succeed", "may succeed", "unlikely to succeed", "impossible": offlining.
std::string_view chance_text(Chance chance);
Prospect prospect_of(const model::Host& host, const model::BlockRun& run);
/// Of blocks of a run whose contents are known; `contents` is their sum. Kernel rules 11.2 to 11.6.
Prospect prospect_of(const model::Host& host, const model::BlockRun& run,
                     const model::BlockContents& contents);

/// Why the contents of blocks could not be read; nullptr: they were, or this host does not show
/// them.
const model::Unread* contents_unread(const model::Host& host);

/// Adds to each step that offlines blocks, to change their zone or permanently, the chance of its
/// least likely block. Warns of unlikely ones (ML0546), and adds to the outcome the memory that
/// depends on them.
void judge_offlining(const model::Host& host, Plan& plan, diag::Sink& sink);

}  // namespace memonline::plan
