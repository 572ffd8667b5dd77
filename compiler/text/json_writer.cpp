// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/text/json_writer.hpp"

#include <utility>

#include <fmt/format.h>

#include "compiler/text/utf8.hpp"

namespace memonline::text {

namespace {

void append_escaped(std::string& out, unsigned char c) {
  switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\b': out += "\\b"; break;
    case '\f': out += "\\f"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default:
      if (c < 0x20 || c == 0x7F)
        out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
      else
        out += static_cast<char>(c);
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0) {
      out += kReplacement;
      ++at;
    } else if (length == 1) {
      append_escaped(out, static_cast<unsigned char>(text[at++]));
    } else {
      out += text.substr(at, length);
      at += length;
    }
  }
  out += '"';
}

}  // namespace

std::string json_quoted(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

void JsonWriter::separate() {
  if (levels_.empty()) return;
  Level& level = levels_.back();
  if (!level.empty) text_ += level.one_line ? ", " : ",";
  if (!level.one_line) text_.append(1, '\n').append(2 * levels_.size(), ' ');
  level.empty = false;
}

void JsonWriter::before_value() {
  if (!std::exchange(after_key_, false)) separate();
}

void JsonWriter::begin(char bracket, Layout layout) {
  before_value();
  const bool inside_a_line = !levels_.empty() && levels_.back().one_line;
  levels_.push_back({inside_a_line || layout == Layout::Line, true});
  text_ += bracket;
}

void JsonWriter::end(char bracket) {
  const Level level = levels_.back();
  levels_.pop_back();
  if (!level.empty && !level.one_line) text_.append(1, '\n').append(2 * levels_.size(), ' ');
  text_ += bracket;
}

JsonWriter& JsonWriter::begin_object(Layout layout) {
  begin('{', layout);
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  end('}');
  return *this;
}

JsonWriter& JsonWriter::begin_array(Layout layout) {
  begin('[', layout);
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  end(']');
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_quoted(text_, name);
  text_ += ": ";
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  before_value();
  append_quoted(text_, text);
  return *this;
}

JsonWriter& JsonWriter::value(bool truth) {
  before_value();
  text_ += truth ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::unsigned_value(std::uint64_t number) {
  before_value();
  text_ += fmt::format_int(number).str();
  return *this;
}

JsonWriter& JsonWriter::signed_value(std::int64_t number) {
  before_value();
  text_ += fmt::format_int(number).str();
  return *this;
}

JsonWriter& JsonWriter::null() {
  before_value();
  text_ += "null";
  return *this;
}

JsonWriter& JsonWriter::embed(std::string_view document) {
  before_value();
  while (!document.empty() && document.back() == '\n') document.remove_suffix(1);
  for (const char c : document) {  // no string in it has a raw line end
    text_ += c;
    if (c == '\n') text_.append(2 * levels_.size(), ' ');
  }
  return *this;
}

std::string JsonWriter::finish() && {
  text_ += '\n';
  return std::move(text_);
}

}  // namespace memonline::text
