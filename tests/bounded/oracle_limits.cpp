// SPDX-License-Identifier: LGPL-2.1-or-later
// Part 4 of "Allocation in full", one block at a time.
#include "tests/bounded/oracle.hpp"

namespace memonline::bounded {

bool limit_holds(const Limit& limit, const std::vector<Block>& blocks, const std::string& layout,
                 const Block& of) {
  std::uint64_t normal = 0;
  std::uint64_t movable = 0;
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (limit.per_node && blocks[i].node != of.node) continue;
    ++all;
    normal += layout[i] == 'N' ? 1U : 0U;
    movable += layout[i] == 'M' ? 1U : 0U;
  }
  if (limit.times_normal) return 1000 * movable <= limit.thousandths * normal;
  return movable <= blocks_meant(limit.amount, all, false);
}

std::string limited(const std::vector<Block>& blocks, const std::vector<Promise>& promises,
                    const Limit& limit) {
  std::string layout;
  for (const Promise& promise : promises) layout += promise.after;
  // While it does not hold, the lowest block about to become Movable in its scope is refused. It
  // becomes normal if the shares of its group put all of it online; otherwise it stays offline.
  std::vector<bool> refused(blocks.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i].before == 'M' || layout[i] != 'M') continue;
    if (limit_holds(limit, blocks, layout, blocks[i])) continue;
    layout[i] = promises[i].whole ? 'N' : '.';
    refused[i] = true;
  }
  // Where there is room again, refused blocks are given back, the highest first.
  for (std::size_t i = blocks.size(); i-- > 0;) {
    if (!refused[i]) continue;
    const char without = layout[i];
    layout[i] = 'M';
    if (!limit_holds(limit, blocks, layout, blocks[i])) layout[i] = without;
  }
  return layout;
}

}  // namespace memonline::bounded
