// SPDX-License-Identifier: LGPL-2.1-or-later
// The grammar of one statement, without what nests: parse.cpp strings statements together, holds
// the braces of `when` on a stack of its own, and recovers. So no depth of nesting can exhaust the
// call stack, and a mistake costs one statement.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "compiler/syntax/ast.hpp"

namespace memonline::syntax {

/// The expected part at a position of a statement.
enum class Due : std::uint8_t {
  Statement,
  Class,
  Number,
  Range,
  Colon,
  Share,
  Target,
  Movable,
  To,
  Amount,
  Node,
  SettingName,
  Equals,
  Value,
  Fact,
  Test,
  ClosingQuote,
  OpenBrace,
  OpenBraceOrWhen,
  EndOfStatement,
};
/// As messages call it: "a target", "`:`".
const char* due_text(Due due);

/// Why a statement cannot be parsed further: at byte `at`, `due` was expected.
struct Stuck {
  std::size_t at = 0;
  Due due = Due::Statement;
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

/// Bytes that are allowed in a word: a-z A-Z 0-9 _ -
bool is_word_byte(char c);
/// Equal except for ASCII case; `lower` is lower case.
bool same_word(std::string_view text, std::string_view lower);

}  // namespace memonline::syntax
