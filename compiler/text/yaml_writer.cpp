// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/text/yaml_writer.hpp"

#include <algorithm>
#include <array>

namespace memonline::text {

namespace {

// A word that YAML cannot mistake for a number, a truth value or syntax.
bool is_plain(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kReserved{"true", "false", "null", "yes", "no",
                                                             "on",   "off",   "y",    "n"};
  if (text.empty() || std::find(kReserved.begin(), kReserved.end(), text) != kReserved.end())
    return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!letter(text.front()) || text.size() < 2) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/';
  });
}

}  // namespace

void YamlWriter::before_value(bool collection) {
  if (levels_.empty()) return;
  Level& level = levels_.back();
  if (after_key_) {
    if (level.style == Style::Flow || !collection) text_ += ' ';
    after_key_ = false;
    return;
  }
  if (level.object) return;
  if (level.style == Style::Flow) {
    if (!level.empty) text_ += ", ";
  } else {
    if (!text_.empty() && text_.back() != '\n') text_ += '\n';
    text_.append(level.indent, ' ');
    text_ += "- ";
    after_dash_ = true;
  }
  level.empty = false;
}

YamlWriter& YamlWriter::scalar(std::string_view text) {
  before_value(false);
  after_dash_ = false;
  text_ += text;
  if (levels_.empty() || levels_.back().style == Style::Block) text_ += '\n';
  return *this;
}

YamlWriter& YamlWriter::value(std::string_view text) {
  return is_plain(text) ? scalar(text) : scalar(json_quoted(text));
}

YamlWriter& YamlWriter::key(std::string_view name) {
  return is_plain(name) ? write_key(name) : write_key(json_quoted(name));
}

YamlWriter& YamlWriter::write_key(std::string_view text) {
  Level& level = levels_.back();
  if (level.style == Style::Flow) {
    if (!level.empty) text_ += ", ";
  } else if (after_dash_) {
    after_dash_ = false;  // the first key of an object in a list follows its dash
  } else {
    if (!text_.empty() && text_.back() != '\n') text_ += '\n';
    text_.append(level.indent, ' ');
  }
  level.empty = false;
  text_ += text;
  text_ += ':';
  after_key_ = true;
  return *this;
}

YamlWriter& YamlWriter::comment(std::string_view text) {
  text_.append("  # ").append(text);
  return *this;
}

void YamlWriter::begin(bool object, Layout layout) {
  const bool inside_flow = !levels_.empty() && levels_.back().style == Style::Flow;
  const Style style = layout == Layout::Line || inside_flow ? Style::Flow : Style::Block;
  const std::size_t outer = levels_.empty() ? 0 : levels_.back().indent;
  before_value(style == Style::Block);
  if (style == Style::Flow) {
    after_dash_ = false;
    text_ += object ? '{' : '[';
  }
  const bool root = levels_.empty();
  // Members of an object behind a dash line up after it; a list in an object is indented by two.
  levels_.push_back({object, style, true, root ? 0 : outer + 2});
}

void YamlWriter::end(char bracket, std::string_view when_empty) {
  const Level level = levels_.back();
  levels_.pop_back();
  if (level.style == Style::Flow) {
    text_ += bracket;
    if (levels_.empty() || levels_.back().style == Style::Block) text_ += '\n';
    return;
  }
  if (!level.empty) return;
  if (!text_.empty() && text_.back() != ' ' && text_.back() != '\n') text_ += ' ';
  text_ += when_empty;
  text_ += '\n';
  after_dash_ = false;
}

YamlWriter& YamlWriter::begin_object(Layout layout) {
  begin(true, layout);
  return *this;
}
YamlWriter& YamlWriter::end_object() {
  end('}', "{}");
  return *this;
}
YamlWriter& YamlWriter::begin_array(Layout layout) {
  begin(false, layout);
  return *this;
}
YamlWriter& YamlWriter::end_array() {
  end(']', "[]");
  return *this;
}

std::string YamlWriter::finish() && {
  if (text_.empty() || text_.back() != '\n') text_ += '\n';
  return std::move(text_);
}

}  // namespace memonline::text
