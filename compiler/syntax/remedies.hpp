// SPDX-License-Identifier: LGPL-2.1-or-later
// Remedies for a statement that cannot be parsed further.
#pragma once

#include "compiler/diag/diagnostic.hpp"
#include "compiler/syntax/grammar.hpp"
#include "compiler/syntax/place.hpp"

namespace memonline::syntax {

/// "write `movable`, `normal`, ... or `keep`"
std::string name_a_target();

/// "limt movable to 3x normal", "rezone = allowed": parsed as a rule, because nothing else fits.
/// True if it was one of these; it has been reported.
bool report_unknown_statement(const Place& place, diag::Sink& sink);
/// `reste normal`, `80% to movable`: a word in the place of a target, followed by more. True if
/// there was one; it has been reported.
bool report_unknown_word(const Place& place, diag::Sink& sink);
/// `boot movable`: the `:` between selector and share is missing. True if it has been reported.
bool report_missing_colon(const Place& place, diag::Sink& sink);

/// Adds the remedy for `found` where `due` was expected.
void add_remedy(Due due, const Place& place, const source::SourceSpan& found,
                diag::Diagnostic& diagnostic);

}  // namespace memonline::syntax
