// SPDX-License-Identifier: LGPL-2.1-or-later
// A YAML document as a plain tree in which every value knows its place. Built from yaml-cpp's
// events, with bounds: no anchors or aliases (so no document grows by referring to itself), no
// tags, no deep nesting, no more values than any package needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/base/result.hpp"

namespace memonline::policy {

struct YamlEntry;

struct YamlValue {
  enum class Kind : std::uint8_t { Null, Scalar, List, Map };
  Kind kind = Kind::Null;
  std::string text;                ///< of a scalar
  std::vector<YamlValue> items;    ///< of a list
  std::vector<YamlEntry> entries;  ///< of a map, in the order written
  std::uint32_t begin = 0;         ///< byte offset where it starts
  std::uint32_t end = 0;           ///< byte offset to underline up to

  [[nodiscard]] bool is_scalar() const { return kind == Kind::Scalar; }
  [[nodiscard]] bool is_list() const { return kind == Kind::List; }
  [[nodiscard]] bool is_map() const { return kind == Kind::Map; }
  /// The value of a key, or nullptr.
  [[nodiscard]] const YamlValue* find(std::string_view key) const;
};

/// Key and value.
struct YamlEntry {
  YamlValue first;
  YamlValue second;
};

struct YamlError {
  std::string message;
  std::uint32_t begin = 0;
  bool limit = false;  ///< well-formed, but beyond what a package may use
};

inline constexpr std::size_t kMaxYamlSize = std::size_t{1} << 20U;
inline constexpr std::size_t kMaxYamlDepth = 32;
inline constexpr std::size_t kMaxYamlValues = 100'000;

/// Reads the one document of `text` (UTF-8). An empty document is Null.
Result<YamlValue, YamlError> read_yaml(const std::string& text);

/// The same value as one line of YAML, every scalar quoted.
std::string to_flow_yaml(const YamlValue& value);

}  // namespace memonline::policy
