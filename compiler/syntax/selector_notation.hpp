// SPDX-License-Identifier: LGPL-2.1-or-later
// Selectors as other languages write them: `node1,node2`, `node[1-3]`, `not boot`, `4G-8G`. They
// are read leniently, so that one fix-it rewrites the whole selector.
#pragma once

#include "compiler/diag/diagnostic.hpp"
#include "compiler/syntax/pieces.hpp"

namespace memonline::syntax {

/// Reports the selector of a rule if it is written in such a notation; false where it is not.
bool report_selector_notation(const StatementText& rule, diag::Sink& sink);

}  // namespace memonline::syntax
