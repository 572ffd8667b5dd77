// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/compiler/reference_limits.hpp"

#include <cmath>
#include <set>

namespace memonline::test {

namespace {

bool holds(const sema::Limit& limit, const std::string& layout,
           const std::vector<BlockFate>& blocks, std::uint64_t block_size, std::uint32_t node) {
  double normal = 0;
  double movable = 0;
  double all = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (limit.per_node && blocks[i].node != node) continue;
    ++all;
    normal += layout[i] == 'N' ? 1 : 0;
    movable += layout[i] == 'M' ? 1 : 0;
  }
  constexpr double kBit = 1e-6;
  if (const auto* times = std::get_if<sema::Limit::TimesNormal>(&limit.bound))
    return movable <= normal * static_cast<double>(times->thousandths) / 1000 + kBit;
  const auto& amount = std::get<sema::Amount>(limit.bound);
  if (const auto* percent = std::get_if<sema::Percent>(&amount))
    return movable <= all * static_cast<double>(percent->millionths) / 1e8 + kBit;
  if (const auto* bytes = std::get_if<model::Bytes>(&amount))
    return movable * static_cast<double>(block_size) <= static_cast<double>(bytes->value());
  return movable <= static_cast<double>(std::get<sema::Blocks>(amount).count);
}

}  // namespace

bool limits_hold(const std::string& layout, const std::vector<BlockFate>& blocks,
                 const std::vector<sema::Limit>& limits, std::uint64_t block_size,
                 std::size_t scope_of_block) {
  for (const sema::Limit& limit : limits)
    if (!holds(limit, layout, blocks, block_size, blocks[scope_of_block].node)) return false;
  return true;
}

std::string reference_limits(const std::vector<BlockFate>& blocks,
                             const std::vector<sema::Limit>& limits, std::uint64_t block_size) {
  std::string layout;
  std::set<std::uint32_t> nodes;
  for (const BlockFate& block : blocks) {
    layout += block.wanted;
    nodes.insert(block.node);
  }
  std::set<std::size_t> refused;
  for (const sema::Limit& limit : limits)
    for (const std::uint32_t node : nodes)
      for (std::size_t i = 0; i < blocks.size(); ++i) {
        if (holds(limit, layout, blocks, block_size, node)) break;
        if (blocks[i].before != '.' || layout[i] != 'M') continue;
        if (limit.per_node && blocks[i].node != node) continue;
        layout[i] = blocks[i].whole ? 'N' : '.';
        refused.insert(i);
      }
  for (auto i = refused.rbegin(); i != refused.rend(); ++i) {
    const char without = layout[*i];
    layout[*i] = 'M';
    if (!limits_hold(layout, blocks, limits, block_size, *i)) layout[*i] = without;
  }
  return layout;
}

bool reference_whole(const std::vector<sema::Share>& shares, std::size_t blocks,
                     std::uint64_t block_size) {
  double sum = 0;
  for (const sema::Share& share : shares) {
    if (share.target == sema::Target::Offline || share.target == sema::Target::Keep) return false;
    const auto n = static_cast<double>(blocks);
    if (!share.amount)
      sum += n;
    else if (const auto* percent = std::get_if<sema::Percent>(&*share.amount))
      sum += n * static_cast<double>(percent->millionths) / 1e8;
    else if (const auto* bytes = std::get_if<model::Bytes>(&*share.amount))
      sum += static_cast<double>(bytes->value()) / static_cast<double>(block_size);
    else
      sum += static_cast<double>(std::get<sema::Blocks>(*share.amount).count);
  }
  return sum >= static_cast<double>(blocks) * (1 - 2.5e-8);
}

}  // namespace memonline::test
