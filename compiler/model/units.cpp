// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/model/units.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace memonline::model {

std::string human(Bytes bytes) {
  static constexpr std::array<const char*, 6> kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::uint64_t whole = bytes.value();
  std::uint64_t rest = 0;
  std::size_t unit = 0;
  for (; whole >= 1024 && unit + 1 < kUnits.size(); ++unit) {
    rest = whole % 1024;
    whole /= 1024;
  }
  // One decimal, rounded half up, never "1024.0".
  const std::uint64_t tenths = whole * 10 + (rest * 10 + 512) / 1024;
  if (tenths % 10 == 0) return fmt::format("{} {}", tenths / 10, kUnits[unit]);
  return fmt::format("{}.{} {}", tenths / 10, tenths % 10, kUnits[unit]);
}

std::string exact(Bytes bytes) {
  static constexpr std::array<std::pair<const char*, unsigned>, 4> kUnits{
      {{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}}};
  for (const auto& [unit, shift] : kUnits) {
    const Bytes one(std::uint64_t{1} << shift);
    const std::uint64_t whole = bytes / one;
    const std::uint64_t rest = (bytes % one).value();
    // Quarters and eighths of a unit; what needs more digits is whole in a smaller one.
    const std::uint64_t eighths = rest >> (shift - 3);
    if (whole == 0 || eighths << (shift - 3) != rest) continue;
    std::string text = fmt::format("{}.{:03}", whole, eighths * 125);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text + unit;
  }
  return fmt::format("{}B", bytes);
}

}  // namespace memonline::model
