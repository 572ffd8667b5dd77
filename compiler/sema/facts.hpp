// SPDX-License-Identifier: LGPL-2.1-or-later
// The facts of a host that `when` can test, and how words are compared with them.
#pragma once

#include <string_view>
#include <vector>

#include "compiler/sema/policy.hpp"

namespace memonline::sema {

/// Every word that a host may report for a fact, as in `systemd-detect-virt --list`; empty for
/// facts that may be any text or number.
std::vector<std::string_view> words_of(Fact fact);

/// As a shell matches names: `*` is any text, `?` any one character (of UTF-8), all else itself.
bool matches_pattern(std::string_view text, std::string_view pattern);

}  // namespace memonline::sema
