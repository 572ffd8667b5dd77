// SPDX-License-Identifier: LGPL-2.1-or-later
// The words for targets, and the target that another word means.
#pragma once

#include <string_view>

namespace memonline::syntax {

/// The target meant by a word that is none: by what the kernel's files call it ("online_movable"),
/// else the one that is written nearly so; empty where neither is.
std::string_view meant_target(std::string_view word);
/// The same where a place ("first", "last", "rest") is allowed, too.
std::string_view meant_target_or_place(std::string_view word);

/// In any case.
bool is_target_word(std::string_view word);
bool is_place_word(std::string_view word);
/// Whether a share starts with this word: a target or a place.
bool starts_share(std::string_view word);

}  // namespace memonline::syntax
