// SPDX-License-Identifier: LGPL-2.1-or-later
// White space between the words of the kernel's texts: blank, tab, newline and the like in ASCII,
// whatever the locale.
#pragma once

namespace memonline::runtime {

constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace memonline::runtime
