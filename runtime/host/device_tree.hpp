// SPDX-License-Identifier: LGPL-2.1-or-later
// Boot memory by the device tree: the nodes memory@*, and the logical memory blocks (LMBs) that
// partitions of ppc64 gain and lose while they run.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "compiler/model/host.hpp"
#include "runtime/host/address.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::runtime {

/// LMBs of ibm,dynamic-reconfiguration-memory, neighbors with the same flags.
struct LmbRange {
  AddressRange range;
  std::uint32_t flags = 0;
};

struct DeviceTreeMemory {
  std::vector<AddressRange> boot;  ///< of memory@*; ascending
  std::vector<LmbRange> lmbs;      ///< ascending
  [[nodiscard]] bool known() const { return !boot.empty() || !lmbs.empty(); }
  /// The origin of memory at these addresses.
  [[nodiscard]] model::Origin origin_of(AddressRange range) const;
};

/// From /proc/device-tree, which is a link on a running system, and the directory behind it.
DeviceTreeMemory read_device_tree(const Tree& tree);

/// The value of ibm,dynamic-memory, and of its shorter form ibm,dynamic-memory-v2.
std::vector<LmbRange> parse_dynamic_memory(std::string_view value, std::uint64_t lmb_size);
std::vector<LmbRange> parse_dynamic_memory_v2(std::string_view value, std::uint64_t lmb_size);

}  // namespace memonline::runtime
