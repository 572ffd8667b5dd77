// SPDX-License-Identifier: LGPL-2.1-or-later
// The use of pages by the flags that the kernel prints of them: words as Debian's kernels print
// them, up to 6.11 (the rest of a compound page is bare) and later.
#include "compiler/model/page_flags.hpp"

#include <initializer_list>
#include <utility>

#include "tests/support/catch.hpp"

namespace memonline {

using model::BlockContents;
using model::BlockId;
using model::PageUse;
using model::Pfn;

namespace {

/// Flags, and how many pages in a row have them.
using Words = std::initializer_list<std::pair<std::uint64_t, std::uint64_t>>;

BlockContents counted(const Words& words) {
  model::PageCounter counter(BlockId(40), Pfn(1000));
  for (const auto& [flags, count] : words)
    for (std::uint64_t i = 0; i < count; ++i) counter.add(flags);
  return std::move(counter).finish();
}

constexpr std::uint64_t bit(unsigned number) { return std::uint64_t{1} << number; }
constexpr std::uint64_t kHead = bit(15);
constexpr std::uint64_t kTail = bit(16);
constexpr std::uint64_t kHuge = bit(17);

}  // namespace

TEST_CASE("page flags: each use by its flag") {
  const Words words{{bit(10), 7},            // buddy
                    {0x5868, 6},             // anonymous: LRU, MMAP, ANON, SWAPBACKED
                    {0x80000002c, 5},        // page cache
                    {bit(5) | bit(14), 4},   // shared memory
                    {bit(23), 3},            // offline
                    {bit(19) | bit(5), 2},   // poisoned while in use
                    {bit(32) | bit(37), 9},  // the block's own map
                    {bit(7), 8},             // slab
                    {bit(26), 11},           // page table
                    {bit(32), 12},           // reserved
                    {0, 13},                 // no flags
                    {bit(20), 14}};          // no page
  const BlockContents contents = counted(words);
  const std::initializer_list<std::pair<PageUse, std::uint64_t>> wanted{
      {PageUse::Free, 7},         {PageUse::Anonymous, 6}, {PageUse::File, 5},
      {PageUse::SharedMemory, 4}, {PageUse::Ballooned, 3}, {PageUse::Poisoned, 2},
      {PageUse::MemoryMap, 9},    {PageUse::Slab, 8},      {PageUse::PageTables, 11},
      {PageUse::Reserved, 12},    {PageUse::Kernel, 13},   {PageUse::Hole, 14}};
  for (const auto& [use, pages] : wanted) {
    INFO(model::page_use_name(use));
    CHECK(contents[use] == pages);
  }
  CHECK(contents.total() == 94);
  CHECK(contents.unmovable_pages() == 8 + 11 + 12 + 13);
  CHECK(contents.moving_pages() == 6 + 5 + 4);
  CHECK(contents.unmovable == Pfn(1000 + 7 + 6 + 5 + 4 + 3 + 2 + 9));
}

TEST_CASE("page flags: the bare rest of a compound page belongs to its head") {
  const std::uint64_t file_head = kHead | bit(5) | bit(3);
  const BlockContents old = counted({{file_head, 1}, {kTail, 15}, {bit(7) | kHead, 1}, {kTail, 7}});
  CHECK(old[PageUse::File] == 16);
  CHECK(old[PageUse::Slab] == 8);
  // A compound page of a driver has no flag at all.
  const BlockContents driver = counted({{file_head, 1}, {kTail, 3}, {kHead, 1}, {kTail, 3}});
  CHECK(driver[PageUse::File] == 4);
  CHECK(driver[PageUse::Kernel] == 4);
  // What begins in the block below shows only its rest.
  CHECK(counted({{kTail, 4}})[PageUse::Kernel] == 4);
}

TEST_CASE("page flags: huge pages are counted by size") {
  const BlockContents two = counted({{kHuge | kHead, 1},
                                     {kHuge | kTail, 511},
                                     {kHuge | kHead, 1},
                                     {kHuge | kTail, 511},
                                     {bit(10), 10},
                                     {kHuge | kHead, 1},
                                     {kHuge | kTail, 15}});
  CHECK(two[PageUse::HugePages] == 1040);
  REQUIRE(two.huge.size() == 2);
  CHECK(two.huge[0] == model::HugePages{16, 16});
  CHECK(two.huge[1] == model::HugePages{512, 1024});
  CHECK(two.gigantic_pages(512) == 0);
  CHECK(two.gigantic_pages(100) == 1024);
  // A gigantic page covers the block: from its head, or from the middle.
  for (const std::uint64_t first : {kHuge | kHead, kHuge | kTail}) {
    const BlockContents one = counted({{first, 1}, {kHuge | kTail, 4095}});
    REQUIRE(one.huge.size() == 1);
    CHECK(one.huge[0] == model::HugePages{4096, 4096});
    CHECK(one.gigantic_pages(1024) == 4096);
  }
}

TEST_CASE("page flags: transparent huge pages are anonymous or page cache") {
  const std::uint64_t thp = bit(22) | bit(12) | bit(14);
  const BlockContents contents =
      counted({{thp | kHead | bit(5), 1}, {bit(22) | bit(12) | kTail, 511}, {bit(12) | bit(5), 3}});
  CHECK(contents[PageUse::Anonymous] == 515);
  CHECK(contents.transparent == 512);
}

TEST_CASE("contents: sums keep the first unmovable page") {
  BlockContents sum = counted({{bit(10), 3}, {bit(7), 1}, {kHuge | kHead, 1}, {kHuge | kTail, 3}});
  model::add_contents(sum, counted({{bit(7), 1}, {kHuge | kHead, 1}, {kHuge | kTail, 1}}));
  CHECK(sum[PageUse::Slab] == 2);
  CHECK(sum.unmovable == Pfn(1003));
  REQUIRE(sum.huge.size() == 2);
  CHECK(sum.huge[0] == model::HugePages{2, 2});
  for (std::size_t i = 0; i < model::kPageUseCount; ++i) {
    const auto use = static_cast<PageUse>(i);
    CHECK(model::page_use_named(model::page_use_name(use)) == use);
  }
  CHECK_FALSE(model::page_use_named("nothing"));
}

}  // namespace memonline
