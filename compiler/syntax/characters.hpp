// SPDX-License-Identifier: LGPL-2.1-or-later
// Characters that are allowed in comments and quotes only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "compiler/diag/diagnostic.hpp"

namespace memonline::syntax {

/// Reports a control character, a byte beyond ASCII, or a comment as other languages write it,
/// where one is at `at`: whether one was.
bool report_character(std::size_t at, std::uint32_t file, std::string_view text, diag::Sink& sink);

/// Whether a comment of another language starts at `at`.
bool starts_comment(std::size_t at, std::string_view text);

}  // namespace memonline::syntax
