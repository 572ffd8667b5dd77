// SPDX-License-Identifier: LGPL-2.1-or-later
// Diagnostics of syntax errors: the found text, the expected one, and a remedy if it is known.
#pragma once

#include <cstdint>
#include <string_view>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/syntax/ast.hpp"
#include "compiler/syntax/grammar.hpp"

namespace memonline::syntax {

/// The statement that starts at `start` could not be read on. Gives where reading may continue: at
/// the end of the statement if all of it is explained, else at what was found.
std::size_t report_stuck(const Stuck& stuck, std::size_t start, std::uint32_t file,
                         std::string_view text, diag::Sink& sink);

/// Statements that fit the grammar although they are written in another notation: true if this is
/// one and it was reported.
bool report_notation(const ast::Rule& rule, std::string_view text, diag::Sink& sink);
bool report_notation(const ast::Limit& limit, std::string_view text, diag::Sink& sink);
bool report_notation(const ast::Setting& setting, std::string_view text, diag::Sink& sink);

void report_file_too_large(std::uint32_t file, std::size_t size, diag::Sink& sink);
void report_nesting(source::SourceSpan at, diag::Sink& sink);
void report_branches(source::SourceSpan at, diag::Sink& sink);
void report_unclosed(const ast::Branch& branch, diag::Sink& sink);
void report_stray_brace(source::SourceSpan at, diag::Sink& sink);
void report_stray_else(const ast::Word& word, diag::Sink& sink);

/// The grammar lets targets and the classes after `except` be left out so that
/// their absence gets a good message: true if nothing is missing.
bool check_complete(const ast::Rule& rule, std::string_view text, diag::Sink& sink);

}  // namespace memonline::syntax
