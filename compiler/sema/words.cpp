// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/sema/words.hpp"

#include <algorithm>

namespace memonline::sema {

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

void require_lower_case(const ast::Word& word, diag::Sink& sink) {
  const bool upper =
      std::any_of(word.text.begin(), word.text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!upper) return;
  const std::string lower = in_lower_case(word.text);
  diag::Diagnostic& d =
      sink.add(diag::Code::UpperCase, word.span, fmt::format("`{}` must be lower case", word.text));
  replace_by(d, word, lower);
}

void suggest(diag::Diagnostic& diagnostic, const ast::Word& word,
             const std::vector<std::string_view>& known) {
  const std::string_view near = most_similar(word.text, known);
  if (near.empty()) {
    diagnostic.help = fmt::format("use {}", listed(known, "or"));
    return;
  }
  replace_by(diagnostic, word, near);
}

}  // namespace memonline::sema
