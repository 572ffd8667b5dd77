// SPDX-License-Identifier: LGPL-2.1-or-later
// Zones as the kernel names and orders them (include/linux/mmzone.h, enum zone_type), and what a
// block's `valid_zones` file said (drivers/base/memory.c, valid_zones_show).
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace memonline::model {

enum class Zone : std::uint8_t { Dma, Dma32, Normal, HighMem, Movable, Device };
inline constexpr std::size_t kZoneCount = 6;

/// "DMA", "DMA32", "Normal", "HighMem", "Movable", "Device".
std::string_view zone_name(Zone zone);
std::optional<Zone> zone_named(std::string_view name);
/// A zone below Movable: what policies call `normal`.
constexpr bool is_kernel_zone(Zone zone) { return zone < Zone::Movable; }

/// The content of `valid_zones`.
class ValidZones {
 public:
  enum class Kind : std::uint8_t {
    Unknown,  ///< no such file (3.10), unreadable, or not provided by the source
    Empty,    ///< an empty line (4.13)
    None,     ///< "none": the block spans zones or nodes
    Listed,   ///< one to four names, in the kernel's order
  };
  constexpr ValidZones() = default;
  constexpr explicit ValidZones(Kind kind) : kind_(kind) {}
  constexpr ValidZones(std::initializer_list<Zone> zones) : kind_(Kind::Listed) {
    for (Zone z : zones) push_back(z);
  }
  constexpr void push_back(Zone zone) {
    kind_ = Kind::Listed;
    if (count_ < zones_.size()) zones_[count_++] = zone;
  }
  [[nodiscard]] constexpr Kind kind() const { return kind_; }
  [[nodiscard]] constexpr std::size_t size() const { return count_; }
  [[nodiscard]] constexpr Zone operator[](std::size_t i) const { return zones_[i]; }
  [[nodiscard]] constexpr const Zone* begin() const { return zones_.data(); }
  [[nodiscard]] constexpr const Zone* end() const { return zones_.data() + count_; }
  [[nodiscard]] constexpr bool contains(Zone zone) const {
    for (Zone z : *this)
      if (z == zone) return true;
    return false;
  }
  friend constexpr bool operator==(const ValidZones&, const ValidZones&) = default;

 private:
  Kind kind_ = Kind::Unknown;
  std::uint8_t count_ = 0;
  std::array<Zone, 4> zones_{};
};

}  // namespace memonline::model
