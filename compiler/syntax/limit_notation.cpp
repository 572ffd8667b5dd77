// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/limit_notation.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "compiler/syntax/amount_words.hpp"
#include "compiler/syntax/place.hpp"
#include "compiler/syntax/vocabulary.hpp"

namespace memonline::syntax {

using diag::Diagnostic;

namespace {

bool is_times_sign(const Piece& piece) {
  return (piece.word() && is_one_of(piece.text, {"times", "time", "fold"})) || piece.is("*") ||
         piece.is("\xC3\x97");
}
bool is_normal(const Piece& piece) {
  return piece.word() && is_one_of(piece.text, {"normal", "kernel"});
}

/// Parses the text after `limit`; stops at an unknown word.
class Reader {
 public:
  explicit Reader(const std::vector<Piece>& pieces) : pieces_(pieces) {}

  bool read() {
    at_ = 1;
    return read_subject() && read_relation() && read_amount() && read_of() && read_per() &&
           at_end();
  }
  /// Only the normal memory is what movable memory is compared with.
  [[nodiscard]] bool has_other_base() const { return other_base_; }
  /// Whether anything is written in another way than the language writes it.
  [[nodiscard]] bool odd() const { return odd_; }
  [[nodiscard]] bool lacks_to() const { return lacks_to_; }
  /// The limit as the language writes it; empty where none has this meaning.
  [[nodiscard]] std::string text() const {
    if (amount_.empty()) return {};
    return fmt::format("limit movable to {}{}", amount_, per_node_ ? " per node" : "");
  }

 private:
  [[nodiscard]] bool at_end() const { return at_ == pieces_.size(); }
  [[nodiscard]] const Piece* here(std::size_t ahead = 0) const {
    return at_ + ahead < pieces_.size() ? &pieces_[at_ + ahead] : nullptr;
  }
  bool skip(std::string_view word) {
    if (here() == nullptr || !here()->is(word)) return false;
    ++at_;
    return true;
  }
  void skip_fillers() {
    for (; here() != nullptr && is_filler(*here()) && !here()->is("to"); ++at_) odd_ = true;
  }

  /// `movable`, or `movable:normal` of a ratio.
  bool read_subject() {
    skip_fillers();
    if (skip("normal"))
      inverted_ = odd_ = true;
    else if (!skip("movable"))
      return false;
    skip_fillers();
    if (here(1) != nullptr && (here()->is(":") || here()->is("/")) && is_normal(*here(1))) {
      odd_ = true;
      at_ += 2;
    }
    return true;
  }

  bool read_relation() {
    if (skip("to")) return true;
    lacks_to_ = true;
    if (here() != nullptr && (here()->is("=") || here()->is(":") || here()->is("at")) &&
        !bound_at(pieces_, at_)) {
      odd_ = true;
      ++at_;
    }
    return true;
  }

  bool read_amount() {
    skip_fillers();
    if (const auto bound = bound_at(pieces_, at_)) {
      if (bound->bound != Bound::AtMost && bound->bound != Bound::Exactly) return false;
      odd_ = true;
      at_ += bound->pieces;
      skip("of");
    }
    if (here() == nullptr) return false;
    if (const auto often = multiple_word(*here())) {
      odd_ = true;
      ++at_;
      return set_times({*often, 1, 0});
    }
    const std::size_t start = at_;
    if (const auto fraction = fraction_at(pieces_, at_)) {
      odd_ = true;
      at_ += fraction->pieces;
      skip_fillers();
      const bool of_normal = here() != nullptr && is_normal(*here());
      if (of_normal || fraction->numerator > fraction->denominator) return set_times(*fraction);
      amount_ = percent_text(*fraction);
      return !amount_.empty();
    }
    at_ = start;
    return read_number();
  }

  static std::optional<std::uint64_t> multiple_word(const Piece& piece) {
    if (piece.is("twice") || piece.is("double")) return 2;
    if (piece.is("thrice") || piece.is("triple")) return 3;
    return std::nullopt;
  }

  bool set_times(const Fraction& fraction) {
    times_ = true;
    const std::string times = times_text(fraction);
    if (!times.empty()) amount_ = fmt::format("{}x normal", times);
    return true;
  }

  /// With more than three decimals no limit has this meaning.
  bool set_number_of_times(const std::string& number) {
    times_ = true;
    const std::size_t point = std::min(number.find('.'), number.size());
    const std::size_t decimals = number.size() - point;
    if (point > 0 && point < 10 && decimals != 1 && decimals <= 4)
      amount_ = fmt::format("{}x normal", number);
    return true;
  }

  bool read_number() {
    const Piece& p = *here();
    std::string number(p.text);
    std::string_view tail;
    if (const auto value = number_word(p)) {
      odd_ = true;
      number = std::to_string(*value);
    } else {
      if (!p.number()) return false;
      const std::size_t end = std::min(p.text.find_first_not_of("0123456789."), p.text.size());
      number = p.text.substr(0, end);
      tail = p.text.substr(end);
    }
    ++at_;
    if (tail.empty() && read_ratio(number)) return true;
    if (is_one_of(tail, {"x", "times"}) || (tail.empty() && here() != nullptr && here()->is("x"))) {
      if (tail.empty()) ++at_;
      odd_ = odd_ || is_one_of(tail, {"times"});
      return set_number_of_times(number);
    }
    if (tail.empty() && here() != nullptr && is_times_sign(*here())) {
      odd_ = true;
      ++at_;
      return set_number_of_times(number);
    }
    return read_unit(number, tail);
  }

  bool read_unit(const std::string& number, std::string_view tail) {
    std::string_view unit = tail.empty() ? std::string_view{} : unit_of(tail);
    if (tail.empty() && here() != nullptr) {
      unit = here()->is("%") ? "%" : here()->word() ? unit_of(here()->text) : "";
      if (!unit.empty()) ++at_;
    }
    if (unit.empty()) return false;  // of what is asked elsewhere
    amount_ = fmt::format("{}{}{}", number, unit == "blocks" ? " " : "", unit);
    return unit != "%" || read_percent(number);
  }

  /// Of all memory, unless it is more than the whole or said to be of the normal memory.
  bool read_percent(const std::string& number) {
    Fraction fraction{0, 100, 0};
    if (!whole(number, fraction.numerator)) return true;
    const bool of_normal =
        here(1) != nullptr && here()->is("of") &&
        (is_normal(*here(1)) || (here(2) != nullptr && here(1)->is("the") && is_normal(*here(2))));
    if (!of_normal && fraction.numerator <= 100) return true;
    odd_ = true;
    amount_.clear();
    return set_times(fraction);
  }

  static bool whole(std::string_view text, std::uint64_t& value) {
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    return result.ec == std::errc() && result.ptr == text.data() + text.size() && value < 1'000'000;
  }

  /// `3:1`, `3 to 1`, `3-to-1`.
  bool read_ratio(const std::string& number) {
    const bool hyphens =
        here(3) != nullptr && here()->is("-") && here(1)->is("to") && here(2)->is("-");
    const std::size_t sign = hyphens ? 1 : 0;
    const std::size_t second = hyphens ? 3 : 1;
    if (here(second) == nullptr || !(here(sign)->is(":") || here(sign)->is("to"))) return false;
    Fraction fraction;
    if (!whole(number, fraction.numerator) || !whole(here(second)->text, fraction.denominator))
      return false;
    odd_ = true;
    at_ += second + 1;
    return set_times(fraction);
  }

  /// `normal`, also as `of the normal memory`.
  bool read_of() {
    skip_fillers();
    if (times_ && here() != nullptr && is_one_of(here()->text, {"movable", "boot", "total"})) {
      odd_ = other_base_ = true;
      ++at_;
    } else if (here() != nullptr && is_normal(*here())) {
      if (!times_) return false;
      if (here()->is("kernel")) odd_ = true;
      ++at_;
    }
    skip_fillers();
    return !inverted_ || other_base_;
  }

  bool read_per() {
    if (skip("on") || skip("for") || skip("in")) odd_ = true;
    if (skip("per")) {
      per_node_ = true;
    } else if (skip("each") || skip("every")) {
      odd_ = true;
      per_node_ = true;
    }
    return !per_node_ || skip("node");
  }

  const std::vector<Piece>& pieces_;
  std::size_t at_ = 0;
  std::string amount_;
  bool times_ = false;
  bool per_node_ = false;
  bool odd_ = false;
  bool inverted_ = false;    ///< a limit of normal memory
  bool other_base_ = false;  ///< compared with something else than normal memory
  bool lacks_to_ = false;
};

}  // namespace

bool reads_as_limit(const StatementText& limit) {
  const bool is_limit = !limit.pieces.empty() && limit.pieces.front().is("limit");
  return is_limit && Reader(limit.pieces).read();
}

bool report_limit_notation(const StatementText& limit, diag::Sink& sink) {
  const std::vector<Piece>& pieces = limit.pieces;
  if (pieces.empty() || !pieces.front().is("limit")) return false;
  Reader reader(pieces);
  if (!reader.read()) return false;
  if (!reader.odd()) {
    // Without `to`, the parser would not find any other mistake.
    if (!reader.lacks_to()) return false;
    const std::string_view amount =
        limit.text.substr(pieces[2].begin, pieces.back().end - pieces[2].begin);
    if (reader.text() == fmt::format("limit movable to {}", amount)) return false;
  }
  const std::size_t begin = pieces[1].begin;
  const std::size_t end = pieces.back().end;
  Diagnostic& d =
      sink.add(diag::Code::LimitNotation, limit.span(begin, end),
               fmt::format("invalid limit `{}`: expected for example `movable to 3x normal`",
                           limit.text.substr(begin, end - begin)));
  const std::string text = reader.text();
  if (reader.has_other_base()) {
    d.help =
        "a limit applies to movable memory, as a multiple of the normal memory: "
        "`limit movable to 3x normal`";
    return true;
  }
  if (text.empty()) {
    d.help =
        "write the limit as a multiple of the normal memory, with at most three decimals: "
        "`limit movable to 1.5x normal`";
    return true;
  }
  d.help = fmt::format("write `{}`", text);
  fix(d, limit.span(pieces.front().begin, end), text);
  return true;
}

}  // namespace memonline::syntax
