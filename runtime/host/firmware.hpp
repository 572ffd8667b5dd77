// SPDX-License-Identifier: LGPL-2.1-or-later
// Facts about boot memory from the firmware and the boot loader, besides the map: which of it is
// hot-pluggable (ACPI's SRAT), and where the initial ramdisk was.
#pragma once

#include <string_view>
#include <vector>

#include "compiler/model/host.hpp"
#include "runtime/host/address.hpp"
#include "runtime/host/notes.hpp"

namespace memonline::runtime {

/// The memory affinity structures of a System Resource Affinity Table (ACPI 6.5, 5.2.16.2) that are
/// enabled and hot-pluggable, ascending and merged. Empty optional: not an SRAT.
std::optional<std::vector<AddressRange>> hotpluggable_in(std::string_view srat);

/// Fills host.hotpluggable_memory from /sys/firmware/acpi/tables/SRAT, which only root can read; a
/// machine with ACPI tables but without this one has no hot-pluggable boot memory. Adds the ramdisk
/// of /sys/kernel/boot_params/data (x86) to host.early_memory.
void read_firmware(const Tree& tree, Notes& notes, model::Host& host);

}  // namespace memonline::runtime
