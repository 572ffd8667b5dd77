// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/diag/render.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/text/display_width.hpp"
#include "compiler/text/json_writer.hpp"
#include "compiler/text/utf8.hpp"
#include "compiler/text/yaml_writer.hpp"

namespace memonline::diag {

namespace {

using source::SourceFile;
using source::SourceSet;
using source::SourceSpan;

constexpr std::size_t kGutter = 5;    // width of the line number
constexpr std::size_t kWidest = 100;  // columns of source that are shown
constexpr std::size_t kContext = 40;  // columns kept before the mark where a line is cut
constexpr std::size_t kTab = 8;
constexpr std::string_view kReset = "\x1b[0m";

std::string_view colour_of(Severity severity) {
  switch (severity) {
    case Severity::Error: return "\x1b[1;31m";
    case Severity::Warning: return "\x1b[1;33m";
    case Severity::Note: return "\x1b[1;36m";
  }
  return kReset;
}

std::string painted(std::string_view text, std::string_view colour, const RenderOptions& options) {
  return options.colour ? fmt::format("{}{}{}", colour, text, kReset) : std::string(text);
}

/// A piece of a source line as it is shown, and where its bytes went.
struct Shown {
  std::string text;
  std::size_t width = 0;       ///< columns
  std::size_t mark_begin = 0;  ///< columns
  std::size_t mark_end = 0;
};

/// `line` with tabs as blanks and unprintable bytes replaced; [begin, end) are bytes of the line.
Shown show(std::string_view line, std::size_t begin, std::size_t end) {
  Shown shown;
  for (std::size_t at = 0; at <= line.size();) {
    if (at <= begin) shown.mark_begin = shown.width;
    if (at <= end) shown.mark_end = shown.width;
    if (at == line.size()) break;
    const std::size_t length = text::utf8_length(line, at);
    const std::string_view bytes = line.substr(at, std::max<std::size_t>(1, length));
    const auto first = static_cast<unsigned char>(bytes.front());
    if (first == '\t') {
      const std::size_t blanks = kTab - shown.width % kTab;
      shown.text.append(blanks, ' ');
      shown.width += blanks;
    } else if (bytes == "\xEF\xBB\xBF") {
      // A byte order mark is not shown, at any position.
    } else if (length == 0 || first < 0x20 || first == 0x7F || text::is_unprintable(bytes)) {
      shown.text += "\xEF\xBF\xBD";
      ++shown.width;
    } else {
      shown.text += bytes;
      shown.width += text::display_width(bytes);
    }
    at += bytes.size();
  }
  return shown;
}

/// The bytes of `line` that fit around the mark; a line of ordinary length stays whole.
struct Window {
  std::size_t begin;
  std::size_t end;
};
Window window_of(std::string_view line, std::size_t mark) {
  if (line.size() <= kWidest) return {0, line.size()};
  const auto inside_character = [&](std::size_t at) {
    return at < line.size() && (static_cast<unsigned char>(line[at]) & 0xC0U) == 0x80U;
  };
  Window window{mark > kContext ? mark - kContext : 0, 0};
  while (window.begin > 0 && inside_character(window.begin)) --window.begin;
  window.end = std::min(line.size(), window.begin + kWidest);
  while (inside_character(window.end)) ++window.end;
  return window;
}

/// The source line and the marks below it.
void append_source(std::string& out, const SourceFile& file, const SourceSpan& span, char head,
                   std::string_view colour, const RenderOptions& options) {
  if (file.withheld()) return;
  const std::string_view line = file.line_at(span.begin);
  const std::size_t start = file.line_start(span.begin);
  const std::size_t begin = std::min<std::size_t>(span.begin - start, line.size());
  const std::size_t end = std::clamp<std::size_t>(span.end - start, begin, line.size());
  const Window window = window_of(line, begin);
  const Shown shown = show(line.substr(window.begin, window.end - window.begin),
                           begin - window.begin, std::min(end, window.end) - window.begin);
  const bool cut_front = window.begin > 0;
  const std::string_view front = cut_front ? "..." : "";
  const std::string_view back = window.end < line.size() ? "..." : "";
  const std::size_t last_shown = shown.text.find_last_not_of(' ');
  std::string text = shown.text;
  if (back.empty()) text.resize(last_shown == std::string::npos ? 0 : last_shown + 1);
  fmt::format_to(std::back_inserter(out), "{:>{}} |{}{}{}{}\n", file.place(span.begin).line,
                 kGutter, text.empty() && front.empty() ? "" : " ", front, text, back);
  const std::size_t width = std::max<std::size_t>(1, shown.mark_end - shown.mark_begin);
  std::string marks(width, '~');
  marks.front() = head;
  fmt::format_to(std::back_inserter(out), "{:>{}} | {}{}\n", "", kGutter,
                 std::string(front.size() + shown.mark_begin, ' '),
                 painted(marks, colour, options));
}

std::string place_text(const SourceFile& file, const SourceSpan& span) {
  const source::Place place = file.place(span.begin);
  return fmt::format("{}:{}:{}: ", text::valid_utf8(file.path()), place.line, place.column);
}

const SourceFile* file_of(const std::optional<SourceSpan>& span, const SourceSet& files) {
  return span && span->file < files.size() ? &files[span->file] : nullptr;
}

/// Text that goes to a terminal: no control characters, valid UTF-8.
std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = text::utf8_length(text, at);
    const std::string_view bytes = text.substr(at, std::max<std::size_t>(1, length));
    const auto first = static_cast<unsigned char>(bytes.front());
    if (length == 0 || (first < 0x20 && first != '\n') || first == 0x7F ||
        text::is_unprintable(bytes))
      out += "\xEF\xBF\xBD";
    else
      out += bytes;
    at += bytes.size();
  }
  return out;
}

/// Every field is always there: null, or an empty list, where there is nothing to say.
template <class Writer>
void write_place(Writer& json, const std::optional<SourceSpan>& span, const SourceSet& files) {
  const SourceFile* file = file_of(span, files);
  if (file == nullptr) {
    for (const char* name : {"path", "line", "column", "begin", "end"}) json.key(name).null();
    return;
  }
  const source::Place place = file->place(span->begin);
  json.member("path", file->path()).member("line", place.line).member("column", place.column);
  json.member("begin", span->begin).member("end", span->end);
}

template <class Writer>
void write(Writer& json, const Diagnostic& d, const SourceSet& files) {
  json.begin_object();
  json.member("code", name_of(d.code)).member("severity", severity_name(d.severity));
  json.member("message", d.message);
  write_place(json, d.span, files);
  json.key("labels").begin_array();
  for (const Label& label : d.labels) {
    json.begin_object().member("message", label.text);
    write_place(json, label.span, files);
    json.end_object();
  }
  json.end_array();
  json.key("notes").begin_array();
  for (const std::string& note : d.notes) json.value(note);
  json.end_array();
  json.member("help", d.help.empty() ? std::nullopt : std::optional(d.help));
  json.key("fixit");
  if (d.fixit) {
    json.begin_object(text::Layout::Line);
    json.member("begin", d.fixit->span.begin).member("end", d.fixit->span.end);
    json.member("replacement", d.fixit->replacement).end_object();
  } else {
    json.null();
  }
  json.end_object();
}

template <class Writer>
std::string document(const std::vector<Diagnostic>& diagnostics, const SourceSet& files) {
  Writer out;
  out.begin_object().member("schema", "memonline.diagnostics/1").key("diagnostics").begin_array();
  for (const Diagnostic& d : diagnostics) write(out, d, files);
  out.end_array().end_object();
  return std::move(out).finish();
}

}  // namespace

std::string to_text(const Diagnostic& d, const SourceSet& files, const RenderOptions& options) {
  std::string out;
  const auto head = fmt::format("{}[{}]:", severity_name(d.severity), name_of(d.code));
  const SourceFile* file = file_of(d.span, files);
  if (file != nullptr) out += place_text(*file, *d.span);
  out +=
      fmt::format("{} {}\n", painted(head, colour_of(d.severity), options), printable(d.message));
  if (file != nullptr) append_source(out, *file, *d.span, '^', colour_of(d.severity), options);
  const std::string note = painted("note:", colour_of(Severity::Note), options);
  for (const Label& label : d.labels) {
    const SourceFile* other = file_of(label.span, files);
    if (other != nullptr) out += place_text(*other, label.span);
    out += fmt::format("{} {}\n", note, printable(label.text));
    if (other != nullptr)
      append_source(out, *other, label.span, '~', colour_of(Severity::Note), options);
  }
  for (const std::string& text : d.notes) out += fmt::format("{} {}\n", note, printable(text));
  if (!d.help.empty())
    out += fmt::format("{} {}\n", painted("help:", "\x1b[1;32m", options), printable(d.help));
  return out;
}

std::string to_text(const std::vector<Diagnostic>& diagnostics, const SourceSet& files,
                    const RenderOptions& options) {
  std::string out;
  for (const Diagnostic& d : diagnostics) {
    if (!out.empty()) out += '\n';
    out += to_text(d, files, options);
  }
  return out;
}

std::string to_json(const std::vector<Diagnostic>& diagnostics, const SourceSet& files) {
  return document<text::JsonWriter>(diagnostics, files);
}

std::string to_yaml(const std::vector<Diagnostic>& diagnostics, const SourceSet& files) {
  return document<text::YamlWriter>(diagnostics, files);
}

}  // namespace memonline::diag
