// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/mistakes.hpp"

#include <fmt/format.h>

#include "compiler/syntax/characters.hpp"
#include "compiler/syntax/parse.hpp"
#include "compiler/syntax/remedies.hpp"
#include "compiler/syntax/target_words.hpp"

namespace memonline::syntax {

using diag::Code;
using diag::Diagnostic;
using source::SourceSpan;

void report_stuck(const Stuck& stuck, std::size_t start, std::uint32_t file, std::string_view text,
                  diag::Sink& sink) {
  const std::size_t at = over_blanks(stuck.at, text);
  if (report_character(at, file, text, sink)) return;
  const Place place{over_blanks(start, text), at, end_before(at, text), file, text};
  if (stuck.expected == "`:`" &&
      (report_unknown_statement(place, sink) || report_missing_colon(place, sink)))
    return;
  if (stuck.expected == kEndOfStatement && in_rule(place) && report_unknown_word(place, sink))
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
