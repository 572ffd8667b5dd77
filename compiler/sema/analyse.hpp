// SPDX-License-Identifier: LGPL-2.1-or-later
// From text to a checked policy. Parses every file, runs the checks in order, and gives a policy
// only if none of them found an error. Warnings (an unreachable rule, a share that can
// never get a block, a setting without effect) do not prevent that.
#pragma once

#include <optional>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/sema/policy.hpp"
#include "compiler/source/source.hpp"

namespace memonline::sema {

std::optional<Policy> analyse(const source::SourceSet& files, diag::Sink& sink);

}  // namespace memonline::sema
