// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/model/zone.hpp"

namespace memonline::model {

namespace {
constexpr std::array<std::string_view, kZoneCount> kNames{"DMA",     "DMA32",   "Normal",
                                                          "HighMem", "Movable", "Device"};
}

std::string_view zone_name(Zone zone) { return kNames[static_cast<std::size_t>(zone)]; }

std::optional<Zone> zone_named(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<Zone>(i);
  return std::nullopt;
}

}  // namespace memonline::model
