// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/model/units.hpp"

#include <array>

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

}  // namespace memonline::model
