// SPDX-License-Identifier: LGPL-2.1-or-later
// Durations as values of options.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace memonline::cli {

/// "120s", "2min" (also "2m"), "1h", "500ms", and a bare number of seconds. Empty for anything
/// else, and for more than 24 hours.
std::optional<std::chrono::milliseconds> duration_of(std::string_view text);

}  // namespace memonline::cli
