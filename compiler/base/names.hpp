// SPDX-License-Identifier: LGPL-2.1-or-later
// The names of an enum's values: one table for both directions.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

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

}  // namespace memonline
