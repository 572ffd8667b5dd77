// SPDX-License-Identifier: LGPL-2.1-or-later
// Text that is repeated elsewhere than where it was written has a bound: this cuts it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace memonline {

/// `text`, or its beginning and an ellipsis: at most `most` bytes in all, cut between characters.
/// `most` is at least the three bytes of the ellipsis.
std::string shortened(std::string_view text, std::size_t most);

}  // namespace memonline
