// SPDX-License-Identifier: LGPL-2.1-or-later
// Warns of shares that put the memory of a dax device into a kernel zone.
#pragma once

#include <vector>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/allocate.hpp"
#include "compiler/plan/plan.hpp"

namespace memonline::plan {

/// One warning (ML0516) for each share, with the names of its devices. The kernel allocates from a
/// kernel zone of any node at once: on 7.3-rc7 a slab page was on a CXL card within 2 s, and the
/// card could not be removed before the next boot.
void warn_of_kernel_dax(const Allocation& allocation, const std::vector<Step>& steps,
                        const model::Host& host, diag::Sink& sink);

}  // namespace memonline::plan
