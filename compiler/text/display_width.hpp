// SPDX-License-Identifier: LGPL-2.1-or-later
// How many columns of a terminal a character takes: what the marks below a source line need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace memonline::text {

/// The code point of one valid UTF-8 character.
std::uint32_t code_point(std::string_view character);

/// 0 for combining marks, 2 for the wide characters of East Asia and for emoji, else 1.
std::size_t display_width(std::string_view character);

/// Would change how the line is shown instead of being shown: C1 controls, line separators, and
/// what turns the direction of text, which could make a policy read as what it is not.
bool is_unprintable(std::string_view character);

}  // namespace memonline::text
