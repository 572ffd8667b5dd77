// SPDX-License-Identifier: LGPL-2.1-or-later
// Classes as sets of blocks, as far as possible without a host.
#pragma once

#include "compiler/sema/policy.hpp"

namespace memonline::sema {

/// Every block of `inner` is one of `outer`, on any host. False: not known to be so.
bool contains(const Class& outer, const Class& inner);

/// No block can be of both, on any host. False: not known to be so.
bool disjoint(const Class& a, const Class& b);

/// contains() for classes side by side, which intersect.
bool contains(const std::vector<Class>& outer, const std::vector<Class>& inner);

}  // namespace memonline::sema
