// SPDX-License-Identifier: LGPL-2.1-or-later
// Which device each block came with, and so whether it is boot memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/host/address.hpp"
#include "runtime/host/blocks.hpp"

namespace memonline::runtime {

/// Fills host.devices, host.blocks, host.boot_memory and host.early_memory from the blocks, their
/// links, /proc/iomem and /sys/firmware/memmap.
void assign_devices(const Tree& tree, Blocks& blocks, Notes& notes, model::Host& host);

struct DriverRange {
  AddressRange range;
  std::string device;  ///< the resource above: "virtio0"; empty: none
  std::string driver;  ///< "virtio_mem"
};

struct IoMemory {
  bool readable = false;  ///< it had contents: addresses, not the zeros that others than root get
  std::vector<DriverRange> drivers;    ///< ascending
  std::vector<AddressRange> ram;       ///< all System RAM, ascending; each was added at once
  std::optional<AddressRange> kernel;  ///< its image: "Kernel code" to "Kernel bss"
};
IoMemory parse_iomem(std::string_view text);

/// An entry of /sys/firmware/memmap, in the order of its number.
struct FirmwareRange {
  AddressRange range;
  bool ram = false;
};
/// The RAM that was there at boot. The kernel appends an entry for hot-added memory too
/// (firmware_map_add_hotplug, since 2.6.34), told by its place: before the firmware's own entries
/// where ACPI adds it while the kernel initialises, after them later; the firmware's own ascend and
/// neighbours of one type are merged. What one ACPI device that was not there at boot covers is
/// hot-added, too.
std::vector<AddressRange> boot_ranges(const std::vector<FirmwareRange>& all,
                                      std::uint64_t block_size, const std::vector<Block>& blocks);

}  // namespace memonline::runtime
