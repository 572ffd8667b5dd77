// SPDX-License-Identifier: LGPL-2.1-or-later
// The part of --help that teaches by example, one text a command.
#pragma once

#include <string_view>

namespace memonline::cli {

extern const char* const kMainFooter;
/// Examples and exit codes of a command; empty for a name that is none.
std::string_view footer_of(std::string_view command);

}  // namespace memonline::cli
