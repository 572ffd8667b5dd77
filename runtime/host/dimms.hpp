// SPDX-License-Identifier: LGPL-2.1-or-later
// The ACPI memory device of each block, from the links memoryN/firmware_node.
#pragma once

#include <vector>

#include "runtime/host/address.hpp"
#include "runtime/host/blocks.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::runtime {

/// Fills Block::dimm. `pieces`, ascending, are stretches of memory that were added at once (the
/// kernel registers each as a resource of its own): within one, links are read only until it is
/// clear where they change. Blocks outside are read one by one.
void read_dimms(const Tree& tree, const std::vector<AddressRange>& pieces, Blocks& blocks);

}  // namespace memonline::runtime
