// SPDX-License-Identifier: LGPL-2.1-or-later
// Sets of memory blocks against sets of their numbers.
#include "compiler/model/block_set.hpp"

#include <algorithm>
#include <random>
#include <set>

#include "tests/support/catch.hpp"

namespace memonline {

using model::BlockId;
using model::BlockRange;
using model::BlockSet;

namespace {

using Numbers = std::set<std::uint64_t>;

Numbers numbers_of(const BlockSet& set) {
  Numbers numbers;
  for (const auto& [first, last] : set)
    for (BlockId block = first; block <= last; block = block + 1) numbers.insert(block.value());
  return numbers;
}

/// Ranges are ascending and have a gap between them.
bool is_normal(const BlockSet& set) {
  const auto& ranges = set.ranges();
  return std::adjacent_find(ranges.begin(), ranges.end(), [](BlockRange one, BlockRange next) {
           return next.first <= one.last + 1;
         }) == ranges.end();
}

}  // namespace

TEST_CASE("block set: adjacent and overlapping ranges are one, in whatever order they come") {
  BlockSet set({{BlockId(8), BlockId(9)}, {BlockId(2), BlockId(3)}, {BlockId(4), BlockId(6)}});
  CHECK(set.ranges() ==
        std::vector<BlockRange>{{BlockId(2), BlockId(6)}, {BlockId(8), BlockId(9)}});
  set.add(BlockId(7));
  CHECK(set == BlockSet({{BlockId(2), BlockId(9)}}));
  set.add({BlockId(0), BlockId(0)});
  CHECK(set.count() == 9);
  CHECK(set.contains(BlockId(0)));
  CHECK_FALSE(set.contains(BlockId(1)));
  CHECK_FALSE(BlockSet().contains(BlockId(0)));
  // At the end of all numbers.
  constexpr BlockId kLast(~std::uint64_t{0});
  CHECK(subtract(BlockSet({{BlockId(1), kLast}}), BlockSet({{kLast, kLast}})) ==
        BlockSet({{BlockId(1), kLast - 1}}));
}

TEST_CASE("block set: unites, intersects and subtracts as sets of numbers do") {
  std::mt19937 random(3);
  const auto any = [&] {
    BlockSet set;
    for (std::size_t i = random() % 6; i > 0; --i) {
      const std::uint64_t first = random() % 30;
      set.add({BlockId(first), BlockId(first + random() % 6)});
    }
    return set;
  };
  for (int round = 0; round < 3000; ++round) {
    const BlockSet a = any(), b = any();
    const Numbers in_a = numbers_of(a), in_b = numbers_of(b);
    Numbers united = in_a, common, rest;
    united.insert(in_b.begin(), in_b.end());
    std::set_intersection(in_a.begin(), in_a.end(), in_b.begin(), in_b.end(),
                          std::inserter(common, common.end()));
    std::set_difference(in_a.begin(), in_a.end(), in_b.begin(), in_b.end(),
                        std::inserter(rest, rest.end()));
    REQUIRE(numbers_of(unite(a, b)) == united);
    REQUIRE(numbers_of(intersect(a, b)) == common);
    REQUIRE(numbers_of(subtract(a, b)) == rest);
    for (const BlockSet& set : {a, unite(a, b), intersect(a, b), subtract(a, b)})
      REQUIRE(is_normal(set));
    REQUIRE(a.count() == in_a.size());
    for (std::uint64_t block = 0; block < 40; ++block)
      REQUIRE(a.contains(BlockId(block)) == in_a.contains(block));
  }
}

}  // namespace memonline
