// SPDX-License-Identifier: LGPL-2.1-or-later
// Which set of zone rules a kernel follows. Detected from what the kernel shows, never from
// uname: distributions backport the memory manager without changing the number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace memonline::model {

/// Mainline versions: A1 3.8..4.7, A2 4.8..4.9, A3 4.10..4.12, B 4.13, C1 4.14..5.4, C2 5.5..5.14,
/// D 5.15 and later.
enum class Era : std::uint8_t { A1, A2, A3, B, C1, C2, D };
std::string_view era_name(Era era);
std::optional<Era> era_named(std::string_view name);
constexpr bool is_era_a(Era era) { return era <= Era::A3; }

/// Presence of files that show the age of a memory manager; empty: unknown.
struct EraFacts {
  std::optional<bool> online_policy;       ///< memory_hotplug.online_policy exists: 5.15
  std::optional<bool> valid_zones;         ///< memoryN/valid_zones exists: 3.18, with hot remove
  std::optional<bool> auto_online_blocks;  ///< exists: 4.6
  std::optional<bool> foll_pin;            ///< vmstat nr_foll_pin_acquired: 5.7
  std::optional<bool> swap_ra;             ///< vmstat swap_ra: 4.14
  std::optional<bool> kreclaimable;        ///< meminfo KReclaimable: 4.20
  std::optional<bool> empty_zones_listed;  ///< zoneinfo lists unpopulated zones: 4.12
  std::optional<bool>
      memmap_pages;  ///< vmstat nr_memmap_pages: after 6.8, per-block memmap_on_memory
  friend bool operator==(const EraFacts&, const EraFacts&) = default;
};

}  // namespace memonline::model
