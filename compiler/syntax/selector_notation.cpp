// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/selector_notation.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "compiler/syntax/address_notation.hpp"
#include "compiler/syntax/grammar.hpp"
#include "compiler/syntax/place.hpp"
#include "compiler/syntax/vocabulary.hpp"

namespace memonline::syntax {

using diag::Diagnostic;

namespace {

/// The first thing in a selector that the language writes in another way.
enum class Oddity : std::uint8_t {
  NothingBefore,  ///< except boot
  RepeatedName,   ///< node1,node2
  Bracket,        ///< node[1-3]
  RangeSign,      ///< node1..3
  Separator,      ///< node-1
  Connector,      ///< node1 and node2
  Negation,       ///< not boot
  Pattern,        ///< node*
  Synonym,        ///< everything
  Address,        ///< 4G-8G
  BareNumber,     ///< 32-47
};

struct Match {
  Oddity oddity;
  std::size_t begin;
  std::size_t end;
};

struct Item {
  std::string name;
  std::string list;  ///< "1-3,5", "0.0", "0x0-0xfff", as it follows the name
  [[nodiscard]] std::string text() const {
    return list.empty() ? name : fmt::format("{}{}{}", name, is_apart(name) ? " " : "", list);
  }
};

std::string in_lower_case(std::string_view word) {
  std::string text(word);
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

bool is_digits(const Piece& piece) {
  return piece.number() && std::all_of(piece.text.begin(), piece.text.end(),
                                       [](char c) { return c >= '0' && c <= '9'; });
}

/// Binds to the class behind it.
bool is_not(const Piece& piece) {
  return (piece.word() && is_one_of(piece.text, {"not", "no", "non"})) || piece.is("!") ||
         piece.is("~") || piece.is("^") || piece.is("\xC2\xAC");
}
/// As `except`: binds to everything behind it.
bool is_without(const Piece& piece) {
  return piece.word() && is_one_of(piece.text, {"without", "but", "minus", "excluding", "exclude",
                                                "excluded", "besides", "sans"});
}
bool is_connector(const Piece& piece) {
  return piece.is("and") || piece.is("or") || piece.is("plus") || piece.is("&") || piece.is("&&") ||
         piece.is("+") || piece.is("|") || piece.is("||") || piece.is(",") || piece.is("/");
}
bool is_range_sign(const Piece& piece) {
  return piece.is("-") || piece.is("..") || piece.is("to") || piece.is("through") || piece.is("~");
}

/// Reads the pieces before the `:`. Where it comes upon something that it does not know, it gives
/// up: the usual messages are better then.
class Reader {
 public:
  Reader(const StatementText& rule, std::size_t count) : pieces_(rule.pieces), count_(count) {}

  /// False: not understood.
  bool read() {
    while (at_ < count_)
      if (!read_one()) return false;
    return !expects_class_;
  }

  [[nodiscard]] const std::optional<Match>& found() const { return found_; }

  /// The selector in the language's own notation; empty where none has this meaning.
  [[nodiscard]] std::string text() const {
    if (!expressible_) return {};
    std::vector<Item> with = included_;
    if (with.empty()) {
      if (excluded_.empty()) return {};
      if (each_) return {};
      if (excluded_.size() == 1 && excluded_.front().name == "boot") return "hotplugged";
      if (excluded_.size() == 1 && excluded_.front().name == "hotplugged") return "boot";
      with.push_back({"all", ""});
    }
    std::string text = each_ ? "each" : "";
    const auto add = [&](const std::string& word) { text += (text.empty() ? "" : " ") + word; };
    for (const Item& item : with) add(item.text());
    if (!excluded_.empty()) add("except");
    for (const Item& item : excluded_) add(item.text());
    return text;
  }

 private:
  [[nodiscard]] const Piece* piece(std::size_t index) const {
    return index < count_ ? &pieces_[index] : nullptr;
  }
  [[nodiscard]] const Piece& here() const { return pieces_[at_]; }

  void note(Oddity oddity, const Piece& piece) { note(oddity, piece.begin, piece.end); }
  void note(Oddity oddity, std::size_t begin, std::size_t end) {
    if (!found_) found_ = Match{oddity, begin, end};
  }

  std::vector<Item>& items() { return excluding_ || negated_ ? excluded_ : included_; }

  bool read_one() {
    const Piece& p = here();
    if (p.is("each") && at_ == 0) {
      each_ = true;
      ++at_;
      return true;
    }
    if (p.is("except") || is_without(p)) return read_except();
    if (is_not(p) || (p.is("-") && class_at(at_ + 1))) return read_not();
    if (is_connector(p)) return read_connector();
    if (p.is("*")) {
      note(Oddity::Pattern, p);
      ++at_;
      return take({"all", ""});
    }
    if (p.number()) return read_numbers();
    return p.word() && read_class();
  }

  [[nodiscard]] bool class_at(std::size_t index) const {
    const Piece* p = piece(index);
    return p != nullptr && p->word() && is_class_word(p->text);
  }

  bool read_except() {
    if (excluding_ || negated_) return false;
    const bool own_word = here().is("except");
    if (!own_word)
      note(Oddity::Negation, here());
    else if (included_.empty())
      note(Oddity::NothingBefore, here());
    excluding_ = true;
    expects_class_ = true;
    ++at_;
    if (!own_word && at_ < count_ && is_not(here())) ++at_;  // "but not boot"
    return true;
  }

  bool read_not() {
    if (excluding_ || negated_) return false;
    note(Oddity::Negation, here());
    negated_ = true;
    expects_class_ = true;
    ++at_;
    return true;
  }

  bool read_connector() {
    if (expects_class_ || joined_) return false;
    note(Oddity::Connector, here());
    joined_ = true;
    expects_class_ = true;
    ++at_;
    if (at_ < count_ && is_connector(here()) && !here().is(",")) ++at_;  // ", and"
    if (at_ < count_ && (is_not(here()) || is_without(here()))) {
      joined_ = false;  // "and not boot"
      return is_not(here()) ? read_not() : read_except();
    }
    return true;
  }

  /// One more class is read.
  bool take(Item item) {
    if (negated_) {
      // The complement of each is a class itself.
      if (item.name == "boot" || item.name == "hotplugged") {
        negated_ = false;
        item.name = item.name == "boot" ? "hotplugged" : "boot";
      } else if (!excluded_.empty()) {
        expressible_ = false;  // `except` takes the intersection of what follows it
      }
    }
    std::vector<Item>& into = items();
    negated_ = false;
    expects_class_ = false;
    if (!std::exchange(joined_, false)) {
      // `all` says nothing beside another class.
      if (into.size() == 1 && into.front().name == "all" && &into == &included_ && found_)
        into.clear();
      into.push_back(std::move(item));
      return true;
    }
    const bool extends = !into.empty() && into.back().name == item.name && takes_list(item.name) &&
                         !into.back().list.empty() && !item.list.empty();
    if (extends)
      into.back().list += "," + item.list;
    else
      expressible_ = false;  // neither a list nor certain to be meant as an intersection
    if (!extends) into.push_back(std::move(item));
    return true;
  }

  bool read_class() {
    const Piece& p = here();
    std::string name = in_lower_case(p.text);
    const Piece* next = piece(at_ + 1);
    for (const std::string_view prefix : {"non-", "not-", "no-", "non"})
      if (name.rfind(prefix, 0) == 0 && is_class_word(name.substr(prefix.size()))) {
        if (excluding_ || negated_) return false;
        note(Oddity::Negation, p);
        negated_ = true;
        name = name.substr(prefix.size());
      }
    if (name == "everything" || name == "any") {
      note(Oddity::Synonym, p);
      name = "all";
    }
    if (name == "memory" && next != nullptr && (is_digits(*next) || next->is("["))) name = "block";
    const bool range = next != nullptr && next->number() && !is_digits(*next);
    if (is_one_of(name, {"range", "addr", "addresses"}) || (name == "memory" && range)) {
      note(Oddity::Synonym, p);
      name = "address";
    }
    if (!is_class_word(name)) return false;
    ++at_;
    if (name == "driver") return read_argument(name);
    if (name == "address") return read_address();
    if (name == "dax" && next != nullptr && next->number() && adjacent(p, *next)) {
      ++at_;
      return take({name, std::string(next->text)});
    }
    if (name == "dax" && next != nullptr && next->is("dax")) return read_argument(name);
    if (next != nullptr && (next->is("*") || next->is("?")) && adjacent(p, *next)) {
      note(Oddity::Pattern, p.begin, next->end);
      ++at_;
      if (name == "block") name = "all";
      if (name == "node" && included_.empty()) each_ = true;
      if (name == "node" && !each_) return false;
      return take({name, ""});
    }
    if (!takes_list(name)) return take({name, ""});
    std::string list;
    return read_list(name, list) && take({name, list});
  }

  /// The rest of a name, as it is written.
  bool read_argument(const std::string& name) {
    std::string argument;
    const std::size_t from = at_;
    for (; at_ < count_ && (at_ == from || adjacent(pieces_[at_ - 1], here())); ++at_)
      argument += here().text;
    return !argument.empty() && take({name, argument});
  }

  /// `1-3,5`, in brackets, with other signs, or with the name again before each number.
  bool read_list(const std::string& name, std::string& list) {
    const Piece* p = piece(at_);
    if (p == nullptr) return true;
    const std::string_view open = p->text;
    const std::string_view close = open == "[" ? "]" : open == "{" ? "}" : open == "(" ? ")" : "";
    if (!close.empty()) {
      const Piece* last = p;
      for (std::size_t i = at_; i < count_; ++i)
        if (pieces_[i].is(close)) last = &pieces_[i];
      if (last == p) return false;
      note(Oddity::Bracket, p->begin, last->end);
      ++at_;
    }
    if (p->is("-") && close.empty() && piece(at_ + 1) != nullptr && is_digits(pieces_[at_ + 1])) {
      note(Oddity::Separator, *p);
      ++at_;
    }
    if (at_ >= count_ || !is_digits(here())) return close.empty();
    list += here().text;
    ++at_;
    while (at_ < count_ && continue_list(name, list)) {
    }
    expressible_ = expressible_ && put_in_order(list);
    if (close.empty()) return true;
    if (at_ >= count_ || !here().is(close)) return false;
    ++at_;
    return true;
  }

  /// Of at most nine digits.
  static std::uint32_t number_of(const std::string& digits) {
    std::uint32_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  }

  /// Exchanges the ends of ranges that run backwards; false where a number is more than any host
  /// has.
  static bool put_in_order(std::string& list) {
    constexpr std::size_t kMaxDigits = 9;
    std::string ordered;
    for (std::size_t at = 0; at < list.size();) {
      const std::size_t end = std::min(list.find(',', at), list.size());
      const std::string range = list.substr(at, end - at);
      const std::string first = range.substr(0, range.find('-'));
      const std::string last =
          first.size() < range.size() ? range.substr(first.size() + 1) : std::string();
      if (first.size() > kMaxDigits || last.size() > kMaxDigits) return false;
      const bool backwards = !last.empty() && number_of(first) > number_of(last);
      if (at != 0) ordered += ',';
      if (backwards)
        ordered.append(last).append(1, '-').append(first);
      else
        ordered += range;
      at = end + 1;
    }
    list = std::move(ordered);
    return true;
  }

  /// One `-3`, `,5`, `..node3` more; false, and nothing is read, where the list ends.
  bool continue_list(const std::string& name, std::string& list) {
    const Piece& sign = here();
    const bool range = is_range_sign(sign);
    if (!range && !sign.is(",")) return false;
    std::size_t number = at_ + 1;
    const bool named = number < count_ && pieces_[number].word() &&
                       is_one_of(pieces_[number].text, {name, name == "block" ? "memory" : name});
    if (named) ++number;
    if (number >= count_ || !is_digits(pieces_[number])) return false;
    if (range && !sign.is("-")) note(Oddity::RangeSign, sign);
    if (named) note(Oddity::RepeatedName, pieces_[number - 1].begin, pieces_[number].end);
    list += fmt::format("{}{}", range ? "-" : ",", pieces_[number].text);
    at_ = number + 1;
    return true;
  }

  /// Behind the word `address`.
  bool read_address() {
    const std::size_t from = at_;
    const auto range = address_range_at(pieces_, count_, at_);
    if (!range) return false;
    if (!range->canonical) note(Oddity::Address, pieces_[from].begin, pieces_[at_ - 1].end);
    return !range->text.empty() && take({"address", range->text});
  }

  /// Where no class names them.
  bool read_numbers() {
    if (joined_ && !items().empty() && takes_list(items().back().name) && is_digits(here())) {
      Item item{items().back().name, std::string(here().text)};
      ++at_;
      return take(std::move(item));
    }
    const std::size_t from = at_;
    const auto range = address_range_at(pieces_, count_, at_);
    if (range && !range->text.empty()) {
      note(Oddity::Address, pieces_[from].begin, pieces_[at_ - 1].end);
      return take({"address", range->text});
    }
    at_ = from + 1;
    while (at_ + 1 < count_ && is_range_sign(here()) && pieces_[at_ + 1].number()) at_ += 2;
    note(Oddity::BareNumber, pieces_[from].begin, pieces_[at_ - 1].end);
    expressible_ = false;
    expects_class_ = false;
    return true;
  }

  const std::vector<Piece>& pieces_;
  std::size_t count_;
  std::size_t at_ = 0;
  std::optional<Match> found_;
  std::vector<Item> included_;
  std::vector<Item> excluded_;
  bool each_ = false;
  bool excluding_ = false;  ///< behind `except`
  bool negated_ = false;    ///< behind `not`
  bool joined_ = false;     ///< behind `and`
  bool expects_class_ = false;
  bool expressible_ = true;
};

std::string message_for(Oddity oddity, std::string_view odd) {
  switch (oddity) {
    case Oddity::NothingBefore:
      return fmt::format("`{}` has nothing to take memory from: expected a class before it", odd);
    case Oddity::RepeatedName:
      return fmt::format("`{}` repeats the class inside its list of numbers", odd);
    case Oddity::Bracket: return fmt::format("`{}`: expected numbers without brackets", odd);
    case Oddity::RangeSign: return fmt::format("`{}` does not make a range: expected `-`", odd);
    case Oddity::Separator: return "unexpected `-` between a class and its number";
    case Oddity::Connector: return fmt::format("`{}` does not join classes of memory", odd);
    case Oddity::Negation:
      return fmt::format("`{}` does not exclude memory: expected `except`", odd);
    case Oddity::Pattern: return fmt::format("`{}`: expected a class without a pattern", odd);
    case Oddity::Synonym: return fmt::format("no class of memory named `{}`", odd);
    case Oddity::Address:
      return fmt::format(
          "invalid address range `{}`: expected `address` and two hexadecimal "
          "addresses",
          odd);
    case Oddity::BareNumber: return fmt::format("`{}` does not name a class of memory", odd);
  }
  return {};
}

/// Where no selector has this meaning.
std::string remedy_for(const Match& found, std::string_view odd) {
  if (found.oddity == Oddity::Bracket) return "numbers follow their class, for example `node0-3,8`";
  if (found.oddity != Oddity::BareNumber)
    return "several classes in a row select the memory that is in all of them; write one rule per "
           "class "
           "to select the memory in any of them";
  const bool digits = odd.find_first_not_of("0123456789-") == std::string_view::npos;
  if (digits) return fmt::format("write for example `block {0}` or `node{0}`", odd);
  return "name the class, for example `all: first 4GiB movable, rest normal`";
}

}  // namespace

bool report_selector_notation(const StatementText& rule, diag::Sink& sink) {
  const std::size_t colon = rule.find(":");
  if (colon == 0 || colon == rule.pieces.size()) return false;
  Reader reader(rule, colon);
  if (!reader.read() || !reader.found()) return false;
  const Match& found = *reader.found();
  const std::string_view odd = rule.text.substr(found.begin, found.end - found.begin);
  Diagnostic& d = sink.add(diag::Code::SelectorNotation, rule.span(found.begin, found.end),
                           message_for(found.oddity, odd));
  const std::string text = reader.text();
  if (text.empty()) {
    d.help = remedy_for(found, odd);
    return true;
  }
  d.help = fmt::format("write `{}`", text);
  fix(d, rule.span(rule.pieces.front().begin, rule.pieces[colon - 1].end), text);
  return true;
}

}  // namespace memonline::syntax
