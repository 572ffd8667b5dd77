// SPDX-License-Identifier: LGPL-2.1-or-later
// The position where a statement cannot be parsed further, and the text around it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "compiler/diag/diagnostic.hpp"

namespace memonline::syntax {

/// Where a statement could not be read on.
struct Place {
  std::size_t start;   ///< of the statement
  std::size_t at;      ///< what was found
  std::size_t before;  ///< the end of what was read
  std::uint32_t file;
  std::string_view text;
};

/// Neither in a limit nor in a setting. (What is read of a `when` is its head.)
bool in_rule(const Place& place);
/// The word before what was found.
std::string_view last_word(const Place& place);

/// The word or character at `at`, as far as a mark should reach; empty at the end of a line.
source::SourceSpan found_at(std::size_t at, std::uint32_t file, std::string_view text);
/// The marked text, for a message: "`word`", "the end of the line".
std::string found_words(const source::SourceSpan& span, std::string_view text);
/// Between two bytes: where a fix-it puts something in.
source::SourceSpan point(std::uint32_t file, std::size_t at);
void fix(diag::Diagnostic& diagnostic, const source::SourceSpan& span, std::string replacement);

std::size_t over_blanks(std::size_t at, std::string_view text);
/// The end of the text before `at` on its line.
std::size_t end_before(std::size_t at, std::string_view text);
/// Nothing but a comment or the next statement is at `at`.
bool ends_statement(std::size_t at, std::string_view text);
std::string_view word_at(std::size_t at, std::string_view text);

/// Whether a share starts there: with a word or with its amount.
bool share_at(std::size_t at, std::string_view text);
bool starts_number(std::string_view text);

/// In any case; the words are lower case.
bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words);

}  // namespace memonline::syntax
