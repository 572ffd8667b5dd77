// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether blocks were present at boot or hot-added: by the firmware's map, by the device tree, by
// the resources of /proc/iomem, and by ACPI devices. Without evidence it is unknown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/model/host.hpp"
#include "runtime/host/device_tree.hpp"
#include "runtime/host/devices.hpp"
#include "runtime/host/firmware_map.hpp"

namespace memonline::runtime {

class Origins {
 public:
  /// `blocks` with their DIMMs. All must outlive it.
  Origins(const Tree& tree, const std::vector<FirmwareRange>& entries, const IoMemory& iomem,
          const Blocks& blocks, const model::Host& host);

  /// Of a block that no driver is known to manage.
  [[nodiscard]] model::Origin of(const Block& block) const;
  /// The firmware's map; empty if there is none.
  [[nodiscard]] const BootRanges& map() const { return map_; }

 private:
  [[nodiscard]] std::optional<model::Origin> by_resource(AddressRange range) const;
  [[nodiscard]] bool must_be_boot(const Block& block) const;
  [[nodiscard]] model::Origin without_map(const Block& block) const;

  const IoMemory& iomem_;
  const Blocks& blocks_;
  const model::Host& host_;
  bool have_map_ = false;
  BootRanges map_;
  DeviceTreeMemory tree_;
  std::vector<std::uint32_t>
      boot_dimms_;  ///< without a map: those with memory that was present at boot
};

}  // namespace memonline::runtime
