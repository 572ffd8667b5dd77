// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/apply/stuck_pages.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "compiler/model/contents.hpp"
#include "compiler/model/page_flags.hpp"
#include "runtime/host/contents.hpp"
#include "runtime/host/text.hpp"

namespace memonline::apply {

namespace {

constexpr std::size_t kMaxLogBytes = std::size_t{4} << 20U;
constexpr unsigned kMaxBlocksRead = 16;
constexpr std::uint64_t kWord = 8;  // bytes of /proc/kpageflags for each page

/// What is after `word` in a line; empty: it is not there.
std::string_view after(std::string_view line, std::string_view word) {
  const auto at = line.find(word);
  return at == std::string_view::npos ? std::string_view() : line.substr(at + word.size());
}

/// Could not be offlined because of what the block holds, judging by errno.
bool is_held(const Finding& finding) {
  const BlockResult& result = finding.result;
  if (result.outcome == Outcome::Deadline) return true;
  return (result.outcome == Outcome::Refused || result.outcome == Outcome::Again) &&
         (result.error == EBUSY || result.error == EAGAIN || result.error == EINTR);
}

/// The flags of pages, from the first one on; fewer where the file ends.
std::vector<std::uint64_t> flags_of(const runtime::Tree& tree, std::uint64_t first,
                                    std::uint64_t count) {
  std::vector<std::uint64_t> flags(count);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): words as the kernel wrote them
  auto* bytes = reinterpret_cast<char*>(flags.data());
  const auto got = tree.read_at(runtime::kPageFlags, first * kWord, bytes, count * kWord);
  flags.resize(got ? *got / kWord : 0);
  return flags;
}

model::BlockContents contents_of(const runtime::Tree& tree, model::BlockId block,
                                 std::uint64_t first, std::uint64_t count) {
  model::PageCounter counter(block, model::Pfn(first));
  for (const std::uint64_t flags : flags_of(tree, first, count)) counter.add(flags);
  return std::move(counter).finish();
}

/// The use of one page; empty: unknown, or the page has since been freed.
std::optional<model::PageUse> use_of(const runtime::Tree& tree, model::BlockId block,
                                     std::uint64_t page) {
  const model::BlockContents contents = contents_of(tree, block, page, 1);
  for (std::size_t i = 0; i < model::kPageUseCount; ++i)
    if (const auto use = static_cast<model::PageUse>(i); contents[use] != 0)
      return use == model::PageUse::Free ? std::optional<model::PageUse>() : use;
  return std::nullopt;
}

/// The last page that the kernel reported in these blocks: it was in the way at the end.
const ReportedPage* reported_in(const std::vector<ReportedPage>& reported, std::uint64_t begin,
                                std::uint64_t end) {
  const auto found = std::find_if(reported.rbegin(), reported.rend(), [&](const auto& one) {
    return begin <= one.page.value() && one.page.value() < end;
  });
  return found == reported.rend() ? nullptr : &*found;
}

}  // namespace

std::vector<ReportedPage> reported_pages(std::string_view log) {
  std::vector<ReportedPage> pages;
  std::optional<std::uint64_t> page;
  while (!log.empty()) {
    const std::string_view line = log.substr(0, log.find('\n'));
    log.remove_prefix(std::min(log.size(), line.size() + 1));
    if (const auto number = after(line, " pfn:0x"); !number.empty())
      page = runtime::hexadecimal(number.substr(0, number.find_first_of(" \t")));
    const auto why = after(line, "page dumped because: ");
    if (why.empty() || !page) continue;
    pages.push_back({model::Pfn(*page), runtime::ascii_only(std::string(why.substr(0, 80)))});
    page.reset();
  }
  return pages;
}

KernelLog::KernelLog(const std::string& root) {
  const std::string path = root + (root.ends_with('/') ? "dev/kmsg" : "/dev/kmsg");
  file_ = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (file_ >= 0 && ::lseek(file_, 0, SEEK_END) < 0) {
    ::close(file_);
    file_ = -1;
  }
}

KernelLog::~KernelLog() {
  if (file_ >= 0) ::close(file_);
}

std::string KernelLog::read() {
  std::string log;
  std::array<char, 8192> record{};  // as the kernel's own limit of a record, CONSOLE_EXT_LOG_MAX
  while (file_ >= 0 && log.size() < kMaxLogBytes) {
    const ssize_t got = ::read(file_, record.data(), record.size());
    if (got < 0 && (errno == EPIPE || errno == EINTR)) continue;  // EPIPE: records were overwritten
    if (got <= 0) break;
    log.append(record.data(), static_cast<std::size_t>(got));
  }
  return log;
}

void name_stuck_pages(Report& report, const std::vector<ReportedPage>& reported,
                      const runtime::Tree& tree, std::uint64_t page_size, bool for_all) {
  if (page_size == 0) return;
  const std::uint64_t pages = report.block_size / page_size;
  unsigned read = 0;
  for (StepReport& step : report.steps) {
    if (step.kind != Task::Kind::Offline) continue;
    for (Finding& finding : step.findings) {
      if (!is_held(finding)) continue;
      const model::BlockId first = finding.blocks.first;
      const std::uint64_t begin = finding.blocks.low().value() * pages;
      const std::uint64_t end = (finding.blocks.high().value() + 1) * pages;
      if (const ReportedPage* known = reported_in(reported, begin, end)) {
        finding.page = StuckPage{known->page, known->why, use_of(tree, first, known->page.value())};
      } else if (finding.result.error == EBUSY && read++ < kMaxBlocksRead) {
        const auto contents = contents_of(tree, first, first.value() * pages, pages);
        if (!contents.unmovable) continue;
        const model::Pfn page = *contents.unmovable;
        finding.page = StuckPage{page, {}, use_of(tree, first, page.value())};
      }
      if (for_all && finding.page) finding.page->page.reset();
      if (for_all && finding.page && !finding.page->use && finding.page->why.empty())
        finding.page.reset();
      if (finding.page) finding.text += stuck_page_text(*finding.page);
    }
  }
}

}  // namespace memonline::apply
