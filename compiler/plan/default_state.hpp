// SPDX-License-Identifier: LGPL-2.1-or-later
// memhp_default_state= on the kernel command line, as the kernel of a host takes it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "compiler/model/host.hpp"

namespace memonline::plan {

/// Whether this kernel knows the word; it ignores any other, and says nothing. Where the host does
/// not show the age of its kernel, a word that some kernel knows counts as known.
bool knows_default_state(const model::Host& host, std::string_view word);

/// The word that counts: the last one that this kernel knows. Empty: what it was built with counts.
std::optional<std::string> default_state_of(const model::Host& host);

}  // namespace memonline::plan
