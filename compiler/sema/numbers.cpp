// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/sema/numbers.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "compiler/sema/words.hpp"
#include "compiler/syntax/vocabulary.hpp"

namespace memonline::sema {

namespace {

using diag::Code;

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kPercentScale = 1'000'000;  // Percent::millionths

constexpr Names<std::uint64_t, 8> kUnits{{{std::uint64_t{1} << 10U, "KiB"},
                                          {std::uint64_t{1} << 20U, "MiB"},
                                          {std::uint64_t{1} << 30U, "GiB"},
                                          {std::uint64_t{1} << 40U, "TiB"},
                                          {std::uint64_t{1} << 10U, "K"},
                                          {std::uint64_t{1} << 20U, "M"},
                                          {std::uint64_t{1} << 30U, "G"},
                                          {std::uint64_t{1} << 40U, "T"}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// value * base + digit, or false.
bool push_digit(std::uint64_t& value, std::uint64_t base, std::uint64_t digit) {
  if (value > (kMax - digit) / base) return false;
  value = value * base + digit;
  return true;
}

void report_unit(const ast::Word& unit, diag::Sink& sink) {
  diag::Diagnostic& d =
      sink.add(Code::UnknownUnit, unit.span, fmt::format("no unit named `{}`", unit.text));
  // Units of sizes are not guessed by similarity: another unit is as similar, and a thousand times
  // as much.
  const std::string_view meant = syntax::unit_of(unit.text);
  const std::string_view near = most_similar(unit.text, {"blocks"});
  if (!meant.empty())
    replace_by(d, unit, meant);
  else if (!near.empty())
    replace_by(d, unit, near);
  else
    d.help = "use `%`, `KiB`, `MiB`, `GiB`, `TiB` or `blocks`";
}

/// The unit that a bare number of a size is likely to have: thousands of GiB are rarely meant.
std::string_view size_unit_for(std::string_view number) {
  const Number value = scaled_number(number, 1, false);
  return value.fault == NumberFault::None && value.value >= 1024 ? "MiB" : "GiB";
}

}  // namespace

std::string examples_for(std::string_view written, std::string_view relative) {
  // `.5` and `5.` are not numbers: the suggestion must be one.
  const std::string number = fmt::format("{}{}{}", written.front() == '.' ? "0" : "", written,
                                         written.back() == '.' ? "0" : "");
  const Number value = scaled_number(number, 1, false);
  const bool percent = value.fault == NumberFault::None && value.value <= 100;
  // `0.5` is a half: 50%.
  const Number hundredfold = scaled_number(number, 100, true);
  const bool part = number.substr(0, 2) == "0." && hundredfold.fault == NumberFault::None;
  const std::string percent_number = part ? std::to_string(hundredfold.value) : number;
  std::vector<std::string> examples;
  if (relative == "x" && (percent || value.fault != NumberFault::None))
    examples.push_back(fmt::format("`{}x normal`", number));
  examples.push_back(fmt::format("`{}{}`", number, size_unit_for(number)));
  if (percent)
    examples.insert(examples.begin() + (relative == "x" ? 2 : 0),
                    fmt::format("`{}%`", percent_number));
  if (relative == "%" && number.find('.') == std::string_view::npos)
    examples.push_back(fmt::format("`{} blocks`", number));
  std::string text;
  for (std::size_t i = 0; i < examples.size(); ++i)
    text += (i == 0 ? "" : i + 1 == examples.size() ? " or " : ", ") + examples[i];
  return text;
}

Number scaled_number(std::string_view text, std::uint64_t scale, bool exact) {
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const std::string_view part = point < text.size() ? text.substr(point + 1) : std::string_view{};
  const bool digits = std::all_of(whole.begin(), whole.end(), is_digit) &&
                      std::all_of(part.begin(), part.end(), is_digit);
  if (!digits || whole.empty() || (part.empty() && point < text.size()))
    return {0, NumberFault::NotANumber};
  std::uint64_t value = 0;
  for (char c : whole)
    if (!push_digit(value, 10, static_cast<std::uint64_t>(c - '0')))
      return {0, NumberFault::TooLarge};
  if (value > kMax / scale) return {0, NumberFault::TooLarge};
  value *= scale;
  // From the last digit to the first: rounding down each time is rounding down once.
  std::uint64_t fraction = 0;
  bool lost = false;
  for (auto c = part.rbegin(); c != part.rend(); ++c) {
    const std::uint64_t sum = static_cast<std::uint64_t>(*c - '0') * scale + fraction;
    lost = lost || sum % 10 != 0;
    fraction = sum / 10;
  }
  if (lost && exact) return {0, NumberFault::TooFine};
  if (value > kMax - fraction) return {0, NumberFault::TooLarge};
  return {value + fraction, NumberFault::None};
}

Number whole_number(std::string_view text) {
  const bool hexadecimal = text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  if (hexadecimal) text.remove_prefix(2);
  if (text.empty()) return {0, NumberFault::NotANumber};
  std::uint64_t value = 0;
  for (char c : text) {
    const int digit = hex_digit(c);
    if (digit < 0 || (!hexadecimal && digit > 9)) return {0, NumberFault::NotANumber};
  }
  for (char c : text)
    if (!push_digit(value, hexadecimal ? 16 : 10, static_cast<std::uint64_t>(hex_digit(c))))
      return {0, NumberFault::TooLarge};
  return {value, NumberFault::None};
}

std::optional<std::uint64_t> unit_size(std::string_view unit) { return value_in(kUnits, unit); }

bool check_number(const ast::Word& word, NumberFault fault, diag::Sink& sink) {
  switch (fault) {
    case NumberFault::None: return true;
    case NumberFault::NotANumber: {
      diag::Diagnostic& d =
          sink.add(Code::BadNumber, word.span, fmt::format("invalid number `{}`", word.text));
      const std::string repaired =
          word.text.front() == '.' ? "0" + std::string(word.text) : std::string(word.text) + "0";
      if (scaled_number(repaired, 1, false).fault == NumberFault::None) {
        d.help = fmt::format("write `{}`", repaired);
        d.fixit = diag::FixIt{word.span, repaired};
      }
      return false;
    }
    case NumberFault::TooLarge:
      sink.add(Code::NumberTooLarge, word.span, fmt::format("number too large: `{}`", word.text));
      return false;
    case NumberFault::TooFine:
      sink.add(Code::BadNumber, word.span, fmt::format("`{}` has too many decimals", word.text));
      return false;
  }
  return false;
}

namespace {

/// `of_group`: other units than those of sizes are fine there.
std::optional<model::Bytes> size_of(const ast::Amount& amount, bool of_group, diag::Sink& sink) {
  const auto unit = unit_size(amount.unit.text);
  if (!unit) {
    const std::string_view meant = syntax::unit_of(amount.unit.text);
    const bool relative = meant == "blocks" || meant == "%" || amount.unit.text == "%";
    if (relative && !of_group)
      sink.add(Code::UnknownUnit, amount.unit.span,
               fmt::format("`{}` is not a unit of a size", amount.unit.text))
          .help = "write for example `64GiB`";
    else
      report_unit(amount.unit, sink);
    return std::nullopt;
  }
  const Number number = scaled_number(amount.number.text, *unit, false);
  if (!check_number(amount.number, number.fault, sink)) return std::nullopt;
  return model::Bytes(number.value);
}

}  // namespace

std::optional<model::Bytes> read_size(const ast::Amount& amount, diag::Sink& sink) {
  if (amount.unit) return size_of(amount, false, sink);
  sink.add(Code::MissingUnit, amount.number.span,
           fmt::format("`{}` has no unit", amount.number.text))
      .help = fmt::format("write for example `{}{}`", amount.number.text,
                          size_unit_for(amount.number.text));
  return std::nullopt;
}

std::optional<Amount> read_amount(const ast::Amount& amount, diag::Sink& sink) {
  const ast::Word& word = amount.number;
  if (amount.unit.text == "%") {
    const Number number = scaled_number(word.text, kPercentScale, true);
    if (!check_number(word, number.fault, sink)) return std::nullopt;
    if (number.value > 100 * kPercentScale) {
      sink.add(Code::PercentTooLarge, span_of(amount), fmt::format("`{}%` exceeds 100%", word.text))
          .help = "percentages are of the whole group: 100% is all of it";
      return std::nullopt;
    }
    return Percent{number.value};
  }
  const std::string unit = in_lower_case(amount.unit.text);
  if (unit == "blocks" || unit == "block") {
    const bool one = word.text == "1" && amount.unit.text == "block";
    if (amount.unit.text != "blocks" && !one) {
      diag::Diagnostic& d =
          sink.add(unit == "blocks" ? Code::UpperCase : Code::UnknownUnit, amount.unit.span,
                   fmt::format("expected the unit `blocks`, found `{}`", amount.unit.text));
      replace_by(d, amount.unit, "blocks");
    }
    const Number number = scaled_number(word.text, 1, true);
    if (number.fault == NumberFault::TooFine) {
      sink.add(Code::BadNumber, word.span, "the number of blocks must be whole").help =
          "write a size such as `1.5GiB`, or a whole number of blocks";
      return std::nullopt;
    }
    if (!check_number(word, number.fault, sink)) return std::nullopt;
    return Blocks{number.value};
  }
  if (!amount.unit) {
    const Number number = scaled_number(word.text, std::uint64_t{1} << 30U, false);
    if (number.fault == NumberFault::TooLarge) {  // no unit would make it right
      check_number(word, number.fault, sink);
      return std::nullopt;
    }
    diag::Diagnostic& d =
        sink.add(Code::MissingUnit, word.span, fmt::format("`{}` has no unit", word.text));
    d.help = fmt::format("write {}", examples_for(word.text, "%"));
    return std::nullopt;
  }
  if (const auto size = size_of(amount, true, sink)) return *size;
  return std::nullopt;
}

}  // namespace memonline::sema
