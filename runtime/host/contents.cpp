// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/contents.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "compiler/model/page_flags.hpp"
#include "runtime/host/notes.hpp"
#include "runtime/host/text.hpp"

namespace memonline::runtime {

namespace {

constexpr std::uint64_t kWord = 8;  // bytes for each page

/// The blocks of a range that are online.
void append_online(const model::Host& host, const model::BlockRange& range,
                   std::vector<model::BlockId>& into) {
  auto run = std::partition_point(host.blocks.begin(), host.blocks.end(),
                                  [&](const auto& one) { return one.last() < range.first; });
  for (; run != host.blocks.end() && run->first <= range.last; ++run) {
    if (run->state != model::State::Online) continue;
    const model::BlockId end = std::min(run->last(), range.last) + 1;
    for (model::BlockId block = std::max(run->first, range.first); block < end; ++block)
      into.push_back(block);
  }
}

/// The line up to the next newline, which is taken off.
std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

/// The sum of the numbers in the lines that begin with this word.
std::uint64_t sum_of(const Tree& tree, const char* path, std::string_view word) {
  const auto text = tree.read(path);
  std::uint64_t sum = 0;
  for (std::string_view rest = text ? std::string_view(*text) : ""; !rest.empty();) {
    const auto words = words_of(take_line(rest));
    if (words.size() >= 2 && words[0] == word) sum += decimal(words[1]).value_or(0);
  }
  return sum;
}

/// The sums over all zones of the columns of /proc/buddyinfo.
std::vector<std::uint64_t> free_by_order(const Tree& tree) {
  constexpr std::size_t kWordsBefore = 4;  // "Node 0, zone Normal"
  constexpr std::size_t kMostOrders = 20;
  std::vector<std::uint64_t> sums;
  const auto text = tree.read("proc/buddyinfo");
  if (!text) return sums;
  for (std::string_view rest = *text; !rest.empty();) {
    const auto words = words_of(take_line(rest));
    if (words.size() <= kWordsBefore || words.size() > kWordsBefore + kMostOrders) continue;
    sums.resize(std::max(sums.size(), words.size() - kWordsBefore));
    for (std::size_t i = kWordsBefore; i < words.size(); ++i)
      sums[i - kWordsBefore] += decimal(words[i]).value_or(0);
  }
  return sums;
}

model::FreePages free_pages(const Tree& tree) {
  return {free_by_order(tree), sum_of(tree, "proc/zoneinfo", "count:"),
          sum_of(tree, "proc/meminfo", "HugePages_Free:"),
          !tree.exists("proc/sys/vm/movable_gigantic_pages")};
}

/// The contents of one block. Where the file ends within it, the rest is not RAM; errno 0: it ends
/// before the block.
Result<model::BlockContents, Errno> contents_of(const Tree& tree, const model::Host& host,
                                                model::BlockId block) {
  const model::PageRange range = host.pages_of(block, 1);
  std::vector<std::uint64_t> flags(std::min<std::uint64_t>(range.end - range.begin, 1U << 16U));
  model::PageCounter counter(block, model::Pfn(range.begin));
  for (std::uint64_t page = range.begin; page < range.end; page += flags.size()) {
    const auto count = std::min<std::uint64_t>(flags.size(), range.end - page);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): words as the kernel wrote them
    auto* bytes = reinterpret_cast<char*>(flags.data());
    const auto got = tree.read_at(kPageFlags, page * kWord, bytes, count * kWord);
    if (!got) return fail(Errno{got.error()});
    if (*got < kWord && page == range.begin) return fail(Errno{});
    std::fill(flags.begin() + static_cast<std::ptrdiff_t>(*got / kWord), flags.end(),
              model::kNoPage);
    for (std::uint64_t i = 0; i < count; ++i) counter.add(flags[i]);
  }
  return std::move(counter).finish();
}

}  // namespace

void read_contents(const Tree& tree, const std::vector<model::BlockRange>& which, model::Host& host,
                   std::uint64_t most, const Continue& go_on) {
  const std::uint64_t pages = host.pages_per_block();
  if (pages == 0) return;
  std::vector<model::BlockId> blocks;
  for (const model::BlockRange& range : which) append_online(host, range, blocks);
  blocks.resize(std::min<std::uint64_t>(blocks.size(), most / pages));
  std::uint64_t done = 0;
  bool ends_early = false;
  Notes notes;
  for (const model::BlockId block : blocks) {
    auto contents = contents_of(tree, host, block);
    if (!contents && contents.error() != Errno{}) {
      notes.failure(kPageFlags, contents.error());
      break;
    }
    if (contents)
      host.contents.push_back(std::move(*contents));
    else
      ends_early = true;
    if (go_on && !go_on(++done, blocks.size())) break;
  }
  if (ends_early) notes.add(kPageFlags, "ends early");
  for (model::Unread& note : notes.take()) host.unread.push_back(std::move(note));
  host.free_pages = free_pages(tree);
  std::sort(host.contents.begin(), host.contents.end(),
            [](const auto& a, const auto& b) { return a.block < b.block; });
}

void read_contents_below(const std::string& root, const std::vector<model::BlockRange>& which,
                         model::Host& host, std::uint64_t most, const Continue& go_on) {
  if (!host.contents.empty()) return;
  if (const auto tree = open_directory(root)) read_contents(**tree, which, host, most, go_on);
}

}  // namespace memonline::runtime
