// SPDX-License-Identifier: LGPL-2.1-or-later
// What the pages of an online memory block are used for: counts by use, as /proc/kpageflags shows
// them (compiler/model/page_flags.hpp). A snapshot of a moment, not part of the fingerprint.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/model/units.hpp"

namespace memonline::model {

enum class PageUse : std::uint8_t {
  Free,
  Anonymous,     ///< of processes
  File,          ///< page cache
  SharedMemory,  ///< tmpfs and shared memory: page cache that only swapping can reclaim
  HugePages,     ///< of hugetlb
  Ballooned,     ///< given to the host by a balloon, or not plugged by virtio-mem
  Poisoned,      ///< taken out of use after a hardware error
  MemoryMap,     ///< the block's own memory map (memmap_on_memory)
  Slab,          ///< small objects of the kernel
  PageTables,
  Reserved,  ///< allocated at boot, before the page allocator ran
  Kernel,    ///< other memory of the kernel and its drivers; shows no flags
  Hole,      ///< not RAM
};
inline constexpr std::size_t kPageUseCount = 13;

/// "free", "anonymous", "file", "shmem", "hugetlb", "ballooned", "poisoned", "memmap", "slab",
/// "page-tables", "reserved", "kernel", "hole": in snapshots and JSON.
std::string_view page_use_name(PageUse use);
std::optional<PageUse> page_use_named(std::string_view name);
/// The same for people: "page cache", "page tables".
std::string_view page_use_text(PageUse use);

/// The kernel cannot move such pages: one of them keeps its block online (kernel rule 11.2).
constexpr bool is_unmovable(PageUse use) {
  return use == PageUse::Slab || use == PageUse::PageTables || use == PageUse::Reserved ||
         use == PageUse::Kernel;
}
/// Such pages are moved before their block goes offline.
constexpr bool must_move(PageUse use) {
  return use == PageUse::Anonymous || use == PageUse::File || use == PageUse::SharedMemory ||
         use == PageUse::HugePages;
}

/// The free memory of the host at the moment when contents were read.
struct FreePages {
  /// Blocks of 1, 2, 4 pages and so on, as /proc/buddyinfo counts them; empty: unknown.
  std::vector<std::uint64_t> by_order;
  std::uint64_t on_cpus = 0;  ///< kept by CPUs for themselves (/proc/zoneinfo, pagesets)
  std::uint64_t huge = 0;     ///< in the pool of hugetlb, in pages of its default size
  /// This kernel may move a huge page back into the block that it is to leave (kernel rule 11.6).
  bool huge_may_return = false;
  /// The free pages in blocks of at least `size` pages; empty: unknown.
  [[nodiscard]] std::optional<std::uint64_t> in_blocks_of(std::uint64_t size) const;
  friend bool operator==(const FreePages&, const FreePages&) = default;
};

/// The huge pages of one size.
struct HugePages {
  std::uint64_t size = 0;  ///< in pages; one that crosses the end of the block counts up to there
  std::uint64_t pages = 0;
  friend bool operator==(const HugePages&, const HugePages&) = default;
};

struct BlockContents {
  BlockId block;
  std::array<std::uint64_t, kPageUseCount> pages{};  ///< by use
  std::vector<HugePages> huge;                       ///< of hugetlb, by size, ascending
  std::uint64_t huge_in_use = 0;  ///< pages of hugetlb that processes have mapped
  /// Of PageUse::Kernel, the pages without any flag: each is the kernel's, or free and kept by a
  /// CPU for itself.
  std::uint64_t bare = 0;
  std::uint64_t transparent = 0;  ///< pages of transparent huge pages; counted by their use as well
  std::optional<Pfn> unmovable;   ///< the first page that cannot be moved
  /// Pinned pages of processes, estimated: the kernel reports how much a process has pinned, not
  /// where. Counted by their use as well.
  std::uint64_t pinned = 0;
  [[nodiscard]] std::uint64_t operator[](PageUse use) const {
    return pages[static_cast<std::size_t>(use)];
  }
  [[nodiscard]] std::uint64_t total() const;
  [[nodiscard]] std::uint64_t unmovable_pages() const;
  [[nodiscard]] std::uint64_t moving_pages() const;
  /// Pages in huge pages larger than `most` pages, which the kernel moves only into such a page
  /// that is free (kernel rule 11.4).
  [[nodiscard]] std::uint64_t gigantic_pages(std::uint64_t most) const;
  friend bool operator==(const BlockContents&, const BlockContents&) = default;
};

/// A process with pages in the blocks that were examined.
struct ProcessPages {
  std::uint64_t id = 0;
  std::string command;
  Bytes pinned;    ///< of all its memory: buffers of io_uring and RDMA
  Bytes resident;  ///< all its memory
  std::vector<std::pair<BlockId, std::uint64_t>> pages;  ///< by block, ascending
  friend bool operator==(const ProcessPages&, const ProcessPages&) = default;
};
/// Estimates the pinned pages of each block: as large a part of the process's pages there as of all
/// its memory.
void estimate_pinned(const std::vector<ProcessPages>& processes,
                     std::vector<BlockContents>& contents);

/// Adds the pages of `more` to those of `sum`, which keeps its block and its first unmovable page.
void add_contents(BlockContents& sum, const BlockContents& more);

/// The first of an ascending list at or above a block.
std::vector<BlockContents>::const_iterator contents_from(const std::vector<BlockContents>& all,
                                                         BlockId block);
/// Those of a block, in an ascending list; nullptr: not there.
const BlockContents* find_contents(const std::vector<BlockContents>& all, BlockId block);

}  // namespace memonline::model
