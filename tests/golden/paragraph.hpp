// SPDX-License-Identifier: LGPL-2.1-or-later
// A plan in a few lines for golden files that a person reviews: what it does, and no wording.
#pragma once

#include <string>

#include "compiler/plan/plan.hpp"

namespace memonline::test {

/// The steps with the place of their rules, who onlines hot-added memory, kernel parameters, what
/// each node has in the end, what stays as it is, the verdict and the codes. Ends with a new line.
std::string paragraph_of(const plan::Plan& plan);

}  // namespace memonline::test
