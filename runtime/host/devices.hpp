// SPDX-License-Identifier: LGPL-2.1-or-later
// The device of each block, and so whether it is boot memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/host/address.hpp"
#include "runtime/host/blocks.hpp"
#include "runtime/host/firmware_map.hpp"

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
  bool readable = false;  ///< it has addresses, not the zeros that users other than root get
  std::vector<DriverRange> drivers;  ///< ascending
  std::vector<AddressRange> ram;     ///< all System RAM, ascending; each was added at once
  std::vector<AddressRange> plain;   ///< of it, what no driver manages
  std::vector<AddressRange>
      set_apart;                       ///< RAM that arm64 does not map, for its firmware; ascending
  std::optional<AddressRange> kernel;  ///< its image: "Kernel code" to "Kernel bss"
};
IoMemory parse_iomem(std::string_view text);

}  // namespace memonline::runtime
