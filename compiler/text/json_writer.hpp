// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes JSON deterministically: the same calls give the same bytes. Two spaces per level, one
// member per line; `Layout::Line` keeps a short array or object on one line ("blocks": [40, 41]).
// Keys keep the order in which they are written; strings are UTF-8, invalid bytes become U+FFFD.
//
//   JsonWriter json;
//   json.begin_object().member("schema", "memonline.plan/1");
//   json.key("blocks").begin_array(Layout::Line).value(40U).value(41U).end_array();
//   std::string text = std::move(json.end_object()).finish();
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/strong.hpp"

namespace memonline::text {

enum class Layout : std::uint8_t {
  Lines,  ///< a line for each member
  Line,   ///< all on one line, and everything inside too
};

class JsonWriter {
 public:
  JsonWriter& begin_object(Layout layout = Layout::Lines);
  JsonWriter& end_object();
  JsonWriter& begin_array(Layout layout = Layout::Lines);
  JsonWriter& end_array();
  /// The name of the next value; only inside an object.
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(bool truth);
  template <std::unsigned_integral Number>
  requires(!std::same_as<Number, bool>) JsonWriter& value(Number number) {
    return unsigned_value(number);
  }
  template <std::signed_integral Number>
  JsonWriter& value(Number number) {
    return signed_value(number);
  }
  template <Strong Number>
  JsonWriter& value(Number number) {
    return unsigned_value(number.value());
  }
  JsonWriter& null();
  /// A value that a JsonWriter wrote before (finish()), moved to the present position.
  JsonWriter& embed(std::string_view document);
  /// The value, or null.
  template <class T>
  JsonWriter& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : null();
  }

  /// key(name).value(v)
  template <class T>
  JsonWriter& member(std::string_view name, const T& v) {
    key(name);
    return value(v);
  }

  /// The text, ending with a new line. Every object and array must have been ended.
  [[nodiscard]] std::string finish() &&;

 private:
  struct Level {
    bool one_line;
    bool empty;
  };
  JsonWriter& unsigned_value(std::uint64_t number);
  JsonWriter& signed_value(std::int64_t number);
  void before_value();
  void separate();
  void begin(char bracket, Layout layout);
  void end(char bracket);

  std::string text_;
  std::vector<Level> levels_;
  bool after_key_ = false;
};

/// `text` as a JSON string with its quotes.
std::string json_quoted(std::string_view text);

}  // namespace memonline::text
