// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/model/page_flags.hpp"

#include <algorithm>
#include <utility>

namespace memonline::model {

namespace {

constexpr std::uint64_t flag(unsigned bit) { return std::uint64_t{1} << bit; }
constexpr std::uint64_t kLru = flag(5);
constexpr std::uint64_t kSlab = flag(7);
constexpr std::uint64_t kBuddy = flag(10);
constexpr std::uint64_t kMapped = flag(11);
constexpr std::uint64_t kAnonymous = flag(12);
constexpr std::uint64_t kSwapBacked = flag(14);
constexpr std::uint64_t kHead = flag(15);
constexpr std::uint64_t kTail = flag(16);
constexpr std::uint64_t kHuge = flag(17);
constexpr std::uint64_t kPoisoned = flag(19);
constexpr std::uint64_t kTransparent = flag(22);
constexpr std::uint64_t kOffline = flag(23);
constexpr std::uint64_t kPageTable = flag(26);
constexpr std::uint64_t kReserved = flag(32);
constexpr std::uint64_t kOwnerPrivate = flag(37);

/// The use that the page's own flags show; empty: they show none.
std::optional<PageUse> own_use(std::uint64_t flags) {
  const auto has = [&](std::uint64_t one) { return (flags & one) != 0; };
  if (has(kNoPage)) return PageUse::Hole;
  if (has(kPoisoned)) return PageUse::Poisoned;
  if (has(kBuddy)) return PageUse::Free;
  if (has(kReserved)) return has(kOwnerPrivate) ? PageUse::MemoryMap : PageUse::Reserved;
  if (has(kOffline)) return PageUse::Ballooned;
  if (has(kHuge)) return PageUse::HugePages;
  if (has(kSlab)) return PageUse::Slab;
  if (has(kPageTable)) return PageUse::PageTables;
  if (has(kAnonymous)) return PageUse::Anonymous;
  if (has(kLru)) return has(kSwapBacked) ? PageUse::SharedMemory : PageUse::File;
  return std::nullopt;
}

}  // namespace

void PageCounter::add(std::uint64_t flags) {
  const bool tail = (flags & kTail) != 0;
  const auto own = own_use(flags);
  // Before ~6.9, the other pages of a compound page have no flags of their own.
  if (!tail) head_ = own.value_or(PageUse::Kernel);
  const PageUse use = own ? *own : tail && head_ ? *head_ : PageUse::Kernel;
  if (use != PageUse::HugePages || (flags & kHead) != 0) end_huge_page();
  if (use == PageUse::HugePages) ++huge_;
  if (use == PageUse::HugePages && (flags & kMapped) != 0) ++contents_.huge_in_use;
  if (flags == 0) ++contents_.bare;
  ++contents_.pages[static_cast<std::size_t>(use)];
  if ((flags & kTransparent) != 0) ++contents_.transparent;
  if (!contents_.unmovable && is_unmovable(use)) contents_.unmovable = next_;
  ++next_;
}

void PageCounter::end_huge_page() {
  if (huge_ == 0) return;
  auto at = std::find_if(contents_.huge.begin(), contents_.huge.end(),
                         [&](const HugePages& one) { return one.size >= huge_; });
  if (at == contents_.huge.end() || at->size != huge_) at = contents_.huge.insert(at, {huge_, 0});
  at->pages += huge_;
  huge_ = 0;
}

BlockContents PageCounter::finish() && {
  end_huge_page();
  return std::move(contents_);
}

}  // namespace memonline::model
