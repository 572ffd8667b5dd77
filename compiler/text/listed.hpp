// SPDX-License-Identifier: LGPL-2.1-or-later
// Words as a list in a sentence.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace memonline {

/// "`a`, `b` and `c`"
std::string listed(const std::vector<std::string_view>& words, std::string_view conjunction);

}  // namespace memonline
