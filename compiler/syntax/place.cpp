// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/place.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/syntax/grammar.hpp"
#include "compiler/syntax/target_words.hpp"
#include "compiler/text/utf8.hpp"

namespace memonline::syntax {

using source::SourceSpan;

bool in_rule(const Place& place) {
  return !is_one_of(word_at(place.start, place.text), {"limit", "set"});
}

std::string_view last_word(const Place& place) {
  std::size_t begin = place.before;
  while (begin > place.start && is_word_byte(place.text[begin - 1])) --begin;
  return place.text.substr(begin, place.before - begin);
}

SourceSpan found_at(std::size_t at, std::uint32_t file, std::string_view text) {
  std::size_t end = at;
  while (end < text.size() && (is_word_byte(text[end]) || text[end] == '.' || text[end] == '%'))
    ++end;
  const bool in_line = at < text.size() && text[at] != '\n' && text[at] != '\r' && text[at] != '#';
  if (end == at && in_line) end += std::max<std::size_t>(1, text::utf8_length(text, at));
  return {file, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(end)};
}

std::string found_words(const SourceSpan& span, std::string_view text) {
  if (span.end > span.begin)
    return fmt::format("`{}`", text.substr(span.begin, span.end - span.begin));
  return span.begin >= text.size() ? "the end of the text" : "the end of the line";
}

void fix(diag::Diagnostic& diagnostic, const SourceSpan& span, std::string replacement) {
  diagnostic.fixit = diag::FixIt{span, std::move(replacement)};
}

SourceSpan point(std::uint32_t file, std::size_t at) {
  return {file, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at)};
}

std::size_t over_blanks(std::size_t at, std::string_view text) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  return at;
}
std::size_t end_before(std::size_t at, std::string_view text) {
  while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '\t')) --at;
  return at;
}
bool ends_statement(std::size_t at, std::string_view text) {
  return at >= text.size() || std::string_view("\r\n;#}").find(text[at]) != std::string_view::npos;
}
std::string_view word_at(std::size_t at, std::string_view text) {
  std::size_t end = at;
  while (end < text.size() && is_word_byte(text[end])) ++end;
  return text.substr(at, end - at);
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view w) { return same_word(word, w); });
}
bool starts_number(std::string_view text) {
  return !text.empty() && text[0] >= '0' && text[0] <= '9';
}
bool share_at(std::size_t at, std::string_view text) {
  return starts_share(word_at(at, text)) || starts_number(text.substr(at, 1));
}

}  // namespace memonline::syntax
