// SPDX-License-Identifier: LGPL-2.1-or-later
// The dax devices of a host and the CXL region and memory devices behind them, and the tiers that
// the kernel sorts memory nodes into.
#pragma once

#include "compiler/model/host.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::runtime {

/// Fills host.dax_devices and host.memory_tiers. What does not show stays empty: dax devices have
/// no files but for root where sysfs is restricted, and `state` exists from Linux 7.3 on.
///
/// /sys/bus/dax/devices/daxX.Y (drivers/dax/bus.c: size, target_node, numa_node, state;
/// mappingN/start and end, which only root reads) is a link into the devices; on CXL the region is
/// one of the directories in that link, and the region's targetN names an endpoint decoder, whose
/// endpoint has the memory device behind `uport` (drivers/cxl/core/region.c and port.c).
/// /sys/devices/virtual/memory_tiering/memory_tierN/nodelist and
/// /sys/kernel/mm/numa/demotion_enabled (mm/memory-tiers.c, 6.1+).
void read_dax_devices(const Tree& tree, model::Host& host);

}  // namespace memonline::runtime
