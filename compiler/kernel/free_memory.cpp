// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/kernel/free_memory.hpp"

#include <algorithm>
#include <cstdint>

namespace memonline::kernel {

namespace {

model::Bytes online_bytes(const model::Host& host) {
  std::uint64_t blocks = 0;
  for (const model::BlockRun& run : host.blocks)
    if (run.state == model::State::Online) blocks += run.count;
  return host.block_size * blocks;
}

// `before`, when what it is part of went from `from` to `to`.
template <class Amount>
Amount changed(Amount before, Amount from, Amount to) {
  return to >= from ? before + (to - from) : before - std::min(before, from - to);
}

}  // namespace

void follow_use(const model::Host& start, model::Host& now) {
  if (now.memory_available)
    now.memory_available = changed(*now.memory_available, online_bytes(start), online_bytes(now));
  for (model::Node& node : now.nodes) {
    const model::Node* before = start.find_node(node.id);
    if (before == nullptr) continue;
    std::uint64_t was = 0;
    std::uint64_t is = 0;
    for (std::size_t z = 0; z < node.zones.size(); ++z) {
      const std::uint64_t present = node.zones[z].present;
      const std::uint64_t at_start = before->zones[z].present;
      was += at_start;
      is += present;
      if (present == at_start) continue;
      node.use[z] = before->use[z];
      if (at_start == 0) node.use[z] = {present, 0, 0};
      if (at_start > 0 && node.use[z].free)
        node.use[z].free = changed(*node.use[z].free, at_start, present);
    }
    if (node.memory.free)
      node.memory.free = changed(*node.memory.free, model::Bytes(was * now.page_size),
                                 model::Bytes(is * now.page_size));
  }
}

}  // namespace memonline::kernel
