// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds words in the small tables of the language, and suggests a known word for those in none.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/syntax/ast.hpp"
#include "compiler/text/similar.hpp"

namespace memonline::sema {

template <class Value>
struct Named {
  std::string_view name;
  Value value;
};

/// Reports a word that holds upper-case letters; its fix-it is the word in lower case.
void require_lower_case(const ast::Word& word, diag::Sink& sink);

std::string in_lower_case(std::string_view text);

/// "`a`, `b` and `c`"
std::string listed(const std::vector<std::string_view>& words, std::string_view conjunction);

inline void replace_by(diag::Diagnostic& diagnostic, const ast::Word& word,
                       std::string_view meant) {
  diag::replace_by(diagnostic, word.span, word.text, meant);
}

/// Adds "replace `x` with `y`" where a known word is near, else the list of those there are.
void suggest(diag::Diagnostic& diagnostic, const ast::Word& word,
             const std::vector<std::string_view>& known);

template <class Value, std::size_t size>
std::vector<std::string_view> names_of(const std::array<Named<Value>, size>& table) {
  std::vector<std::string_view> names;
  names.reserve(size);
  for (const auto& entry : table) names.push_back(entry.name);
  return names;
}

/// The word's value, in any case; upper case is reported.
template <class Value, std::size_t size>
std::optional<Value> find_word(const ast::Word& word, const std::array<Named<Value>, size>& table,
                               diag::Sink& sink) {
  for (const auto& entry : table)
    if (entry.name == word.text) return entry.value;
  const std::string lower = in_lower_case(word.text);
  for (const auto& entry : table)
    if (entry.name == lower) {
      require_lower_case(word, sink);
      return entry.value;
    }
  return std::nullopt;
}

/// find_word(), and where there is none "no <kind> named `x`" with a suggestion.
template <class Value, std::size_t size>
std::optional<Value> look_up(const ast::Word& word, const std::array<Named<Value>, size>& table,
                             diag::Code code, std::string_view kind, diag::Sink& sink) {
  const auto found = find_word(word, table, sink);
  if (!found)
    suggest(sink.add(code, word.span, fmt::format("no {} named `{}`", kind, word.text)), word,
            names_of(table));
  return found;
}

}  // namespace memonline::sema
