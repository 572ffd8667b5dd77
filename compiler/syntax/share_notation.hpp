// SPDX-License-Identifier: LGPL-2.1-or-later
// Shares in other words: `1/3 movable`, `half movable`, `at least 2GiB normal`, `the remaining
// memory normal`; and a second rule behind a comma. They are read leniently, so that one fix-it
// rewrites all shares of the rule.
#pragma once

#include "compiler/diag/diagnostic.hpp"
#include "compiler/syntax/pieces.hpp"

namespace memonline::syntax {

/// Reports the shares of a rule if they are written so; false where they are not.
bool report_share_notation(const StatementText& rule, diag::Sink& sink);

/// `movable: node1`, `movable = 50%`: reports a rule that is written the wrong way round.
bool report_swapped_rule(const StatementText& rule, diag::Sink& sink);

/// `node1: movable, node2: normal`: reports it if that is what the rule is.
bool report_second_rule(const StatementText& rule, diag::Sink& sink);

}  // namespace memonline::syntax
