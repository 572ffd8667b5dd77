// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/text.hpp"

#include <algorithm>
#include <charconv>

#include "runtime/base/space.hpp"

namespace memonline::runtime {

namespace {

std::optional<std::uint64_t> number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view take_until(std::string_view& rest, char end) {
  const std::size_t at = rest.find(end);
  const std::string_view head = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
  return head;
}

std::string_view take_word(std::string_view& rest) {
  const auto begin = std::find_if_not(rest.begin(), rest.end(), is_space);
  const auto end = std::find_if(begin, rest.end(), is_space);
  rest = {end, rest.end()};
  return {begin, end};
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::string_view word = take_word(text); !word.empty(); word = take_word(text))
    words.push_back(word);
  return words;
}

std::optional<std::uint64_t> decimal(std::string_view text) { return number(text, 10); }

std::optional<std::uint64_t> hexadecimal(std::string_view text) {
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
    text.remove_prefix(2);
  return number(text, 16);
}

std::optional<std::uint64_t> number_after(std::string_view prefix, std::string_view name) {
  if (name.substr(0, prefix.size()) != prefix) return std::nullopt;
  return decimal(name.substr(prefix.size()));
}

std::vector<std::uint32_t> list_of(std::string_view text) {
  constexpr std::uint64_t kMax = 65536;
  std::vector<std::uint32_t> numbers;
  text = trimmed(text);
  while (!text.empty()) {
    std::string_view range = take_until(text, ',');
    const std::string_view from = take_until(range, '-');
    const auto first = decimal(from);
    const auto last = range.empty() ? first : decimal(range);
    if (!first || !last || *last < *first || *last >= kMax) break;
    for (std::uint64_t i = *first; i <= *last && numbers.size() < kMax; ++i)
      numbers.push_back(static_cast<std::uint32_t>(i));
  }
  return numbers;
}

std::string ascii_only(std::string_view text) {
  std::string result(text.substr(0, 256));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return result;
}

}  // namespace memonline::runtime
