// SPDX-License-Identifier: LGPL-2.1-or-later
// A diagnostic speaks of any number of things at once: it names the first few and counts the
// others, so that its length does not depend on the size of the host.
#pragma once

#include <string>
#include <vector>

#include "compiler/diag/diagnostic.hpp"

namespace memonline::diag {

/// "dimm0", "dimm0 and dimm1", "dimm0, dimm1, dimm2 and 1997 more".
std::string first_few(const std::vector<std::string>& names);

/// Appends the first few of `notes`, and how many more there are.
void add_first_few(Diagnostic& diagnostic, const std::vector<std::string>& notes);

}  // namespace memonline::diag
