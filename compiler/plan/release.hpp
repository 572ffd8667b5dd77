// SPDX-License-Identifier: LGPL-2.1-or-later
// After an unplug has offlined its blocks: how the memory is removed, and the steps that release
// it on this host.
#pragma once

#include <vector>

#include "compiler/kernel/model.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/candidates.hpp"
#include "compiler/plan/plan.hpp"

namespace memonline::plan {

/// Adds Plan::afterwards, a sentence for each device of these blocks. With `release`, adds the
/// steps as well: a DIMM is ejected and a dax device unbound from kmem if all its blocks are among
/// them; standby memory is deconfigured. Kernel rules 9.10, 9.12 and 9.13.
void add_release(const std::vector<Candidate>& blocks, bool release, const model::Host& host,
                 kernel::Model& model, Plan& plan);

}  // namespace memonline::plan
