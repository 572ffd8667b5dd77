// SPDX-License-Identifier: LGPL-2.1-or-later
// Did you mean: the known word nearest to a mistyped one.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace memonline {

/// How many letters must be put in, left out, replaced or exchanged with their neighbor to make
/// one word of the other; letters differ in case for nothing. Words beyond 64 letters are at
/// least their difference in length apart.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The known word nearest to `word`, the first of equals; empty where none is near: more than a
/// third of its letters would have to change.
std::string_view most_similar(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace memonline
