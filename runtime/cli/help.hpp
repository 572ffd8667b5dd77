// SPDX-License-Identifier: LGPL-2.1-or-later
// The examples in --help, one text per command.
#pragma once

#include <string_view>

namespace memonline::cli {

extern const char* const kMainFooter;
/// Examples and exit statuses of a command; empty for an unknown name.
std::string_view footer_of(std::string_view command);

}  // namespace memonline::cli
