// SPDX-License-Identifier: LGPL-2.1-or-later
// Texts about dax devices: what is behind blocks, which tier they are in, and what turns one that
// is not system RAM into it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "compiler/model/host.hpp"

namespace memonline::model {

/// Whether it is a name as the kernel gives them: "dax0.0" (drivers/dax/bus.c).
bool is_dax_name(std::string_view name);
/// The number of "dimm1": of the ACPI device PNP0C80:01.
std::optional<std::uint32_t> dimm_number(std::string_view name);
/// The dax device of this name, or nullptr.
const DaxDevice* find_dax(const Host& host, std::string_view name);
/// The dax device that has this block, or will have it as system RAM, or nullptr.
const DaxDevice* dax_with(const Host& host, BlockId block);
/// Why the device cannot be bound to kmem now, and what would change that. Nothing: it can
/// (dev_dax_kmem_probe(), drivers/dax/kmem.c, 5.1+), or it is system RAM.
struct NotBindable {
  std::string why;   ///< "its driver is device_dax, and a program may use /dev/dax0.0"
  std::string help;  ///< an instruction
};
std::optional<NotBindable> not_bindable(const Host& host, const DaxDevice& device);
/// Whether a block of these ranges is in the set.
bool touches(const BlockSet& blocks, const std::vector<BlockRange>& ranges);
/// The same blocks, with all others of the devices that are not system RAM: a device is bound as a
/// whole or not at all.
BlockSet with_whole_devices(const Host& host, const BlockSet& blocks);
/// Memory that has no blocks until it is configured or bound: what others may have taken away.
BlockSet without_blocks(const Host& host);
/// Blocks of devices that kmem can make system RAM.
BlockSet bindable_blocks(const Host& host);
/// The tier that lists the node; empty: none.
std::string_view tier_of(const Host& host, NodeId node);
/// "512 MiB, region0, mem0, memory_tier22": what is behind the device, without its name.
std::string dax_summary(const Host& host, const DaxDevice& device);
/// A sentence with the rule or command that adds its blocks, or nothing: its blocks are there, or
/// its driver does not show.
std::optional<std::string> not_system_ram(const Host& host, const DaxDevice& device);

}  // namespace memonline::model
