// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/characters.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "compiler/syntax/place.hpp"
#include "compiler/text/display_width.hpp"
#include "compiler/text/utf8.hpp"

namespace memonline::syntax {

namespace {

using diag::Code;
using diag::Diagnostic;
using source::SourceSpan;

/// Typographic replacements by word processors and web pages.
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
  if (!starts_comment(at, text)) return false;
  const std::string_view start = text.substr(at, 2);
  const SourceSpan span{file, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + 2)};
  Diagnostic& d =
      sink.add(Code::StrayCharacter, span, fmt::format("`{}` does not start a comment", start));
  d.help = "comments start with `#` and end at the end of the line";
  if (start != "/*") fix(d, span, "#");
  return true;
}

}  // namespace

bool starts_comment(std::size_t at, std::string_view text) {
  const std::string_view start = text.substr(std::min(at, text.size()), 2);
  return start == "//" || start == "/*" || start == "--";
}

bool report_character(std::size_t at, std::uint32_t file, std::string_view text, diag::Sink& sink) {
  if (at >= text.size()) return false;
  if (report_comment(at, file, text, sink)) return true;
  const auto byte = static_cast<unsigned char>(text[at]);
  const bool line_end = byte == '\n' || (byte == '\r' && text.substr(at, 2) == "\r\n");
  if ((byte >= 0x20 && byte < 0x7F) || line_end || byte == '\t') return false;
  const std::size_t length = text::utf8_length(text, at);
  const SourceSpan span{file, static_cast<std::uint32_t>(at),
                        static_cast<std::uint32_t>(at + std::max<std::size_t>(1, length))};
  if (length == 0) {
    sink.add(Code::InvalidUtf8, span, fmt::format("invalid UTF-8: byte 0x{:02x}", byte)).help =
        "save the file as UTF-8";
    return true;
  }
  const std::uint32_t point = text::code_point(text.substr(at, length));
  if (length == 1) {
    Diagnostic& d = sink.add(Code::StrayCharacter, span,
                             fmt::format("unexpected control character U+{:04X}", point));
    const bool line_end_of_old = byte == '\r';
    d.help = line_end_of_old ? "end lines with LF, or with CR and LF" : "remove it";
    fix(d, span, line_end_of_old ? "\n" : " ");
    return true;
  }
  Diagnostic& d = sink.add(Code::StrayCharacter, span,
                           fmt::format("`{}` (U+{:04X}) is not allowed outside comments and quotes",
                                       text.substr(at, length), point));
  const auto* const like =
      std::find_if(kLookalikes.begin(), kLookalikes.end(),
                   [&](const Lookalike& entry) { return entry.code_point == point; });
  if (like == kLookalikes.end()) return true;
  d.help = like->plain.empty() ? "remove it" : fmt::format("write `{}`", like->plain);
  fix(d, span, std::string(like->plain));
  return true;
}

}  // namespace memonline::syntax
