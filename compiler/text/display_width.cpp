// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/text/display_width.hpp"

#include <algorithm>
#include <array>

namespace memonline::text {

namespace {

struct Interval {
  std::uint32_t first;
  std::uint32_t last;
};

/// The blocks that matter in comments and product names, not all of Unicode: a mark one column
/// off in a rare script is harmless.
constexpr std::array<Interval, 8> kZero{{{0x0300, 0x036F},
                                         {0x0483, 0x0489},
                                         {0x0591, 0x05BD},
                                         {0x200B, 0x200D},
                                         {0x20D0, 0x20FF},
                                         {0xFE00, 0xFE0F},
                                         {0xFE20, 0xFE2F},
                                         {0xFEFF, 0xFEFF}}};
constexpr std::array<Interval, 9> kWide{{{0x1100, 0x115F},
                                         {0x2E80, 0x303E},
                                         {0x3041, 0xA4CF},
                                         {0xAC00, 0xD7A3},
                                         {0xF900, 0xFAFF},
                                         {0xFE30, 0xFE6F},
                                         {0xFF00, 0xFF60},
                                         {0x1F300, 0x1FAFF},
                                         {0x20000, 0x3FFFD}}};
constexpr std::array<Interval, 4> kUnprintable{
    {{0x0080, 0x009F}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069}}};

template <std::size_t size>
bool contains(const std::array<Interval, size>& table, std::uint32_t point) {
  return std::any_of(table.begin(), table.end(), [&](const Interval& interval) {
    return point >= interval.first && point <= interval.last;
  });
}

}  // namespace

std::uint32_t code_point(std::string_view character) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(character[i]));
  };
  if (character.size() == 1) return byte(0);
  std::uint32_t value = byte(0) & (0xFFU >> (character.size() + 1));
  for (std::size_t i = 1; i < character.size(); ++i) value = (value << 6U) | (byte(i) & 0x3FU);
  return value;
}

std::size_t display_width(std::string_view character) {
  const std::uint32_t point = code_point(character);
  if (point < 0x300) return 1;
  if (contains(kZero, point)) return 0;
  return contains(kWide, point) ? 2 : 1;
}

bool is_unprintable(std::string_view character) {
  return character.size() > 1 && contains(kUnprintable, code_point(character));
}

}  // namespace memonline::text
