// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/address_notation.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

#include <fmt/format.h>

#include "compiler/syntax/vocabulary.hpp"

namespace memonline::syntax {

namespace {

enum class Form : std::uint8_t {
  Prefixed,  ///< 0x1fff
  Digits,    ///< 4096: decimal or hexadecimal, which is ambiguous
  Hex,       ///< 13fffffff: hexadecimal because of a to f
  Size,      ///< 4G
};
struct Bound {
  Form form;
  std::uint64_t value;
};

std::optional<std::uint64_t> number_in(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

unsigned shift_of(std::string_view unit) {
  constexpr std::string_view kLetters = "KMGT";
  return 10U * (static_cast<unsigned>(kLetters.find(unit.front())) + 1);
}

std::optional<Bound> read_bound(std::string_view text) {
  if (text.substr(0, 2) == "0x" || text.substr(0, 2) == "0X") {
    const auto value = number_in(text.substr(2), 16);
    return value ? std::optional(Bound{Form::Prefixed, *value}) : std::nullopt;
  }
  if (const auto value = number_in(text, 10)) return Bound{Form::Digits, *value};
  const std::size_t end = text.find_first_not_of("0123456789");
  if (end == std::string_view::npos) return std::nullopt;  // beyond 64 bits
  const std::string_view unit = unit_of(text.substr(end));
  if (!unit.empty() && unit != "blocks" && unit != "%") {
    const auto number = number_in(text.substr(0, end), 10);
    const unsigned shift = shift_of(unit);
    if (!number || *number > std::numeric_limits<std::uint64_t>::max() >> shift)
      return std::nullopt;
    return Bound{Form::Size, *number << shift};
  }
  // `16E` may mean exbibytes.
  if (end <= 3 && end + 1 == text.size() && (text[end] == 'E' || text[end] == 'e'))
    return std::nullopt;
  const auto value = number_in(text, 16);
  return value ? std::optional(Bound{Form::Hex, *value}) : std::nullopt;
}

std::string text_of(std::uint64_t first, std::uint64_t last) {
  return first < last ? fmt::format("{:#x}-{:#x}", first, last) : std::string();
}

/// Empty: the two do not make a range.
std::string range_of(const Bound& first, const Bound& last, std::string_view last_text) {
  if (first.form == Form::Prefixed && last.form == Form::Prefixed)
    return text_of(std::min(first.value, last.value), std::max(first.value, last.value));
  if (first.form == Form::Size && last.form == Form::Size && first.value > last.value)
    return text_of(last.value, first.value - 1);  // backwards
  if (last.form == Form::Size && (first.form == Form::Size || first.value == 0))
    return last.value == 0 ? std::string() : text_of(first.value, last.value - 1);
  if (first.form == Form::Size || last.form == Form::Size) return {};
  // One of them is certain to be hexadecimal: so is the other.
  if (first.form == Form::Digits && last.form == Form::Digits) return {};
  const auto hex = [](const Bound& bound, std::string_view text) {
    return bound.form == Form::Digits ? number_in(text, 16) : std::optional(bound.value);
  };
  const auto end = hex(last, last_text);
  return first.form == Form::Digits || !end ? std::string() : text_of(first.value, *end);
}

}  // namespace

std::optional<AddressNotation> address_range_at(const std::vector<Piece>& pieces, std::size_t count,
                                                std::size_t& at) {
  // A number, and its unit as a word of its own: "4 GiB".
  std::size_t next = at;
  const auto read = [&](std::string& text) {
    if (next >= count || !pieces[next].number()) return std::optional<Bound>();
    text = pieces[next++].text;
    const bool unit = next < count && pieces[next].word() && !unit_of(pieces[next].text).empty();
    if (unit) text += pieces[next++].text;
    return read_bound(text);
  };
  std::string first_text;
  std::string last_text;
  auto first = read(first_text);
  if (!first || next >= count) return std::nullopt;
  const Piece& sign = pieces[next++];
  if (!sign.is("-") && !sign.is("..") && !sign.is("to") && !sign.is("through")) return std::nullopt;
  const auto last = read(last_text);
  if (!last) return std::nullopt;
  // 100000000-13fffffff: a to f in one of them makes both hexadecimal.
  if (first->form == Form::Digits && (last->form == Form::Hex || last->form == Form::Prefixed))
    if (const auto value = number_in(first_text, 16)) first = Bound{Form::Hex, *value};
  AddressNotation range;
  range.text = range_of(*first, *last, last_text);
  range.canonical = sign.is("-") && first->form == Form::Prefixed && last->form == Form::Prefixed &&
                    first_text[1] == 'x' && last_text[1] == 'x';
  at = next;
  return range;
}

}  // namespace memonline::syntax
