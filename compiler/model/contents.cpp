// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/model/contents.hpp"

#include <algorithm>
#include <numeric>

namespace memonline::model {

namespace {

struct UseNames {
  std::string_view name;
  std::string_view text;
};
constexpr std::array<UseNames, kPageUseCount> kNames{{{"free", "free"},
                                                      {"anonymous", "anonymous"},
                                                      {"file", "page cache"},
                                                      {"shmem", "shared memory"},
                                                      {"hugetlb", "huge pages"},
                                                      {"ballooned", "ballooned"},
                                                      {"poisoned", "poisoned"},
                                                      {"memmap", "memory map"},
                                                      {"slab", "slab"},
                                                      {"page-tables", "page tables"},
                                                      {"reserved", "reserved at boot"},
                                                      {"kernel", "other kernel memory"},
                                                      {"hole", "not RAM"}}};

template <class Chosen>
std::uint64_t sum_of(const BlockContents& contents, Chosen chosen) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kPageUseCount; ++i)
    if (chosen(static_cast<PageUse>(i))) sum += contents.pages[i];
  return sum;
}

}  // namespace

std::string_view page_use_name(PageUse use) { return kNames[static_cast<std::size_t>(use)].name; }
std::string_view page_use_text(PageUse use) { return kNames[static_cast<std::size_t>(use)].text; }

std::optional<PageUse> page_use_named(std::string_view name) {
  for (std::size_t i = 0; i < kPageUseCount; ++i)
    if (kNames[i].name == name) return static_cast<PageUse>(i);
  return std::nullopt;
}

std::optional<std::uint64_t> FreePages::in_blocks_of(std::uint64_t size) const {
  if (by_order.empty()) return std::nullopt;
  std::uint64_t pages = 0;
  for (std::size_t order = 0; order < by_order.size(); ++order)
    if (std::uint64_t{1} << order >= size) pages += by_order[order] << order;
  return pages;
}

std::uint64_t BlockContents::total() const {
  return std::accumulate(pages.begin(), pages.end(), std::uint64_t{0});
}
std::uint64_t BlockContents::unmovable_pages() const { return sum_of(*this, is_unmovable); }
std::uint64_t BlockContents::moving_pages() const { return sum_of(*this, must_move); }

std::uint64_t BlockContents::gigantic_pages(std::uint64_t most) const {
  std::uint64_t sum = 0;
  for (const HugePages& one : huge)
    if (one.size > most) sum += one.pages;
  return sum;
}

std::vector<BlockContents>::const_iterator contents_from(const std::vector<BlockContents>& all,
                                                         BlockId block) {
  return std::lower_bound(
      all.begin(), all.end(), block,
      [](const BlockContents& one, BlockId wanted) { return one.block < wanted; });
}

void estimate_pinned(const std::vector<ProcessPages>& processes,
                     std::vector<BlockContents>& contents) {
  for (const ProcessPages& process : processes) {
    const std::uint64_t resident = std::max<std::uint64_t>(process.resident.value(), 1);
    for (const auto& [block, pages] : process.pages) {
      const auto found = contents_from(contents, block);
      if (found == contents.end() || found->block != block) continue;
      BlockContents& one = contents[static_cast<std::size_t>(found - contents.begin())];
      const double part = std::min(
          static_cast<double>(process.pinned.value()) / static_cast<double>(resident), 1.0);
      // A quarter of a page is one chance in four.
      one.pinned += static_cast<std::uint64_t>(static_cast<double>(pages) * part + 0.75);
    }
  }
}

void add_contents(BlockContents& sum, const BlockContents& more) {
  for (std::size_t i = 0; i < kPageUseCount; ++i) sum.pages[i] += more.pages[i];
  for (const HugePages& one : more.huge) {
    auto at =
        std::lower_bound(sum.huge.begin(), sum.huge.end(), one.size,
                         [](const HugePages& h, std::uint64_t size) { return h.size < size; });
    if (at == sum.huge.end() || at->size != one.size) at = sum.huge.insert(at, {one.size, 0});
    at->pages += one.pages;
  }
  sum.huge_in_use += more.huge_in_use;
  sum.bare += more.bare;
  sum.transparent += more.transparent;
  sum.pinned += more.pinned;
  if (!sum.unmovable) sum.unmovable = more.unmovable;
}

const BlockContents* find_contents(const std::vector<BlockContents>& all, BlockId block) {
  const auto at = contents_from(all, block);
  return at != all.end() && at->block == block ? &*at : nullptr;
}

}  // namespace memonline::model
