// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/amount_words.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>

#include <fmt/format.h>

#include "compiler/syntax/place.hpp"

namespace memonline::syntax {

namespace {

constexpr std::array<std::string_view, 13> kNumbers{"",     "one",    "two",   "three", "four",
                                                    "five", "six",    "seven", "eight", "nine",
                                                    "ten",  "eleven", "twelve"};

std::optional<std::uint64_t> denominator_of(const Piece& piece) {
  if (!piece.word()) return std::nullopt;
  if (is_one_of(piece.text, {"half", "halves", "halfs"})) return 2;
  if (is_one_of(piece.text, {"third", "thirds"})) return 3;
  if (is_one_of(piece.text, {"quarter", "quarters", "fourth", "fourths"})) return 4;
  if (is_one_of(piece.text, {"fifth", "fifths"})) return 5;
  if (is_one_of(piece.text, {"sixth", "sixths"})) return 6;
  if (is_one_of(piece.text, {"eighth", "eighths"})) return 8;
  if (is_one_of(piece.text, {"tenth", "tenths"})) return 10;
  return std::nullopt;
}

std::optional<std::uint64_t> digits(const Piece& piece) {
  if (!piece.number() || piece.text.size() > 9) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : piece.text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

struct Sign {
  std::string_view text;
  std::uint64_t numerator;
  std::uint64_t denominator;
};
constexpr std::array<Sign, 5> kSigns{{{"\xC2\xBD", 1, 2},
                                      {"\xC2\xBC", 1, 4},
                                      {"\xC2\xBE", 3, 4},
                                      {"\xE2\x85\x93", 1, 3},
                                      {"\xE2\x85\x94", 2, 3}}};

/// The decimals of a number that is given as a multiple of 1/`scale`.
std::string decimal_text(std::uint64_t value, std::uint64_t scale, int decimals) {
  std::string text = fmt::format("{}.{:0{}}", value / scale, value % scale, decimals);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

/// The words or signs one after another.
bool follow(const std::vector<Piece>& pieces, std::size_t at,
            const std::vector<std::string_view>& words) {
  if (at + words.size() > pieces.size()) return false;
  for (std::size_t i = 0; i < words.size(); ++i)
    if (!pieces[at + i].is(words[i])) return false;
  return true;
}

}  // namespace

std::optional<std::uint64_t> number_word(const Piece& piece) {
  if (!piece.word()) return std::nullopt;
  for (std::size_t i = 1; i < kNumbers.size(); ++i)
    if (is_one_of(piece.text, {kNumbers[i]})) return i;
  return std::nullopt;
}

std::optional<Fraction> fraction_at(const std::vector<Piece>& pieces, std::size_t at) {
  const auto piece = [&](std::size_t i) {
    return at + i < pieces.size() ? &pieces[at + i] : nullptr;
  };
  const Piece* first = piece(0);
  if (first == nullptr) return std::nullopt;
  for (const Sign& sign : kSigns)
    if (first->is(sign.text)) return Fraction{sign.numerator, sign.denominator, 1};
  if (const auto part = denominator_of(*first)) return Fraction{1, *part, 1};
  const Piece* second = piece(1);
  if (second == nullptr) return std::nullopt;
  if (first->is("a") || first->is("an") || first->is("one")) {
    const auto part = denominator_of(*second);
    return part ? std::optional(Fraction{1, *part, 2}) : std::nullopt;
  }
  const auto count = number_word(*first);
  const auto number = digits(*first);
  if (const auto part = denominator_of(*second); part && (count || number))
    return Fraction{count ? *count : *number, *part, 2};
  const Piece* third = piece(2);
  if (!number || !second->is("/") || third == nullptr) return std::nullopt;
  const auto whole = digits(*third);
  if (!whole || *whole == 0) return std::nullopt;
  return Fraction{*number, *whole, 3};
}

std::string percent_text(const Fraction& fraction) {
  if (fraction.numerator == 0 || fraction.numerator > fraction.denominator) return {};
  const std::uint64_t millionths = fraction.numerator * 100'000'000 / fraction.denominator;
  return millionths == 0 ? std::string() : decimal_text(millionths, 1'000'000, 6) + "%";
}

std::string times_text(const Fraction& fraction) {
  const std::uint64_t thousandths = fraction.numerator * 1000;
  if (fraction.denominator == 0 || thousandths == 0 || thousandths % fraction.denominator != 0)
    return {};
  return decimal_text(thousandths / fraction.denominator, 1000, 3);
}

std::optional<BoundPhrase> bound_at(const std::vector<Piece>& pieces, std::size_t at) {
  struct Entry {
    Bound bound;
    std::vector<std::string_view> words;
  };
  // Longer ones before those that they start with.
  static const std::vector<Entry> entries{{Bound::AtLeast, {"at", "least"}},
                                          {Bound::AtMost, {"at", "most"}},
                                          {Bound::AtLeast, {"no", "less", "than"}},
                                          {Bound::AtLeast, {"not", "less", "than"}},
                                          {Bound::AtMost, {"no", "more", "than"}},
                                          {Bound::AtMost, {"not", "more", "than"}},
                                          {Bound::AtLeast, {"more", "than"}},
                                          {Bound::AtMost, {"less", "than"}},
                                          {Bound::AtMost, {"up", "to"}},
                                          {Bound::AtLeast, {"or", "more"}},
                                          {Bound::AtMost, {"or", "less"}},
                                          {Bound::AtLeast, {"a", "minimum", "of"}},
                                          {Bound::AtMost, {"a", "maximum", "of"}},
                                          {Bound::AtLeast, {"minimum"}},
                                          {Bound::AtLeast, {"min"}},
                                          {Bound::AtMost, {"maximum"}},
                                          {Bound::AtMost, {"max"}},
                                          {Bound::AtMost, {"below"}},
                                          {Bound::AtMost, {"under"}},
                                          {Bound::AtLeast, {"over"}},
                                          {Bound::AtLeast, {">="}},
                                          {Bound::AtLeast, {">"}},
                                          {Bound::AtLeast, {"\xE2\x89\xA5"}},
                                          {Bound::AtMost, {"<="}},
                                          {Bound::AtMost, {"<"}},
                                          {Bound::AtMost, {"\xE2\x89\xA4"}},
                                          {Bound::Exactly, {"exactly"}},
                                          {Bound::Exactly, {"only"}},
                                          {Bound::Exactly, {"just"}},
                                          {Bound::About, {"about"}},
                                          {Bound::About, {"around"}},
                                          {Bound::About, {"approximately"}},
                                          {Bound::About, {"roughly"}},
                                          {Bound::About, {"~"}}};
  for (const Entry& entry : entries)
    if (follow(pieces, at, entry.words)) return BoundPhrase{entry.bound, entry.words.size()};
  return std::nullopt;
}

bool is_filler(const Piece& piece) {
  return piece.word() && is_one_of(piece.text, {"the", "a", "an", "of", "it", "its", "all",
                                                "memory", "to", "be", "as", "is", "becomes"});
}

}  // namespace memonline::syntax
