// SPDX-License-Identifier: LGPL-2.1-or-later
// Parts 1 to 3 of "Allocation in full", one block at a time.
#include "tests/bounded/oracle.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace memonline::bounded {

namespace {

constexpr std::uint64_t kBlockMiB = 128;
constexpr std::uint64_t kWhole = 100'000'000;  // 100 percent in millionths of one percent

char mark_of(Target target, char before) {
  switch (target) {
    case Target::Movable: return 'M';
    case Target::Normal: return 'N';
    case Target::Auto: return before == '.' ? 'a' : before;
    case Target::Offline: return '.';
    case Target::Keep: break;
  }
  return before;
}

bool accepts(Target target, char zone) {
  return (target == Target::Normal && zone == 'N') || (target == Target::Movable && zone == 'M');
}

// "No `offline` or `keep` share, and a `rest`, a share without an amount, or amounts that sum to
// the whole before rounding."
bool puts_all_online(const std::vector<Share>& shares, std::uint64_t n) {
  std::uint64_t sum = 0;  // in units of a hundred-millionth of a MiB
  std::uint64_t percentages = 0;
  bool everything = false;
  for (const Share& share : shares) {
    if (!goes_online(share.target)) return false;
    switch (share.amount.kind) {
      case Amount::Kind::None: everything = true; break;
      case Amount::Kind::Percent:
        sum += share.amount.number * n * kBlockMiB;
        ++percentages;
        break;
      case Amount::Kind::MiB: sum += share.amount.number * kWhole; break;
      case Amount::Kind::Blocks: sum += share.amount.number * kBlockMiB * kWhole; break;
    }
  }
  // A third is written as 33.333333%: each percentage may be short of less than a millionth.
  return everything || sum + percentages * n * kBlockMiB > n * kBlockMiB * kWhole ||
         sum >= n * kBlockMiB * kWhole;
}

// One group of blocks and the shares of its rule.
class GroupOracle {
 public:
  GroupOracle(const std::vector<Block>& blocks, std::vector<std::size_t> group,
              const std::vector<Share>& shares, bool rezone, unsigned counting,
              std::vector<Promise>& promises)
      : blocks_(blocks),
        group_(std::move(group)),
        shares_(shares),
        rezone_(rezone),
        promises_(promises),
        owed_(shares.size()),
        credit_(shares.size()),
        paid_(shares.size()),
        counting_(shares.size()) {
    std::iota(counting_.begin(), counting_.end(), std::size_t{0});
    for (; counting > 0; --counting) std::next_permutation(counting_.begin(), counting_.end());
  }

  void run() {
    const bool whole = puts_all_online(shares_, group_.size());
    for (const std::size_t i : group_) promises_[i] = {blocks_[i].before, nullptr, true, whole};
    count();
    credit();
    pay();
    if (rezone_) {
      mark_counted();
      take_surplus();
    }
    lay_out();
  }

 private:
  // 1. The counts are promised in the order written, `rest` last.
  void count() {
    std::uint64_t left = group_.size();
    for (std::size_t s = 0; s < shares_.size(); ++s) {
      const Share& share = shares_[s];
      if (share.place == Place::Rest) continue;
      const std::uint64_t meant =
          blocks_meant(share.amount, group_.size(), share.target == Target::Normal);
      owed_[s] = std::min(meant, left);
      left -= owed_[s];
    }
    for (std::size_t s = 0; s < shares_.size(); ++s)
      if (shares_[s].place == Place::Rest) owed_[s] = left;
  }

  // 2. Online blocks count for the shares of their zone, in the order written; what is left for
  // `auto`; then, with `rezone`, for `keep`.
  void credit() {
    std::uint64_t normal = online('N');
    std::uint64_t movable = online('M');
    const auto take = [&](std::size_t s, std::uint64_t& from) {
      const std::uint64_t n = std::min(owed_[s], from);
      owed_[s] -= n;
      credit_[s] += n;
      from -= n;
    };
    for (const std::size_t s : counting_) {
      if (shares_[s].target == Target::Normal) take(s, normal);
      if (shares_[s].target == Target::Movable) take(s, movable);
    }
    for (const Target target : {Target::Auto, Target::Keep})
      for (std::size_t s = 0; s < shares_.size(); ++s) {
        if (shares_[s].target != target || (target == Target::Keep && !rezone_)) continue;
        take(s, normal);
        take(s, movable);
      }
  }

  // Offline blocks pay: the `normal` shares first and in full, then the others.
  void pay() {
    unowed_ = online('.');
    for (const bool normal : {true, false})
      for (std::size_t s = 0; s < shares_.size(); ++s) {
        if ((shares_[s].target == Target::Normal) != normal) continue;
        paid_[s] = std::min(owed_[s], unowed_);
        owed_[s] -= paid_[s];
        unowed_ -= paid_[s];
      }
  }

  // Which online blocks the shares count: those that can never be offlined, then those farthest
  // from the shares that lack blocks, and otherwise those at the end where the layout has the zone.
  void mark_counted() {
    counted_.assign(blocks_.size(), false);
    std::vector<std::size_t> upward = layout();
    std::erase(upward, kUnowed);
    const std::vector<std::size_t> downward(upward.rbegin(), upward.rend());
    for (const char zone : {'N', 'M'})
      for (const bool low : {true, false})
        for (const std::size_t s : low ? upward : downward) {
          if (!accepts(shares_[s].target, zone) || counts_low(s, upward) != low) continue;
          std::uint64_t n = credit_[s];
          mark(n, !low, [&](const Block& b) { return b.before == zone && b.fixed; });
          mark(n, !low, [&](const Block& b) { return b.before == zone; });
        }
    std::uint64_t others = 0;  // of `auto` and `keep`: the lowest
    for (const std::size_t s : upward)
      if (shares_[s].target == Target::Auto || shares_[s].target == Target::Keep)
        others += credit_[s];
    mark(others, false, [](const Block& b) { return b.before != '.'; });
  }

  [[nodiscard]] bool counts_low(std::size_t share, const std::vector<std::size_t>& upward) const {
    const Target own = shares_[share].target;
    const Target other = own == Target::Normal ? Target::Movable : Target::Normal;
    const auto at = std::find(upward.begin(), upward.end(), share);
    const auto lacks = [&](std::size_t s) {
      const Target target = shares_[s].target;
      return owed_[s] > 0 && (target == other || target == Target::Offline);
    };
    const bool below = std::any_of(upward.begin(), at, lacks);
    const bool above = std::any_of(at, upward.end(), lacks);
    if (above != below) return above;
    for (const std::size_t s : upward) {  // the zone that comes first is below the other
      if (shares_[s].target == own && any_of(other)) return true;
      if (shares_[s].target == other) return false;
    }
    return own == Target::Normal;
  }
  [[nodiscard]] bool any_of(Target target) const {
    return std::any_of(shares_.begin(), shares_.end(),
                       [&](const Share& share) { return share.target == target; });
  }

  template <class Wanted>
  void mark(std::uint64_t& n, bool from_top, Wanted wanted) {
    for (std::size_t k = 0; k < group_.size() && n > 0; ++k) {
      const std::size_t i = from_top ? group_[group_.size() - 1 - k] : group_[k];
      if (counted_[i] || !wanted(blocks_[i])) continue;
      counted_[i] = true;
      --n;
    }
  }

  // With `rezone = allowed`, blocks that are missing are taken from those that no share counts:
  // Movable before kernel zones, in each of them hot-added memory before boot memory; a `first` or
  // `normal` share the lowest ones, any other the highest.
  void take_surplus() {
    for (std::size_t s = 0; s < shares_.size(); ++s) {
      const Target target = shares_[s].target;
      if (target != Target::Movable && target != Target::Normal && target != Target::Offline)
        continue;
      const bool low = shares_[s].place == Place::First || target == Target::Normal;
      for (const char zone : {'M', 'N'})
        for (const bool boot : {false, true})
          for (std::size_t k = 0; k < group_.size() && owed_[s] > 0; ++k) {
            const std::size_t i = low ? group_[k] : group_[group_.size() - 1 - k];
            const Block& block = blocks_[i];
            if (block.before != zone || block.boot() != boot || block.fixed || counted_[i] ||
                accepts(target, zone))
              continue;
            counted_[i] = true;
            --owed_[s];
            promises_[i].after = mark_of(target, block.before);
            promises_[i].share = &shares_[s];
          }
    }
  }

  static constexpr std::size_t kUnowed = ~std::size_t{0};

  // 3. The order along the addresses; kUnowed: blocks that no share is owed.
  [[nodiscard]] std::vector<std::size_t> layout() const {
    std::vector<std::size_t> order;
    const auto add = [&](Place place, auto&& wanted) {
      for (std::size_t s = 0; s < shares_.size(); ++s)
        if (shares_[s].place == place && wanted(shares_[s].target)) order.push_back(s);
    };
    const auto is_normal = [](Target target) { return target == Target::Normal; };
    const auto is_other = [](Target target) { return target != Target::Normal; };
    const auto is_any = [](Target) { return true; };
    add(Place::First, is_any);
    add(Place::Unplaced, is_normal);
    add(Place::Rest, is_any);
    order.push_back(kUnowed);
    add(Place::Unplaced, is_other);
    for (std::size_t s = shares_.size(); s-- > 0;)
      if (shares_[s].place == Place::Last) order.push_back(s);
    return order;
  }

  void lay_out() {
    std::size_t next = 0;
    for (const std::size_t s : layout())
      for (std::uint64_t n = s == kUnowed ? unowed_ : paid_[s]; n > 0; --n) {
        while (blocks_[group_[next]].before != '.') ++next;
        const std::size_t i = group_[next++];
        if (s == kUnowed) continue;
        promises_[i].after = mark_of(shares_[s].target, '.');
        promises_[i].share = &shares_[s];
      }
  }

  [[nodiscard]] std::uint64_t online(char zone) const {
    return static_cast<std::uint64_t>(std::count_if(
        group_.begin(), group_.end(), [&](std::size_t i) { return blocks_[i].before == zone; }));
  }

  const std::vector<Block>& blocks_;
  const std::vector<std::size_t> group_;  // indexes, in address order
  const std::vector<Share>& shares_;
  const bool rezone_;
  std::vector<Promise>& promises_;
  std::vector<std::uint64_t> owed_;
  std::vector<std::uint64_t> credit_;
  std::vector<std::uint64_t> paid_;
  std::vector<std::size_t> counting_;  // the shares in the order in which they count online blocks
  std::uint64_t unowed_ = 0;           // offline blocks that no share is owed
  std::vector<bool> counted_;
};

std::uint32_t group_of(const Block& block, Selector::Each each) {
  switch (each) {
    case Selector::Each::None: break;
    case Selector::Each::Node: return block.node;
    case Selector::Each::Device: return block.device;
  }
  return 0;
}

}  // namespace

std::uint64_t blocks_meant(const Amount& amount, std::uint64_t n, bool up) {
  switch (amount.kind) {
    case Amount::Kind::None: return n;
    case Amount::Kind::Blocks: return amount.number;
    case Amount::Kind::MiB:
      return up ? (amount.number + kBlockMiB - 1) / kBlockMiB : amount.number / kBlockMiB;
    case Amount::Kind::Percent: break;
  }
  // Less than 0.000001% away from a whole number of blocks is that number.
  const std::uint64_t exact = n * amount.number;  // in hundred-millionths of a block
  const std::uint64_t below = exact / kWhole;
  if (exact % kWhole < n) return below;
  if (kWhole - exact % kWhole < n) return below + 1;
  return up ? below + 1 : below;
}

std::vector<Promise> promised(const std::vector<Block>& blocks, const Policy& policy,
                              unsigned counting) {
  std::vector<Promise> promises(blocks.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) promises[i].after = blocks[i].before;
  constexpr std::uint32_t kGroups = 4;
  for (const Rule& rule : policy.rules) {
    std::array<std::vector<std::size_t>, kGroups> groups;
    for (std::size_t i = 0; i < blocks.size(); ++i)  // the first rule that selects a block has it
      if (!promises[i].selected && rule.selector->selects(blocks[i]))
        groups.at(group_of(blocks[i], rule.selector->each)).push_back(i);
    for (std::vector<std::size_t>& group : groups)
      if (!group.empty())
        GroupOracle(blocks, std::move(group), rule.shares, policy.rezone, counting, promises).run();
  }
  return promises;
}

}  // namespace memonline::bounded
