// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes YAML by the calls of JsonWriter, so that one description of a document gives both. Block
// style, two spaces a level, short lists in flow style, strings quoted as in JSON (which YAML 1.2
// reads) unless they are plain words.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/strong.hpp"
#include "compiler/text/json_writer.hpp"

namespace memonline::text {

class YamlWriter {
 public:
  YamlWriter& begin_object(Layout layout = Layout::Lines);
  YamlWriter& end_object();
  YamlWriter& begin_array(Layout layout = Layout::Lines);
  YamlWriter& end_array();
  YamlWriter& key(std::string_view name);
  YamlWriter& value(std::string_view text);
  YamlWriter& value(const char* text) { return value(std::string_view(text)); }
  YamlWriter& value(const std::string& text) { return value(std::string_view(text)); }
  YamlWriter& value(bool truth) { return scalar(truth ? "true" : "false"); }
  template <std::unsigned_integral Number>
  requires(!std::same_as<Number, bool>) YamlWriter& value(Number number) {
    return scalar(std::to_string(number));
  }
  template <Strong Number>
  YamlWriter& value(Number number) {
    return value(number.value());
  }
  YamlWriter& null() { return scalar("null"); }
  /// In double quotes, whatever the text is.
  YamlWriter& quoted_key(std::string_view name) { return write_key(json_quoted(name)); }
  YamlWriter& quoted(std::string_view text) { return scalar(json_quoted(text)); }
  /// As it is: a word that YAML takes for a text.
  YamlWriter& word(std::string_view text) { return scalar(text); }
  /// After a key whose value begins on the next line.
  YamlWriter& comment(std::string_view text);
  /// The value, or null.
  template <class T>
  YamlWriter& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : null();
  }
  template <class T>
  YamlWriter& member(std::string_view name, const T& v) {
    key(name);
    return value(v);
  }
  /// The text, ending with a new line.
  [[nodiscard]] std::string finish() &&;

 private:
  enum class Style : std::uint8_t { Block, Flow };
  struct Level {
    bool object;
    Style style;
    bool empty;
    std::size_t indent;  // of its members
  };
  YamlWriter& scalar(std::string_view text);
  YamlWriter& write_key(std::string_view text);
  void before_value(bool collection);
  void begin(bool object, Layout layout);
  void end(char bracket, std::string_view when_empty);

  std::string text_;
  std::vector<Level> levels_;
  bool after_key_ = false;
  bool after_dash_ = false;
};

}  // namespace memonline::text
