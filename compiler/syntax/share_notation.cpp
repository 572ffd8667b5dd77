// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/share_notation.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "compiler/language/targets.hpp"
#include "compiler/syntax/amount_words.hpp"
#include "compiler/syntax/place.hpp"
#include "compiler/syntax/target_words.hpp"
#include "compiler/syntax/vocabulary.hpp"

namespace memonline::syntax {

using diag::Diagnostic;
using language::kPlaces;
using language::kTargets;
using language::Target;

namespace {

constexpr std::string_view kRest = name_in(kPlaces, language::Place::Rest);

/// The first thing in a share that the language writes in another way.
enum class Oddity : std::uint8_t {
  Fraction,    ///< 1/3, half
  NumberWord,  ///< two blocks
  Bound,       ///< at least 2GiB
  Rest,        ///< remaining
};

struct Match {
  Oddity oddity;
  std::size_t begin;
  std::size_t end;
  bool at_most = false;
};

bool is_place(const Piece& piece) { return piece.word() && is_place_word(piece.text); }
bool means_rest(const Piece& piece) {
  return piece.word() && is_one_of(piece.text, {"remaining", "remainder", "other", "others", "else",
                                                "leftover", "leftovers", "everything"});
}
bool is_target(const Piece& piece) { return piece.word() && is_target_word(piece.text); }

/// Parses the pieces after the `:`; stops at an unknown word.
class Reader {
 public:
  Reader(const std::vector<Piece>& pieces, std::size_t at) : pieces_(pieces), at_(at) {}

  bool read() {
    do {
      if (!read_share()) return false;
    } while (std::exchange(more_, false));
    return true;
  }
  [[nodiscard]] const std::optional<Match>& found() const { return found_; }
  [[nodiscard]] const std::string& text() const { return text_; }
  /// The amount, where an amount of movable memory is all there is.
  [[nodiscard]] const std::string& limit() const { return limit_; }

 private:
  void note(Oddity oddity, std::size_t count) {
    if (!found_) found_ = Match{oddity, pieces_[at_].begin, pieces_[at_ + count - 1].end};
  }

  bool read_share() {
    std::string place;
    std::string amount;
    std::string target;
    for (; at_ < pieces_.size() && !more_;) {
      const Piece& p = pieces_[at_];
      if (p.is(",") || (p.is("and") && !target.empty())) {
        more_ = true;
        ++at_;
      } else if (const auto bound = bound_at(pieces_, at_)) {
        note(Oddity::Bound, bound->pieces);
        found_->at_most = found_->at_most || bound->bound == Bound::AtMost;
        at_ += bound->pieces;
      } else if (const auto fraction = fraction_at(pieces_, at_)) {
        if (!amount.empty()) return false;
        note(Oddity::Fraction, fraction->pieces);
        amount = percent_text(*fraction);
        if (amount.empty()) return false;
        at_ += fraction->pieces;
      } else if (means_rest(p)) {
        note(Oddity::Rest, 1);
        place = kRest;
        ++at_;
      } else if (is_place(p)) {
        if (!place.empty()) return false;
        place = name_in(kPlaces, *in_any_case(kPlaces, p.text));
        ++at_;
      } else if (p.number() || number_word(p)) {
        if (!amount.empty() || !read_amount(amount)) return false;
      } else if (is_target(p)) {
        if (!target.empty()) return false;
        target = name_in(kTargets, *in_any_case(kTargets, p.text));
        ++at_;
      } else if (is_filler(p)) {
        ++at_;
      } else {
        return false;
      }
    }
    if (target.empty() || (place == kRest && !amount.empty())) return false;
    limit_ = text_.empty() && place.empty() && target == name_in(kTargets, Target::Movable)
                 ? amount
                 : std::string();
    std::string share;
    for (const std::string& part : {place, amount, target})
      if (!part.empty()) share += (share.empty() ? "" : " ") + part;
    text_ += (text_.empty() ? "" : ", ") + share;
    return true;
  }

  /// A number and its unit, which may follow it.
  bool read_amount(std::string& amount) {
    const Piece& p = pieces_[at_];
    std::string number(p.text);
    std::string_view unit;
    if (const auto value = number_word(p)) {
      note(Oddity::NumberWord, 1);
      number = std::to_string(*value);
    } else {
      const std::size_t end = std::min(p.text.find_first_not_of("0123456789."), p.text.size());
      number = p.text.substr(0, end);
      unit = unit_of(p.text.substr(end));
      if (unit.empty() && end < p.text.size()) return false;
    }
    ++at_;
    if (unit.empty() && at_ < pieces_.size()) {
      const Piece& next = pieces_[at_];
      unit = next.is("%") ? "%" : next.word() ? unit_of(next.text) : "";
      if (!unit.empty()) ++at_;
    }
    if (unit.empty()) return false;  // of what is asked elsewhere
    amount = fmt::format("{}{}{}", number, unit == "blocks" ? " " : "", unit);
    return true;
  }

  const std::vector<Piece>& pieces_;
  std::size_t at_;
  bool more_ = false;
  std::optional<Match> found_;
  std::string text_;
  std::string limit_;
};

diag::Code code_for(Oddity oddity) {
  switch (oddity) {
    case Oddity::Fraction:
    case Oddity::NumberWord: return diag::Code::AmountNotation;
    case Oddity::Bound: return diag::Code::ShareBound;
    case Oddity::Rest: return diag::Code::UnknownTarget;
  }
  return diag::Code::AmountNotation;
}

std::string message_for(Oddity oddity, std::string_view odd) {
  switch (oddity) {
    case Oddity::Fraction:
      return fmt::format("invalid amount `{}`: expected a percentage, a size or a number of blocks",
                         odd);
    case Oddity::NumberWord: return fmt::format("invalid number `{}`: expected digits", odd);
    case Oddity::Bound:
      return fmt::format("`{}` does not belong to a share: a share gets exactly its amount", odd);
    case Oddity::Rest: return fmt::format("no place named `{}`: expected `rest`", odd);
  }
  return {};
}

}  // namespace

bool report_share_notation(const StatementText& rule, diag::Sink& sink) {
  const std::vector<Piece>& pieces = rule.pieces;
  const std::size_t colon = rule.find(":");
  // Without a selector shares are meant for all memory.
  const bool selected = colon < pieces.size();
  const std::size_t start = selected ? colon + 1 : 0;
  if (start >= pieces.size()) return false;
  Reader reader(pieces, start);
  if (!reader.read() || !reader.found()) return false;
  const Match& found = *reader.found();
  Diagnostic& d =
      sink.add(code_for(found.oddity), rule.span(found.begin, found.end),
               message_for(found.oddity, rule.text.substr(found.begin, found.end - found.begin)));
  if (!selected && found.at_most && !reader.limit().empty()) {
    const std::string limit = fmt::format("limit movable to {}", reader.limit());
    d.help = fmt::format("write `{}`", limit);
    fix(d, rule.span(pieces[start].begin, pieces.back().end), limit);
    return true;
  }
  const std::string text = (selected ? "" : "all: ") + reader.text();
  d.help = fmt::format("{}write `{}`", selected ? "" : "name the memory, and ", text);
  fix(d, rule.span(pieces[start].begin, pieces.back().end), text);
  return true;
}

namespace {

/// Classes and their lists as the language writes them.
bool is_plain_selector(const StatementText& rule, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) {
    const Piece& p = rule.pieces[i];
    const bool known = p.word() && (is_class_word(p.text) || p.is("each") || p.is("except"));
    const bool sign = (p.is(",") || p.is("-")) && i + 1 < to && rule.pieces[i + 1].number();
    if (!known && !(p.number() && i > from) && !sign) return false;
  }
  return true;
}

}  // namespace

bool report_swapped_rule(const StatementText& rule, diag::Sink& sink) {
  const std::vector<Piece>& pieces = rule.pieces;
  if (pieces.size() < 2 || !is_target(pieces[0])) return false;
  const bool sign = pieces[1].is(":") || pieces[1].is("=");
  const std::size_t start = sign ? 2 : 1;  // `keep node1` has none
  if (pieces.size() <= start) return false;
  const bool memory = pieces[start].is("each") || is_class_word(pieces[start].text);
  const bool amount = sign && pieces[start].number();
  const auto from = pieces.begin() + static_cast<std::ptrdiff_t>(start);
  const bool more = std::any_of(from, pieces.end(), [](const Piece& piece) {
    return piece.is(":") || piece.is("=") || is_target(piece) || is_place(piece);
  });
  if (more || (!memory && !amount)) return false;
  if (!sign && !is_plain_selector(rule, start, pieces.size())) return false;
  const std::string_view right =
      rule.text.substr(pieces[start].begin, pieces.back().end - pieces[start].begin);
  std::string text = fmt::format("{}: {}", right, pieces[0].text);
  if (amount) {
    // Only where it is an amount as the language writes it.
    const std::size_t digits = pieces[2].text.find_first_not_of("0123456789.");
    const bool unit =
        digits != std::string_view::npos && !unit_of(pieces[2].text.substr(digits)).empty();
    const bool percent = pieces.size() == 4 && pieces[3].is("%");
    if (!percent && !(unit && pieces.size() == 3)) return false;
    text = fmt::format("all: {} {}", right, pieces[0].text);
  }
  Diagnostic& d =
      sink.add(diag::Code::UnknownClass, rule.span(pieces[0].begin, pieces[0].end),
               fmt::format("`{}` is a target, not a class of memory: memory is named first",
                           pieces[0].text));
  d.help = fmt::format("write `{}`", text);
  fix(d, rule.span(pieces[0].begin, pieces.back().end), text);
  return true;
}

namespace {

/// The pieces of the rule that start a further rule: a selector behind a comma, before its colon.
struct Further {
  std::size_t comma;
  std::size_t colon;
};
std::vector<Further> further_rules(const StatementText& rule, std::size_t colon) {
  std::vector<Further> further;
  const std::vector<Piece>& pieces = rule.pieces;
  for (std::size_t last = colon;;) {
    const std::size_t next = rule.find(":", last + 1);
    if (next >= pieces.size()) return further;
    // The shares before it end with a target, which a comma follows.
    std::size_t comma = next;
    while (comma > last && !(pieces[comma].is(",") && is_target(pieces[comma - 1]))) --comma;
    if (comma == last || comma + 1 == next) return {};
    const Piece& start = pieces[comma + 1];
    if (is_target(start) || is_place(start)) return {};
    further.push_back({comma, next});
    last = next;
  }
}

/// Whether a rule for `earlier` may leave a rule for `later` without blocks.
bool may_take_all(std::string_view earlier, std::string_view later) {
  if (is_one_of(later, {"all"})) return false;
  return is_one_of(earlier, {"all", "hotplugged"}) ||
         later.find(earlier) != std::string_view::npos ||
         earlier.find_first_of("-,") != std::string_view::npos;
}

}  // namespace

bool report_second_rule(const StatementText& rule, diag::Sink& sink) {
  const std::vector<Piece>& pieces = rule.pieces;
  const std::size_t colon = rule.find(":");
  if (colon == 0 || colon >= pieces.size()) return false;
  const std::vector<Further> further = further_rules(rule, colon);
  if (further.empty()) return false;
  const auto text_between = [&](std::size_t from, std::size_t to) {
    return rule.text.substr(pieces[from].begin, pieces[to].end - pieces[from].begin);
  };
  const Further& second = further.front();
  const std::string_view head = text_between(0, colon - 1);
  const std::string_view next = text_between(second.comma + 1, second.colon - 1);
  Diagnostic& d = sink.add(diag::Code::SecondRule,
                           rule.span(pieces[second.comma + 1].begin, pieces[second.colon].end),
                           fmt::format("`{}:` starts a second rule in the same statement", next));
  if (head == next) {
    d.help =
        "a rule names its memory once, and its shares have amounts: for example "
        "`all: 50% movable, rest normal`";
    // A share without an amount takes everything: nothing would be left for the other.
    if (second.comma == colon + 2 || further.size() > 1) return true;
    fix(d, rule.span(pieces[second.comma + 1].begin, pieces[second.colon].end), "");
    d.help = fmt::format("write `{}:` once, and separate the shares with `,`", head);
    return true;
  }
  const bool plain = further.size() == 1 && is_plain_selector(rule, 0, colon) &&
                     is_plain_selector(rule, second.comma + 1, second.colon);
  if (plain && may_take_all(head, next) && !may_take_all(next, head)) {
    const std::string text =
        fmt::format("{}; {}", text_between(second.comma + 1, pieces.size() - 1),
                    text_between(0, second.comma - 1));
    d.help = fmt::format("the first rule that selects a block applies to it: write `{}`", text);
    fix(d, rule.span(pieces.front().begin, pieces.back().end), text);
    return true;
  }
  d.help = "each rule is a separate statement: separate rules with `;` or a line break";
  std::string text;
  std::size_t from = pieces[second.comma].begin;
  std::string_view before = head;
  for (const Further& one : further) {
    const std::string_view selector = text_between(one.comma + 1, one.colon - 1);
    if (!is_plain_selector(rule, one.comma + 1, one.colon) || selector == before ||
        may_take_all(before, selector) || may_take_all(head, selector))
      return true;
    before = selector;
    text += std::string(rule.text.substr(from, pieces[one.comma].begin - from)) + ";";
    from = pieces[one.comma].end;
  }
  fix(d, rule.span(pieces[second.comma].begin, from), text);
  return true;
}

}  // namespace memonline::syntax
