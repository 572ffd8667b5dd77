// SPDX-License-Identifier: LGPL-2.1-or-later
// Names the page that kept a block online when an offline failed: the one in the kernel's own
// report, or else the first page of the block that cannot be moved.
//
// Sources: mm/debug.c, dump_page(), in all kernels since 5.10; mm/memory_hotplug.c,
// do_migrate_range() ("migration failure"); mm/page_isolation.c, set_migratetype_isolate()
// ("unmovable page").
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/model/units.hpp"
#include "runtime/apply/report.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::apply {

/// A page that the kernel reported, and why it did.
struct ReportedPage {
  model::Pfn page;
  std::string why;  ///< "unmovable page", "migration failure"
  friend bool operator==(const ReportedPage&, const ReportedPage&) = default;
};
/// The pages that dump_page() reported in text of /dev/kmsg or of `dmesg`, in its order.
std::vector<ReportedPage> reported_pages(std::string_view log);

/// The kernel's log from the moment of construction on.
class KernelLog {
 public:
  /// Of the machine or tree below `root`. Where its dev/kmsg cannot be read, the log stays empty.
  explicit KernelLog(const std::string& root);
  ~KernelLog();
  KernelLog(const KernelLog&) = delete;
  KernelLog& operator=(const KernelLog&) = delete;
  /// What was logged since then, or since the last call; at most 4 MiB.
  [[nodiscard]] std::string read();

 private:
  int file_ = -1;
};

/// Adds a page to the findings of blocks that could not be offlined, where one can be named.
/// `tree` is that of the machine; its /proc/kpageflags is read for the first block of a finding,
/// for at most 16 of them. `page_size` in bytes. Frame numbers are for root only, as the file is:
/// with `for_all`, only the use is named.
void name_stuck_pages(Report& report, const std::vector<ReportedPage>& reported,
                      const runtime::Tree& tree, std::uint64_t page_size, bool for_all = false);

}  // namespace memonline::apply
