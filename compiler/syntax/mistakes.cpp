// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/mistakes.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

#include "compiler/base/similar.hpp"
#include "compiler/diag/display_width.hpp"
#include "compiler/render/json_writer.hpp"
#include "compiler/syntax/parse.hpp"

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
    d.help = "remove it";
    fix(d, span, " ");
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

}  // namespace

void report_stuck(const Stuck& stuck, std::size_t start, std::uint32_t file, std::string_view text,
                  diag::Sink& sink) {
  std::size_t at = stuck.at;
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  if (report_character(at, file, text, sink)) return;
  (void)start;
  const SourceSpan found = found_at(at, file, text);
  sink.add(Code::Expected, found,
           fmt::format("expected {}, found {}", stuck.expected, found_words(found, text)));
}

void report_file_too_large(std::uint32_t file, std::size_t size, diag::Sink& sink) {
  sink.add(Code::FileTooLarge, point(file, 0),
           fmt::format("the file has {} bytes; a policy may have {}", size, kMaxFileSize))
      .help = "split the policy into several files";
}

void report_too_many_errors(SourceSpan at, diag::Sink& sink) {
  sink.add(Code::TooManyErrors, at, "too many errors; the rest of the text was not looked at");
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

bool check_complete(const ast::Rule& rule, std::size_t end, std::string_view text,
                    diag::Sink& sink) {
  (void)end;
  (void)text;
  for (const ast::Share& share : rule.shares)
    if (!share.target) {
      sink.add(Code::Expected, span_of(rule.selector), "expected a target");
      return false;
    }
  return true;
}

bool check_complete(const ast::Limit&, std::size_t, std::string_view, diag::Sink&) { return true; }

bool check_complete(const ast::Setting&, std::size_t, std::string_view, diag::Sink&) {
  return true;
}

}  // namespace memonline::syntax
