// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/mistakes.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/syntax/characters.hpp"
#include "compiler/syntax/kernel_words.hpp"
#include "compiler/syntax/limit_notation.hpp"
#include "compiler/syntax/parse.hpp"
#include "compiler/syntax/remedies.hpp"
#include "compiler/syntax/selector_notation.hpp"
#include "compiler/syntax/share_notation.hpp"
#include "compiler/syntax/target_words.hpp"
#include "compiler/syntax/vocabulary.hpp"

namespace memonline::syntax {

using diag::Code;
using diag::Diagnostic;
using source::SourceSpan;

namespace {

/// Reports the parts that are written in another notation.
bool report_notation(const StatementText& statement, diag::Sink& sink) {
  if (statement.pieces.empty()) return false;
  if (statement.pieces.front().is("when") || statement.pieces.front().is("else")) return false;
  if (report_kernel_word(statement, sink) || report_limit_notation(statement, sink)) return true;
  if (statement.pieces.front().is("limit") || statement.pieces.front().is("set")) return false;
  // Both halves of a rule may be written so, and each has a fix-it of its own.
  const bool selector = report_selector_notation(statement, sink);
  const bool shares = report_share_notation(statement, sink);
  const bool second = report_second_rule(statement, sink);
  return selector || shares || second || report_swapped_rule(statement, sink);
}

}  // namespace

std::size_t report_stuck(const Stuck& stuck, std::size_t start, std::uint32_t file,
                         std::string_view text, diag::Sink& sink) {
  const std::size_t at = over_blanks(stuck.at, text);
  const StatementText statement(text, file, over_blanks(start, text));
  if (!starts_comment(at, text) && report_notation(statement, sink)) return statement.end;
  if (report_character(at, file, text, sink)) return stuck.at;
  const Place place{over_blanks(start, text), at, end_before(at, text), file, text};
  if (stuck.due == Due::Colon &&
      (report_unknown_statement(place, sink) || report_missing_colon(place, sink)))
    return stuck.at;
  if (stuck.due == Due::EndOfStatement && in_rule(place) && report_unknown_word(place, sink))
    return stuck.at;
  const SourceSpan found = found_at(at, file, text);
  const Due due = at == place.start ? Due::Statement : stuck.due;
  Diagnostic& d =
      sink.add(Code::Expected, found,
               fmt::format("expected {}, found {}", due_text(due), found_words(found, text)));
  add_remedy(due, place, found, d);
  return stuck.at;
}

namespace {

/// `address 4G-8G`
bool has_sizes(const ast::Class& one) {
  return same_word(one.name.text, "address") && one.ranges.size() == 1 && one.ranges.front().last &&
         one.ranges.front().last.text.find_first_of("KMGTkmgt") != std::string_view::npos;
}

}  // namespace

bool report_notation(const ast::Rule& rule, std::string_view text, diag::Sink& sink) {
  const auto is_odd = [](const ast::Class& one) {
    return !is_class_word(one.name.text) || has_sizes(one);
  };
  const auto& selector = rule.selector;
  const bool odd = std::any_of(selector.classes.begin(), selector.classes.end(), is_odd) ||
                   std::any_of(selector.exceptions.begin(), selector.exceptions.end(), is_odd) ||
                   std::any_of(rule.shares.begin(), rule.shares.end(), [](const ast::Share& share) {
                     return (share.target && !starts_share(share.target.text)) ||
                            (share.amount.unit && unit_of(share.amount.unit.text).empty() &&
                             share.amount.unit.text != "%");
                   });
  const SourceSpan span = span_of(rule.selector);
  return odd && report_notation(StatementText(text, span.file, span.begin), sink);
}

bool report_notation(const ast::Limit& limit, std::string_view text, diag::Sink& sink) {
  const SourceSpan span = limit.keyword.span;
  return report_limit_notation(StatementText(text, span.file, span.begin), sink);
}

bool report_notation(const ast::Setting& setting, std::string_view text, diag::Sink& sink) {
  const SourceSpan span = setting.keyword.span;
  return is_kernel_word(setting.name.text) &&
         report_kernel_word(StatementText(text, span.file, span.begin), sink);
}

void report_file_too_large(std::uint32_t file, std::size_t size, diag::Sink& sink) {
  sink.add(Code::FileTooLarge, point(file, 0),
           fmt::format("the file has {} bytes: the limit is {}", size, kMaxFileSize))
      .help = "split the policy into several files";
}

void report_nesting(SourceSpan at, diag::Sink& sink) {
  sink.add(Code::NestingTooDeep, at, fmt::format("`when` nests deeper than {} levels", kMaxNesting))
      .help = "use `else when`, or split the policy into several files";
}

void report_branches(SourceSpan at, diag::Sink& sink) {
  sink.add(Code::NestingTooDeep, at,
           fmt::format("more than {} branches in one chain of `else`", kMaxBranches))
      .help = "name several values in one `when`, or use patterns such as `PowerEdge*`";
}

void report_unclosed(const ast::Branch& branch, diag::Sink& sink) {
  sink.add(Code::UnclosedBrace, branch.open.span, "this `{` is never closed").help =
      "write `}` after its last statement";
}

void report_stray_brace(SourceSpan at, diag::Sink& sink) {
  Diagnostic& d = sink.add(Code::StrayBrace, at, "no open `{` for this `}`");
  d.help = "remove it, or add the missing `{` above";
  fix(d, at, "");
}

void report_stray_else(const ast::Word& word, diag::Sink& sink) {
  sink.add(Code::StrayElse, word.span, "`else` without a `when` before it").help =
      "write `else` directly after the `}` of its `when`";
}

bool check_complete(const ast::Rule& rule, std::string_view text, diag::Sink& sink) {
  const std::uint32_t file = span_of(rule.selector).file;
  const auto expected = [&](std::string_view what, std::size_t at) -> Diagnostic& {
    const SourceSpan found = found_at(over_blanks(at, text), file, text);
    return sink.add(Code::Expected, found,
                    fmt::format("expected {}, found {}", what, found_words(found, text)));
  };
  if (rule.selector.except && rule.selector.exceptions.empty()) {
    expected(due_text(Due::Class), rule.selector.except.span.end);
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
          .help = fmt::format("write for example `{}% {}`", share.amount.number.text, meant);
      return false;
    }
    if (!share.places.empty()) cursor = share.places.back().span.end;
    if (share.amount.number) cursor = span_of(share.amount).end;
    expected(due_text(Due::Target), cursor).help = name_a_target();
    return false;
  }
  return true;
}

}  // namespace memonline::syntax
