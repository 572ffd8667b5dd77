// SPDX-License-Identifier: LGPL-2.1-or-later
// Diagnostics of facts that the host does not show: which facts, of which blocks, which files show
// them, and how to get them.
#pragma once

#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/allocate.hpp"
#include "compiler/plan/select.hpp"

namespace memonline::plan {

/// One warning for all blocks that rules may or may not select; `who` depends on the facts.
void warn_of_undecided(const std::vector<Undecided>& undecided, const model::Host& host,
                       diag::Sink& sink, std::string_view who = "this rule");

/// One warning for all blocks whose state is unknown, one for those whose zone is unknown where a
/// share or a limit counts zones, and a note on memory that has no blocks yet.
void report_unknown(const Allocation& allocation, const sema::FlatPolicy& policy,
                    const model::Host& host, diag::Sink& sink);

}  // namespace memonline::plan
