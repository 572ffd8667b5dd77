// SPDX-License-Identifier: LGPL-2.1-or-later
// The use of each page by its flags, as /proc/kpageflags prints them: one 64-bit word for each
// page.
//
// Sources: include/uapi/linux/kernel-page-flags.h and include/linux/kernel-page-flags.h (KPF_*);
// fs/proc/page.c, stable_page_flags(); mm/page_isolation.c, has_unmovable_pages(), in 7.2
// page_is_unmovable(). Kernel rules 11.1 to 11.4.
#pragma once

#include <cstdint>
#include <optional>

#include "compiler/model/contents.hpp"

namespace memonline::model {

/// KPF_NOPAGE: the kernel has no such page.
inline constexpr std::uint64_t kNoPage = std::uint64_t{1} << 20U;

/// Counts the pages of one block.
class PageCounter {
 public:
  PageCounter(BlockId block, Pfn first) : next_(first) { contents_.block = block; }

  /// The flags of the next page.
  void add(std::uint64_t flags);
  /// The counts of all pages that were added.
  [[nodiscard]] BlockContents finish() &&;

 private:
  void end_huge_page();

  BlockContents contents_;
  Pfn next_;
  std::optional<PageUse> head_;  ///< the use of the compound page that goes on here
  std::uint64_t huge_ = 0;       ///< pages so far of a huge page of hugetlb
};

}  // namespace memonline::model
