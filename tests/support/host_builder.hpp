// SPDX-License-Identifier: LGPL-2.1-or-later
// Hosts for tests, in a few words. Zone spans are the hulls of the blocks that are online, unless
// a test sets them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/model/host.hpp"

namespace memonline::test {

class HostBuilder {
 public:
  explicit HostBuilder(model::Era era = model::Era::D);

  HostBuilder& block_size(std::uint64_t bytes);
  /// Boot memory, online in one zone; `mixed` blocks say `none`.
  HostBuilder& boot(std::uint32_t node, std::uint64_t first, std::uint64_t count,
                    model::Zone zone = model::Zone::Normal, bool mixed = false);
  /// These boot blocks are not all RAM.
  HostBuilder& holes(std::uint64_t first, std::uint64_t count);
  /// A DIMM, offline. Every call is a DIMM of its own.
  HostBuilder& dimm(std::uint32_t node, std::uint64_t first, std::uint64_t count);
  /// Blocks of the DIMM added last, online in `zone`.
  HostBuilder& dimm_online(std::uint32_t node, std::uint64_t first, std::uint64_t count,
                           model::Zone zone);
  HostBuilder& virtio_mem(std::uint32_t node, std::uint64_t first, std::uint64_t count);
  /// Configured standby memory of s390x, offline.
  HostBuilder& standby(std::uint64_t first, std::uint64_t count);
  HostBuilder& has_cpu(std::uint32_t node, bool yes);
  HostBuilder& parameter(const std::string& word);
  HostBuilder& auto_movable(std::uint64_t ratio = 301, bool numa_aware = true);
  HostBuilder& span(std::uint32_t node, model::Zone zone, std::uint64_t start,
                    std::uint64_t spanned, std::uint64_t present);

  /// The host with `valid_zones` of every block as a kernel of that era shows it.
  [[nodiscard]] model::Host build() const;

 private:
  model::Node& node(std::uint32_t id);
  std::uint32_t device(model::Device::Kind kind);
  void add(std::uint32_t node, std::uint64_t first, std::uint64_t count, std::uint32_t device,
           model::State state, model::ValidZones zones);
  model::Host host_;
};

/// One node: 8 boot blocks (Normal) and a DIMM of 40 offline ones right above.
HostBuilder eight_and_forty(model::Era era = model::Era::D);

/// Adds dax0.0 with these blocks for the node, which no driver has; kmem is loaded.
model::Host with_waiting_dax(model::Host host, std::uint32_t node,
                             std::vector<model::BlockRange> blocks);

/// "Normal Movable", "none", "" - as the file says.
std::string zones_text(const model::ValidZones& zones);

}  // namespace memonline::test
