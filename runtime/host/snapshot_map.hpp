// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the values of a snapshot; throws Wrong, with the line, for an unexpected one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "runtime/host/snapshot_words.hpp"
#include "runtime/host/text.hpp"

namespace memonline::runtime::snapshot {

inline constexpr std::uint64_t kMaxNumber = std::uint64_t{1} << 50U;

/// Thrown by these functions, and caught by read_snapshot().
struct Wrong {
  int line = 0;
  std::string message;
};

[[noreturn]] inline void wrong(const YAML::Node& at, std::string message) {
  throw Wrong{at.Mark().is_null() ? 0 : at.Mark().line + 1, std::move(message)};
}

inline std::string text_of(const YAML::Node& node) {
  if (!node.IsScalar()) wrong(node, "expected a string");
  return node.Scalar();
}

inline std::uint64_t number_of(const YAML::Node& node, std::uint64_t most = kMaxNumber) {
  const std::string text = text_of(node);
  const auto value = decimal(text);
  if (!value || *value > most) wrong(node, fmt::format("invalid number `{}`", ascii_only(text)));
  return *value;
}

inline bool truth_of(const YAML::Node& node) {
  const std::string text = text_of(node);
  if (text != "true" && text != "false")
    wrong(node, fmt::format("invalid value `{}`: expected true or false", ascii_only(text)));
  return text == "true";
}

template <class Table>
auto word_in(const Table& table, const YAML::Node& node) {
  const std::string text = text_of(node);
  const auto meaning = meaning_of(table, text);
  if (!meaning) wrong(node, fmt::format("unknown word `{}`", ascii_only(text)));
  return *meaning;
}

/// The value at a key, where the map has it.
class Map {
 public:
  explicit Map(const YAML::Node& node) : node_(node) {
    if (!node.IsMap()) wrong(node, "expected a map");
  }
  template <class Function>
  void with(const char* key, Function function) const {
    if (const YAML::Node value = node_[key]) function(value);
  }
  [[nodiscard]] YAML::Node need(const char* key) const {
    const YAML::Node value = node_[key];
    if (!value) wrong(node_, fmt::format("missing key `{}`", key));
    return value;
  }
  void text(const char* key, std::string& into) const {
    with(key, [&](const YAML::Node& value) { into = text_of(value); });
  }
  void text(const char* key, std::optional<std::string>& into) const {
    with(key, [&](const YAML::Node& value) { into = text_of(value); });
  }
  void truth(const char* key, std::optional<bool>& into) const {
    with(key, [&](const YAML::Node& value) { into = truth_of(value); });
  }

 private:
  const YAML::Node& node_;
};

/// Each element of a sequence at a key.
template <class Function>
void each(const Map& map, const char* key, Function function) {
  map.with(key, [&](const YAML::Node& list) {
    if (!list.IsSequence()) wrong(list, "expected a list");
    for (const YAML::Node& item : list) function(item);
  });
}

}  // namespace memonline::runtime::snapshot
