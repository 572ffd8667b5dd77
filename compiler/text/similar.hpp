// SPDX-License-Identifier: LGPL-2.1-or-later
// Did you mean: the known word nearest to a mistyped one.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace memonline {

/// How many characters must be inserted, deleted, replaced or exchanged with their neighbor to turn
/// one word into the other, regardless of case. The distance of words of more than 64 characters is
/// at least their difference in length.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The known word nearest to `word`, the first of equals; empty where none is near: more than a
/// third of its characters would have to change.
std::string_view most_similar(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace memonline
