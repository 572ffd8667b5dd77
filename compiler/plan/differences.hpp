// SPDX-License-Identifier: LGPL-2.1-or-later
// The differences between a previous and the present host, for people.
#pragma once

#include <string>
#include <vector>

#include "compiler/model/facts.hpp"

namespace memonline::plan {

/// How many lines are shown before "and N more".
inline constexpr std::size_t kMaxDifferences = 20;

/// One line a difference, neighboring blocks with the same difference together:
/// "memory40..41 were offline, are online in Movable", "memory32 is gone",
/// "auto_online_blocks was offline, is online". The valid zones of an offline block
/// follow from its neighbors, so they are reported only if nothing else differs. Empty: nothing
/// differs.
std::vector<std::string> differences(const model::Facts& then, const model::Facts& now);

}  // namespace memonline::plan
