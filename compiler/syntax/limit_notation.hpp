// SPDX-License-Identifier: LGPL-2.1-or-later
// Limits in other words: `limit movable to 3 times normal`, `to 3:1`, `to at most 50%`. They are
// read leniently, so that one fix-it rewrites the whole limit.
#pragma once

#include "compiler/diag/diagnostic.hpp"
#include "compiler/syntax/pieces.hpp"

namespace memonline::syntax {

/// Reports the limit if it is written so; false where it is not.
bool report_limit_notation(const StatementText& limit, diag::Sink& sink);

/// Whether it can be read as a limit at all, with or without its `to`.
bool reads_as_limit(const StatementText& limit);

}  // namespace memonline::syntax
