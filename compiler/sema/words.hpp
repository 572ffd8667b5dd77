// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds words in the small tables of the language, and suggests a known word for those in none.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "compiler/base/names.hpp"
#include "compiler/diag/diagnostic.hpp"
#include "compiler/syntax/ast.hpp"
#include "compiler/text/listed.hpp"
#include "compiler/text/similar.hpp"

namespace memonline::sema {

/// Reports a word that holds upper-case letters; its fix-it is the word in lower case.
void require_lower_case(const ast::Word& word, diag::Sink& sink);

std::string in_lower_case(std::string_view text);

inline void replace_by(diag::Diagnostic& diagnostic, const ast::Word& word,
                       std::string_view meant) {
  diag::replace_by(diagnostic, word.span, word.text, meant);
}

/// Adds "replace `x` with `y`" where a known word is near, else the list of those there are.
void suggest(diag::Diagnostic& diagnostic, const ast::Word& word,
             const std::vector<std::string_view>& known);

/// The word's value, in any case; upper case is reported.
template <class Value, std::size_t size>
std::optional<Value> find_word(const ast::Word& word, const Names<Value, size>& table,
                               diag::Sink& sink) {
  if (const auto value = value_in(table, word.text)) return value;
  const auto value = value_in(table, in_lower_case(word.text));
  if (value) require_lower_case(word, sink);
  return value;
}

/// find_word(), and where there is none "no <kind> named `x`" with a suggestion.
template <class Value, std::size_t size>
std::optional<Value> look_up(const ast::Word& word, const Names<Value, size>& table,
                             diag::Code code, std::string_view kind, diag::Sink& sink) {
  const auto found = find_word(word, table, sink);
  if (!found)
    suggest(sink.add(code, word.span, fmt::format("no {} named `{}`", kind, word.text)), word,
            names_of(table));
  return found;
}

}  // namespace memonline::sema
