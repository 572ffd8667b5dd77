// SPDX-License-Identifier: LGPL-2.1-or-later
// What was meant where a statement could not be read on.
#pragma once

#include "compiler/diag/diagnostic.hpp"
#include "compiler/syntax/grammar.hpp"
#include "compiler/syntax/place.hpp"

namespace memonline::syntax {

inline constexpr std::string_view kNameATarget =
    "name `movable`, `normal`, `auto`, `offline` or `keep`";

/// "limt movable to 3x normal", "rezone = allowed": read as a rule for want of a better guess.
/// Whether it was one of these, and told.
bool report_unknown_statement(const Place& place, diag::Sink& sink);
/// `reste normal`, `80% to movable`: a word in the place of a target, and more behind it. Whether
/// there was one, and it was told.
bool report_unknown_word(const Place& place, diag::Sink& sink);
/// `boot movable`: the selector ran into the share. Whether it did, and was told.
bool report_missing_colon(const Place& place, diag::Sink& sink);

/// Says what to do where `due` should stand and `found` was there.
void add_remedy(Due due, const Place& place, const source::SourceSpan& found,
                diag::Diagnostic& diagnostic);

}  // namespace memonline::syntax
