// SPDX-License-Identifier: LGPL-2.1-or-later
// The grammar of one statement, without what nests: parse.cpp strings statements together, holds
// the braces of `when` on a stack of its own, and recovers. So no depth of nesting can exhaust the
// call stack, and a mistake costs one statement.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "compiler/syntax/ast.hpp"

namespace memonline::syntax {

/// Why a statement could not be read on: at byte `at` something called `expected` was due.
struct Stuck {
  std::size_t at = 0;
  std::string expected;  ///< in words: "a target", "`:`"
};

/// The head of a `when` is read as far as its `{`.
using Item = std::variant<ast::Rule, ast::Limit, ast::Setting, ast::Condition>;

struct ItemResult {
  Item item;
  std::size_t end = 0;         ///< just after the last word that belongs to it
  std::optional<Stuck> stuck;  ///< set: `item` is not to be used
};

/// Reads the statement that starts at or, after blanks, behind byte `at` of the text.
ItemResult parse_item(std::string_view text, std::size_t at, std::uint32_t file);

/// Bytes that may stand in a word: a-z A-Z 0-9 _ -
bool is_word_byte(char c);
/// Equal but for the case of ASCII letters; `lower` is lower case.
bool same_word(std::string_view text, std::string_view lower);

}  // namespace memonline::syntax
