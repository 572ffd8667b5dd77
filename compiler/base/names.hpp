// SPDX-License-Identifier: LGPL-2.1-or-later
// The names of an enum's values: one table for both directions.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace memonline {

template <class Enum, std::size_t N>
using Names = std::array<std::pair<Enum, std::string_view>, N>;

/// Empty for a value that is not in the table.
template <class Enum, std::size_t N>
constexpr std::string_view name_in(const Names<Enum, N>& names, Enum value) {
  for (const auto& [one, name] : names)
    if (one == value) return name;
  return {};
}

template <class Enum, std::size_t N>
constexpr std::optional<Enum> value_in(const Names<Enum, N>& names, std::string_view name) {
  for (const auto& [value, one] : names)
    if (one == name) return value;
  return std::nullopt;
}

template <class Enum, std::size_t N>
std::vector<std::string_view> names_of(const Names<Enum, N>& names) {
  std::vector<std::string_view> all;
  all.reserve(N);
  for (const auto& [value, name] : names) all.push_back(name);
  return all;
}

/// Whether the table has each value up to `last` once, in order. A static_assert for each table: a
/// value without a name then stops the build.
template <class Enum, std::size_t N>
constexpr bool complete(const Names<Enum, N>& names, Enum last) {
  for (std::size_t i = 0; i < N; ++i)
    if (static_cast<std::size_t>(names[i].first) != i || names[i].second.empty()) return false;
  return N == static_cast<std::size_t>(last) + 1;
}

}  // namespace memonline
