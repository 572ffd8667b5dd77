// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/mistakes.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "compiler/base/similar.hpp"
#include "compiler/diag/display_width.hpp"
#include "compiler/render/json_writer.hpp"
#include "compiler/syntax/parse.hpp"
#include "compiler/syntax/target_words.hpp"

namespace memonline::syntax {

namespace {

using diag::Code;
using diag::Diagnostic;
using source::SourceSpan;

/// The word or character at `at`, as far as a mark should reach; empty at the end of a line.
SourceSpan found_at(std::size_t at, std::uint32_t file, std::string_view text) {
  std::size_t end = at;
  while (end < text.size() && (is_word_byte(text[end]) || text[end] == '.' || text[end] == '%'))
    ++end;
  const bool in_line = at < text.size() && text[at] != '\n' && text[at] != '\r' && text[at] != '#';
  if (end == at && in_line) end += std::max<std::size_t>(1, render::utf8_length(text, at));
  return {file, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(end)};
}

std::string found_words(const SourceSpan& span, std::string_view text) {
  if (span.end > span.begin)
    return fmt::format("`{}`", text.substr(span.begin, span.end - span.begin));
  return span.begin >= text.size() ? "the end of the text" : "the end of the line";
}

void fix(Diagnostic& diagnostic, const SourceSpan& span, std::string replacement) {
  diagnostic.fixit = diag::FixIt{span, std::move(replacement)};
}

SourceSpan point(std::uint32_t file, std::size_t at) {
  return {file, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at)};
}

/// What word processors and web pages make of plain characters.
struct Lookalike {
  std::uint32_t code_point;
  std::string_view plain;
};
constexpr std::array<Lookalike, 10> kLookalikes{{{0x00A0, " "},
                                                 {0x202F, " "},
                                                 {0x200B, ""},
                                                 {0xFEFF, ""},
                                                 {0x2010, "-"},
                                                 {0x2011, "-"},
                                                 {0x2013, "-"},
                                                 {0x2212, "-"},
                                                 {0x201C, "\""},
                                                 {0x201D, "\""}}};

/// A comment as other languages write it.
bool report_comment(std::size_t at, std::uint32_t file, std::string_view text, diag::Sink& sink) {
  const std::string_view start = text.substr(std::min(at, text.size()), 2);
  if (start != "//" && start != "/*" && start != "--") return false;
  const SourceSpan span{file, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + 2)};
  Diagnostic& d =
      sink.add(Code::StrayCharacter, span, fmt::format("`{}` starts no comment", start));
  d.help = "comments start with `#` and end with their line";
  if (start != "/*") fix(d, span, "#");
  return true;
}

/// A byte that may stand only in comments and quotes: control characters and all beyond ASCII.
bool report_character(std::size_t at, std::uint32_t file, std::string_view text, diag::Sink& sink) {
  if (at >= text.size()) return false;
  const auto byte = static_cast<unsigned char>(text[at]);
  const bool line_end = byte == '\n' || (byte == '\r' && text.substr(at, 2) == "\r\n");
  if ((byte >= 0x20 && byte < 0x7F) || line_end || byte == '\t') return false;
  const std::size_t length = render::utf8_length(text, at);
  const SourceSpan span{file, static_cast<std::uint32_t>(at),
                        static_cast<std::uint32_t>(at + std::max<std::size_t>(1, length))};
  if (length == 0) {
    sink.add(Code::InvalidUtf8, span, fmt::format("the byte 0x{:02x} is no UTF-8", byte)).help =
        "save the file as UTF-8";
    return true;
  }
  const std::uint32_t point = diag::code_point(text.substr(at, length));
  if (length == 1) {
    Diagnostic& d =
        sink.add(Code::StrayCharacter, span, fmt::format("control character U+{:04X}", point));
    const bool line_end_of_old = byte == '\r';
    d.help = line_end_of_old ? "end lines with LF, or with CR and LF" : "remove it";
    fix(d, span, line_end_of_old ? "\n" : " ");
    return true;
  }
  Diagnostic& d = sink.add(
      Code::StrayCharacter, span,
      fmt::format("`{}` (U+{:04X}) outside comments and quotes", text.substr(at, length), point));
  const auto* const like =
      std::find_if(kLookalikes.begin(), kLookalikes.end(),
                   [&](const Lookalike& entry) { return entry.code_point == point; });
  if (like == kLookalikes.end()) return true;
  d.help = like->plain.empty() ? "remove it" : fmt::format("write `{}`", like->plain);
  fix(d, span, std::string(like->plain));
  return true;
}

constexpr std::string_view kNameATarget = "name `movable`, `normal`, `auto`, `offline` or `keep`";

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view w) { return same_word(word, w); });
}
bool starts_share(std::string_view word) {
  return is_one_of(word, {"movable", "normal", "auto", "offline", "keep", "first", "last", "rest"});
}
bool is_setting(std::string_view word) {
  return is_one_of(word, {"rezone", "hotplug", "memmap-on-memory", "boot-parameters"});
}

std::size_t over_blanks(std::size_t at, std::string_view text) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  return at;
}
/// Just behind what stands before `at` on its line.
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

/// Where a statement could not be read on.
struct Place {
  std::size_t start;   ///< of the statement
  std::size_t at;      ///< what was found
  std::size_t before;  ///< the end of what was read
  std::uint32_t file;
  std::string_view text;
};

/// The word before what was found.
std::string_view last_word(const Place& place) {
  std::size_t begin = place.before;
  while (begin > place.start && is_word_byte(place.text[begin - 1])) --begin;
  return place.text.substr(begin, place.before - begin);
}

/// "limt movable to 3x normal", "rezone = allowed": read as a rule for want of a better guess.
bool report_unknown_statement(const Place& place, diag::Sink& sink) {
  const std::string_view word = word_at(place.start, place.text);
  const SourceSpan span{place.file, static_cast<std::uint32_t>(place.start),
                        static_cast<std::uint32_t>(place.start + word.size())};
  if (is_setting(word) && place.at < place.text.size() && place.text[place.at] == '=') {
    Diagnostic& d = sink.add(Code::UnknownStatement, span,
                             fmt::format("`{}` is a setting; settings start with `set`", word));
    d.help = fmt::format("write `set {}`", word);
    fix(d, point(place.file, place.start), "set ");
    return true;
  }
  if (starts_share(word)) {
    sink.add(Code::UnknownStatement, span,
             fmt::format("`{}` starts a share, and there is no memory before it", word))
        .help = "the shares of a rule stand on one line, separated by `,`";
    return true;
  }
  const std::string_view near = is_one_of(word, {"elif", "elsif", "elseif"}) ? "else when"
                                : same_word(word, "if")
                                    ? "when"
                                    : most_similar(word, {"limit", "when", "set"});
  if (near.empty()) return false;
  Diagnostic& d =
      sink.add(Code::UnknownStatement, span, fmt::format("no statement starts with `{}`", word));
  d.help = fmt::format("replace `{}` with `{}`", word, near);
  fix(d, span, std::string(near));
  return true;
}

/// `boot movable`, `node2 last 50% movable`: the selector ran into the share. Where the share
/// seems to start, or nothing.
std::optional<std::size_t> find_share(const Place& place) {
  for (std::size_t at = place.start; at < place.before;) {
    const std::string_view word = word_at(at, place.text);
    if (at > place.start && starts_share(word)) return at;
    at += std::max<std::size_t>(1, word.size());
  }
  const char next = place.at < place.text.size() ? place.text[place.at] : '\n';
  return next >= '0' && next <= '9' ? std::optional(place.at) : std::nullopt;
}

bool report_missing_colon(const Place& place, diag::Sink& sink) {
  const auto share = find_share(place);
  if (!share) return false;
  const SourceSpan found = found_at(*share, place.file, place.text);
  Diagnostic& d = sink.add(Code::Expected, found,
                           fmt::format("expected `:` before {}", found_words(found, place.text)));
  d.help = "write `:` between the memory and what becomes of it";
  fix(d, point(place.file, end_before(*share, place.text)), ":");
  return true;
}

void add_remedy(std::string_view expected, const Place& place, const SourceSpan& found,
                Diagnostic& d) {
  const std::string_view there = place.text.substr(found.begin, found.end - found.begin);
  const auto insert = [&](std::string_view what, std::string_view inserted) {
    d.help = fmt::format("write `{}` here", what);
    fix(d, point(place.file, place.at), std::string(inserted));
  };
  const auto replace = [&](std::string_view by) {
    d.help = fmt::format("replace `{}` with `{}`", there, by);
    fix(d, found, std::string(by));
  };
  if (expected == "`:`") {
    if (there == "=")
      replace(":");
    else if (same_word(there, "except"))
      d.help = "a rule has one `except`; the classes behind it intersect, too";
    else
      d.help = "a rule names memory, then `:`, then what becomes of it: `node1: movable`";
  } else if (expected == kEndOfStatement) {
    const std::string_view first = word_at(place.start, place.text);
    const bool is_rule = !is_one_of(first, {"limit", "set"});
    const bool number = !there.empty() && there[0] >= '0' && there[0] <= '9';
    const bool share = number || starts_share(word_at(place.at, place.text));
    const std::string_view last = last_word(place);
    const bool amount_ends_line =
        number && ends_statement(over_blanks(found.end, place.text), place.text);
    if (is_rule && share && same_word(last, "rest")) {
      d.help = "`rest` takes no amount";
    } else if (is_rule && share && is_one_of(last, {"first", "last"})) {
      d.help = fmt::format("`{}` stands before the amount", last);
    } else if (is_rule && amount_ends_line) {
      d.help = "the amount stands before the target";
    } else if (is_rule && same_word(there, "and")) {
      replace(",");
      d.help = "separate shares by `,`";
    } else if (is_rule && share) {
      d.help = "separate shares by `,`";
      fix(d, point(place.file, place.before), ",");
    } else {
      d.help = "a statement ends with its line, or with `;`";
    }
  } else if (expected == kTarget) {
    d.help = kNameATarget;
  } else if (expected == "`=`") {
    if (there == ":")
      replace("=");
    else if (!there.empty() && is_word_byte(there[0]))
      insert("=", "= ");
  } else if (expected == "`to`") {
    if (!there.empty() && there[0] >= '0' && there[0] <= '9') insert("to", "to ");
  } else if (expected == "`is`, `is not`, `<`, `<=`, `>` or `>=`") {
    if (is_one_of(there, {"in", "equals", "eq", "like", "matches"}))
      replace("is");
    else if (is_one_of(there, {"isnt", "ne", "not"}))
      replace("is not");
    else if (same_word(there, "contains"))
      d.help = "write `is` and a pattern, for instance `is \"*Cloud*\"`";
    else if (!there.empty() && (is_word_byte(there[0]) || there[0] == '"'))
      insert("is", "is ");
  } else if (expected == "`{`") {
    d.help = "the statements of a `when` stand in braces: `when arch is s390x { all: keep }`";
  } else if (expected == "`{` or `when`") {
    if (same_word(there, "if")) replace("when");
  } else if (expected == "a closing `\"`") {
    d.help = "texts in quotes end on their line";
  }
}

}  // namespace

void report_stuck(const Stuck& stuck, std::size_t start, std::uint32_t file, std::string_view text,
                  diag::Sink& sink) {
  const std::size_t at = over_blanks(stuck.at, text);
  if (report_character(at, file, text, sink) || report_comment(at, file, text, sink)) return;
  const Place place{over_blanks(start, text), at, end_before(at, text), file, text};
  if (stuck.expected == "`:`" &&
      (report_unknown_statement(place, sink) || report_missing_colon(place, sink)))
    return;
  const SourceSpan found = found_at(at, file, text);
  const bool at_start = at == place.start;
  Diagnostic& d =
      sink.add(Code::Expected, found,
               fmt::format("expected {}, found {}",
                           at_start ? "a rule, `limit`, `set` or `when`" : stuck.expected,
                           found_words(found, text)));
  if (!at_start) add_remedy(stuck.expected, place, found, d);
}

void report_file_too_large(std::uint32_t file, std::size_t size, diag::Sink& sink) {
  sink.add(Code::FileTooLarge, point(file, 0),
           fmt::format("the file has {} bytes; a policy may have {}", size, kMaxFileSize))
      .help = "split the policy into several files";
}

void report_nesting(SourceSpan at, diag::Sink& sink) {
  sink.add(Code::NestingTooDeep, at, fmt::format("`when` nests deeper than {} levels", kMaxNesting))
      .help = "use `else when`, or split the policy into several files";
}

void report_branches(SourceSpan at, diag::Sink& sink) {
  sink.add(Code::NestingTooDeep, at,
           fmt::format("more than {} branches hang together by `else`", kMaxBranches))
      .help = "name several values in one `when`, or use patterns such as `PowerEdge*`";
}

void report_unclosed(const ast::Branch& branch, diag::Sink& sink) {
  sink.add(Code::UnclosedBrace, branch.open.span, "this `{` is never closed").help =
      "write `}` after its last statement";
}

void report_stray_brace(SourceSpan at, diag::Sink& sink) {
  Diagnostic& d = sink.add(Code::StrayBrace, at, "this `}` closes nothing");
  d.help = "remove it, or look for a `{` that is missing above";
  fix(d, at, "");
}

void report_stray_else(const ast::Word& word, diag::Sink& sink) {
  sink.add(Code::StrayElse, word.span, "`else` without a `when` before it").help =
      "`else` follows the `}` of a `when`; nothing may stand between them";
}

bool check_complete(const ast::Rule& rule, std::string_view text, diag::Sink& sink) {
  const std::uint32_t file = span_of(rule.selector).file;
  const auto expected = [&](std::string_view what, std::size_t at) -> Diagnostic& {
    const SourceSpan found = found_at(over_blanks(at, text), file, text);
    return sink.add(Code::Expected, found,
                    fmt::format("expected {}, found {}", what, found_words(found, text)));
  };
  if (rule.selector.except && rule.selector.exceptions.empty()) {
    expected("a class of memory", rule.selector.except.span.end);
    return false;
  }
  std::size_t cursor = span_of(rule.selector).end;
  for (const ast::Share& share : rule.shares) {
    cursor = text.find_first_of(":,", cursor) + 1;
    if (share.target) {
      cursor = share.target.span.end;
      continue;
    }
    const ast::Word& unit = share.amount.unit;
    const std::string_view meant = unit && unit.text != "%" ? meant_target(unit.text) : "";
    if (!meant.empty()) {
      sink.add(Code::UnknownUnit, unit.span,
               fmt::format("`{}` is neither a unit nor a target", unit.text))
          .help = fmt::format("write for instance `{}% {}`", share.amount.number.text, meant);
      return false;
    }
    if (!share.places.empty()) cursor = share.places.back().span.end;
    if (share.amount.number) cursor = span_of(share.amount).end;
    expected(kTarget, cursor).help = kNameATarget;
    return false;
  }
  return true;
}

}  // namespace memonline::syntax
