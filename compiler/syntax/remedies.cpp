// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/remedies.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "compiler/language/targets.hpp"
#include "compiler/syntax/grammar.hpp"
#include "compiler/syntax/limit_notation.hpp"
#include "compiler/syntax/mistakes.hpp"
#include "compiler/syntax/target_words.hpp"
#include "compiler/syntax/vocabulary.hpp"
#include "compiler/text/listed.hpp"
#include "compiler/text/similar.hpp"

namespace memonline::syntax {

using diag::Code;
using diag::Diagnostic;
using source::SourceSpan;

namespace {

constexpr std::string_view kLimitReads = "write for example `limit movable to 3x normal`";

/// `boot movable`, `node2 last 50% movable`: the selector ran into the share. Where the share
/// seems to start, or nothing.
std::optional<std::size_t> find_share(const Place& place) {
  for (std::size_t at = place.start; at < place.before && place.text[at] != '#';) {
    const std::string_view word = word_at(at, place.text);
    if (at > place.start && starts_share(word)) return at;
    at += std::max<std::size_t>(1, word.size());
  }
  return starts_number(place.text.substr(place.at, 1)) ? std::optional(place.at) : std::nullopt;
}

}  // namespace

bool report_unknown_statement(const Place& place, diag::Sink& sink) {
  const std::string_view word = word_at(place.start, place.text);
  const SourceSpan span{place.file, static_cast<std::uint32_t>(place.start),
                        static_cast<std::uint32_t>(place.start + word.size())};
  if (is_setting_word(word) && place.at < place.text.size() && place.text[place.at] == '=') {
    Diagnostic& d = sink.add(Code::UnknownStatement, span,
                             fmt::format("`{}` is a setting: expected `set` before it", word));
    d.help = fmt::format("write `set {}`", word);
    fix(d, point(place.file, place.start), "set ");
    return true;
  }
  if (starts_share(word)) {
    sink.add(Code::UnknownStatement, span,
             fmt::format("`{}` starts a share: expected a class of memory before it", word))
        .help = "write all shares of a rule on one line, separated by `,`";
    return true;
  }
  const std::string_view near = is_one_of(word, {"elif", "elsif", "elseif"}) ? "else when"
                                : same_word(word, "if")
                                    ? "when"
                                    : most_similar(word, {"limit", "when", "set"});
  if (near.empty()) return false;
  Diagnostic& d =
      sink.add(Code::UnknownStatement, span, fmt::format("unknown statement `{}`", word));
  const std::size_t end = statement_end(place.start, place.text);
  const bool braces =
      place.text.substr(place.start, end - place.start).find('{') != std::string_view::npos;
  // Without braces the word alone would not make it a condition.
  if (near == "when" && !braces)
    d.help = "write for example `when arch is x86_64 { node1: movable }`";
  else
    replace_by(d, span, word, near);
  return true;
}

namespace {

/// Whether the last word read is a share by itself: without an amount it takes everything, and
/// another share behind a comma would never get a block.
bool takes_everything(const Place& place) {
  const std::string_view word = last_word(place);
  const std::size_t before = end_before(place.before - word.size(), place.text);
  return before > place.start && (place.text[before - 1] == ':' || place.text[before - 1] == ',');
}

}  // namespace

std::string name_a_target() {
  return fmt::format("write {}", listed(names_of(language::kTargets), "or"));
}

bool report_unknown_word(const Place& place, diag::Sink& sink) {
  const std::string_view word = last_word(place);
  if (word.empty() || starts_share(word) || !share_at(place.at, place.text)) return false;
  const auto end = static_cast<std::uint32_t>(place.before);
  const SourceSpan span{place.file, end - static_cast<std::uint32_t>(word.size()), end};
  Diagnostic& d = sink.add(Code::UnknownTarget, span, fmt::format("no target named `{}`", word));
  const std::string_view meant = meant_target_or_place(word);
  const bool place_word = is_place_word(meant);
  if (meant.empty())
    d.help = name_a_target();
  else if (!place_word && takes_everything(place))
    d.help = fmt::format("write `{}`, and give each share an amount or `rest`", meant);
  else  // a target ends its share, so that a comma is missing, too
    replace_by(d, span, word, fmt::format("{}{}", meant, place_word ? "" : ","));
  return true;
}

bool report_missing_colon(const Place& place, diag::Sink& sink) {
  const auto share = find_share(place);
  if (!share) return false;
  const SourceSpan found = found_at(*share, place.file, place.text);
  Diagnostic& d = sink.add(Code::Expected, found,
                           fmt::format("expected `:` before {}", found_words(found, place.text)));
  const std::string_view word = word_at(place.start, place.text);
  const std::string_view name = word.substr(0, word.find_first_of("0123456789"));
  if (!meant_target(name).empty() && !resembles_class(name)) {  // `online node1 movable`
    d.help = "a rule is a class of memory, `:` and a target, for example `node1: movable`";
    return true;
  }
  d.help = "write `:` between the memory and its target";
  fix(d, point(place.file, end_before(*share, place.text)), ":");
  return true;
}

namespace {

/// Something follows a complete share.
void add_remedy_in_shares(const Place& place, const SourceSpan& found, Diagnostic& d) {
  const std::string_view there = place.text.substr(found.begin, found.end - found.begin);
  const std::string_view last = last_word(place);
  const bool number = starts_number(there);
  const bool ends = ends_statement(over_blanks(found.end, place.text), place.text);
  const bool joined = same_word(there, "and");
  if (takes_everything(place) && starts_share(last) && (joined || share_at(place.at, place.text)) &&
      !(number && ends)) {
    d.help = fmt::format(
        "separate shares with `,`, and give `{}` an amount: without one it gets all blocks", last);
  } else if (joined) {
    d.help = "separate shares with `,`";
    fix(d, found, ",");
  } else if (!share_at(place.at, place.text)) {
    return;
  } else if (const auto named = in_any_case(language::kPlaces, last);
             named == language::Place::Rest) {
    d.help = "`rest` takes no amount";
  } else if (named) {
    d.help = fmt::format("write `{}` before the amount", last);
  } else if (number && ends) {
    d.help = "write the amount before the target";
  } else {
    d.help = "separate shares with `,`";
    fix(d, point(place.file, place.before), ",");
  }
}

/// A text in quotes, or one word with nothing but `,` or `{` behind it.
bool is_value(const SourceSpan& found, std::string_view text) {
  if (found.begin == found.end) return false;
  const std::size_t after = over_blanks(found.end, text);
  return text[found.begin] == '"' ||
         (is_word_byte(text[found.begin]) &&
          (ends_statement(after, text) || text[after] == ',' || text[after] == '{'));
}

/// Inserts `inserted`, which is `what` and perhaps a blank, before what was found.
void insert(const Place& place, std::string_view what, std::string_view inserted, Diagnostic& d) {
  d.help = fmt::format("write `{}` here", what);
  fix(d, point(place.file, place.at), std::string(inserted));
}

void add_colon_remedy(const Place& place, const SourceSpan& found, Diagnostic& d) {
  const std::string_view there = place.text.substr(found.begin, found.end - found.begin);
  const StatementText statement(place.text, place.file, place.start);
  if (there == "=" && is_class_word(last_word(place)) &&
      statement.find(":") < statement.pieces.size()) {
    d.help = "replace `=` with a blank";
    fix(d, found, " ");
  } else if (there == "=" && share_at(over_blanks(found.end, place.text), place.text)) {
    replace_by(d, found, there, ":");
  } else if (same_word(there, "except")) {
    d.help = "a rule has only one `except`; the classes after it intersect, too";
  } else {
    d.help = "a rule is a class of memory, `:` and a target, for example `node1: movable`";
  }
}

void add_test_remedy(const Place& place, const SourceSpan& found, Diagnostic& d) {
  const std::string_view there = place.text.substr(found.begin, found.end - found.begin);
  if (is_one_of(there, {"in", "equals", "eq", "like", "matches"}))
    replace_by(d, found, there, "is");
  else if (is_one_of(there, {"isnt", "ne", "not"}))
    replace_by(d, found, there, "is not");
  else if (same_word(there, "contains"))
    d.help = "write `is` and a pattern, for example `is \"*Cloud*\"`";
  else if (is_value(found, place.text))
    insert(place, "is", "is ", d);
}

}  // namespace

void add_remedy(Due due, const Place& place, const SourceSpan& found, Diagnostic& d) {
  const std::string_view there = place.text.substr(found.begin, found.end - found.begin);
  const auto replace = [&](std::string_view by) { replace_by(d, found, there, by); };
  switch (due) {
    case Due::Statement:
      if (starts_number(there))
        d.help =
            "a rule starts with a class of memory, for example `all: 80% movable, rest normal`";
      return;
    case Due::Colon: add_colon_remedy(place, found, d); return;
    case Due::EndOfStatement:
      d.help = "a statement ends at the end of the line or at `;`";
      if (in_rule(place)) add_remedy_in_shares(place, found, d);
      return;
    case Due::Target: d.help = name_a_target(); return;
    case Due::Equals:
      if (there == ":")
        replace("=");
      else if (!there.empty() && is_word_byte(there[0]) &&
               ends_statement(over_blanks(found.end, place.text), place.text))
        insert(place, "=", "= ", d);
      return;
    case Due::To:
      d.help = kLimitReads;
      if (starts_number(there) &&
          reads_as_limit(StatementText(place.text, place.file, place.start)))
        insert(place, "to", "to ", d);
      return;
    case Due::Test: add_test_remedy(place, found, d); return;
    case Due::OpenBrace:
      d.help = "enclose the statements of a `when` in braces: `when arch is s390x { all: keep }`";
      return;
    case Due::OpenBraceOrWhen:
      if (same_word(there, "if")) replace("when");
      return;
    case Due::Movable: d.help = kLimitReads; return;
    case Due::Amount:
      d.help = kLimitReads;
      if (same_word(word_at(over_blanks(place.start + std::string_view("limit").size(), place.text),
                            place.text),
                    "normal"))
        d.help =
            "only movable memory can be limited; a share such as `2GiB normal` keeps memory normal";
      return;
    case Due::ClosingQuote: d.help = "close the quotes on the same line"; return;
    case Due::Class:
    case Due::Number:
    case Due::Range:
    case Due::Share:
    case Due::Node:
    case Due::SettingName:
    case Due::Value:
    case Due::Fact: return;  // the message is enough
  }
}

}  // namespace memonline::syntax
