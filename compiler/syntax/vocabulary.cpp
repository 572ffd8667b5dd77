// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/vocabulary.hpp"

#include <array>
#include <string>

#include "compiler/language/selectors.hpp"
#include "compiler/language/settings.hpp"
#include "compiler/syntax/kernel_words.hpp"
#include "compiler/syntax/place.hpp"
#include "compiler/text/similar.hpp"

namespace memonline::syntax {

bool is_class_word(std::string_view word) { return class_row(word) != nullptr; }

const language::ClassRow* class_row(std::string_view word) {
  const auto found = in_any_case(language::kClasses, word);
  return found ? &language::row_of(*found) : nullptr;
}

bool resembles_class(std::string_view word) {
  return !most_similar(word, names_of(language::kClasses)).empty();
}

bool takes_list(std::string_view word) {
  using language::Takes;
  const language::ClassRow* row = class_row(word);
  return row != nullptr && (row->takes == Takes::NodeList || row->takes == Takes::DimmList ||
                            row->takes == Takes::BlockList);
}

bool is_apart(std::string_view word) {
  const language::ClassRow* row = class_row(word);
  return row != nullptr && row->apart;
}

bool starts_statement(std::string_view word) {
  return is_one_of(word, {"limit", "set", "when", "else", "each"});
}

bool is_setting_word(std::string_view word) {
  return in_any_case(language::kSettingWords, word).has_value();
}

bool is_kernel_word(std::string_view word) { return kernel_word_of(word).has_value(); }

std::string_view unit_of(std::string_view word) {
  constexpr std::array<std::string_view, 4> kUnits{"KiB", "MiB", "GiB", "TiB"};
  if (is_one_of(word, {"percent", "pct"})) return "%";
  if (is_one_of(word, {"block", "blocks"})) return "blocks";
  for (const std::string_view unit : kUnits) {
    const std::string letter(1, static_cast<char>(unit[0] - 'A' + 'a'));
    for (const char* tail : {"", "b", "ib", "ibs", "bs", "i", "byte", "bytes", "ibyte", "ibytes"})
      if (is_one_of(word, {letter + tail})) return unit;
  }
  return {};
}

}  // namespace memonline::syntax
