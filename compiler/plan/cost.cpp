// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/cost.hpp"

#include <algorithm>

namespace memonline::plan {

using model::Bytes;
using model::Host;

namespace {

// One entry of a page table of the lowest level but one maps this much; entries have 8 bytes.
Bytes huge_page(const Host& host) { return Bytes(host.page_size / 8 * host.page_size); }

std::uint64_t map_of_block(const Host& host) { return host.pages_per_block() * kStructPage; }

}  // namespace

std::optional<Bytes> free_kernel_memory(const Host& host) {
  if (!host.memory_available) return std::nullopt;
  if (!host.zone_spans_known) return host.memory_available;
  std::uint64_t managed = 0;
  for (const model::Node& node : host.nodes)
    for (std::size_t zone = 0; zone < node.zones.size(); ++zone)
      if (model::is_kernel_zone(static_cast<model::Zone>(zone)))
        managed += node.zones.at(zone).managed;
  if (managed == 0) return host.memory_available;
  return std::min(*host.memory_available, Bytes(managed * host.page_size));
}

Bytes cost_of_blocks(const Host& host, std::uint64_t blocks, bool own_map) {
  const std::uint64_t page_tables = host.block_size * blocks / huge_page(host) * 8;
  const std::uint64_t map = own_map ? 0 : blocks * map_of_block(host);
  return Bytes(map + page_tables + blocks * kBlockDevice);
}

}  // namespace memonline::plan
