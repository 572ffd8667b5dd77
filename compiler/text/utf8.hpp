// SPDX-License-Identifier: LGPL-2.1-or-later
// UTF-8: where its characters end, and what replaces bytes that are not UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace memonline::text {

/// U+FFFD, for each byte that is not UTF-8.
inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// `text` with each byte that is not UTF-8 replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

/// How many bytes the UTF-8 character at `text[at]` has: 1 to 4, or 0 if there is no valid one
/// (overlong forms, surrogates and values above U+10FFFF are not).
std::size_t utf8_length(std::string_view text, std::size_t at);

}  // namespace memonline::text
