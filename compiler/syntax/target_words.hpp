// SPDX-License-Identifier: LGPL-2.1-or-later
// The words for what becomes of memory, and which of them was meant by another one.
#pragma once

#include <string_view>
#include <vector>

namespace memonline::syntax {

/// "movable", "normal", "auto", "offline", "keep"
const std::vector<std::string_view>& target_words();

/// The target meant by a word that is none: by what the kernel's files call it ("online_movable"),
/// else the one that is written nearly so; empty where neither is.
std::string_view meant_target(std::string_view word);

}  // namespace memonline::syntax
