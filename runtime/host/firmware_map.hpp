// SPDX-License-Identifier: LGPL-2.1-or-later
// Boot memory by the firmware's map in /sys/firmware/memmap.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/host/address.hpp"
#include "runtime/host/blocks.hpp"
#include "runtime/host/notes.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::runtime {

/// An entry of /sys/firmware/memmap, in the order of its number.
struct FirmwareRange {
  AddressRange range;
  bool ram = false;
};
std::vector<FirmwareRange> read_memmap(const Tree& tree, Notes& notes);

struct BootRanges {
  std::vector<AddressRange> boot;     ///< present at boot; ascending
  std::vector<AddressRange> unclear;  ///< present at boot or hot-added: unknown which
};
/// The RAM that was present at boot. The kernel appends an entry for hot-added memory too
/// (firmware_map_add_hotplug, since 2.6.34), recognized by its place: before the firmware's own
/// entries where ACPI adds it while the kernel initializes, after them later; the firmware's own
/// ascend and neighbors of one type are merged. What one ACPI device that was not there at boot
/// covers is hot-added, too, unless boot memory has devices as well (servers whose memory can be
/// removed): then an entry at the end, in order and apart from the others, may be either.
BootRanges boot_ranges(const std::vector<FirmwareRange>& all, std::uint64_t block_size,
                       const std::vector<Block>& blocks);

}  // namespace memonline::runtime
