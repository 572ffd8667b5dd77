// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/processes.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "runtime/host/text.hpp"

namespace memonline::runtime {

namespace {

constexpr std::uint64_t kWord = 8;                                // bytes for each page
constexpr std::uint64_t kPresent = std::uint64_t{1} << 63U;       // pagemap: in memory,
constexpr std::uint64_t kFrame = (std::uint64_t{1} << 55U) - 1;   // its page frame number
constexpr std::uint64_t kMostEntries = std::uint64_t{64} << 20U;  // of one process
constexpr std::size_t kEntries = std::size_t{1} << 16U;           // read at once

/// "VmPin:	     128 kB": 128.
std::uint64_t kilobytes(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(fmt::format("\n{}:", name));
  if (at == std::string_view::npos) return 0;
  std::string_view rest = text.substr(at + name.size() + 2);
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
  return decimal(rest.substr(0, rest.find(' '))).value_or(0);
}

std::string command_in(std::string_view status) {
  constexpr std::string_view kName = "Name:\t";
  if (!status.starts_with(kName)) return "?";
  status.remove_prefix(kName.size());
  return std::string(status.substr(0, status.find('\n')));
}

/// Addresses that a process has mapped.
struct Mapping {
  std::uint64_t begin = 0, end = 0;  ///< in pages
  std::uint64_t resident = 0;        ///< pages
};

/// Those of /proc/PID/smaps with pages in memory. A process may reserve far more than it uses.
std::vector<Mapping> mappings_in(std::string_view smaps, std::uint64_t page_size) {
  std::vector<Mapping> all;
  std::optional<Mapping> current;
  while (!smaps.empty()) {
    const std::string_view line = smaps.substr(0, smaps.find('\n'));
    smaps.remove_prefix(std::min(smaps.size(), line.size() + 1));
    const std::size_t dash = line.find('-');
    const std::size_t space = line.find(' ');
    if (dash < space && space != std::string_view::npos) {
      const auto begin = hexadecimal(line.substr(0, dash));
      const auto end = hexadecimal(line.substr(dash + 1, space - dash - 1));
      current.reset();
      if (begin && end && *begin < *end) current = Mapping{*begin / page_size, *end / page_size, 0};
      continue;
    }
    if (!current || !line.starts_with("Rss:")) continue;
    current->resident = kilobytes(fmt::format("\n{}", line), "Rss") * 1024 / page_size;
    if (current->resident > 0) all.push_back(*current);
    current.reset();
  }
  return all;
}

class Counter {
 public:
  Counter(const Tree& tree, const model::Host& host, model::BlockSet blocks)
      : tree_(tree), host_(host), blocks_(std::move(blocks)) {}

  /// The pages of a process in the blocks.
  std::map<model::BlockId, std::uint64_t> pages_of(const std::string& process) {
    std::map<model::BlockId, std::uint64_t> pages;
    const auto smaps = tree_.read((process + "/smaps").c_str());
    if (!smaps) return pages;
    std::uint64_t left = kMostEntries;
    for (const Mapping& mapping : mappings_in(*smaps, host_.page_size))
      if (!count(process + "/pagemap", mapping, left, pages)) break;
    return pages;
  }

 private:
  bool count(const std::string& path, const Mapping& mapping, std::uint64_t& left,
             std::map<model::BlockId, std::uint64_t>& pages) {
    std::uint64_t seen = 0;
    for (std::uint64_t at = mapping.begin; at < mapping.end && seen < mapping.resident;) {
      const auto count = std::min<std::uint64_t>({kEntries, mapping.end - at, left});
      // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): words as the kernel wrote them
      auto* bytes = reinterpret_cast<char*>(entries_.data());
      const auto got = tree_.read_at(path.c_str(), at * kWord, bytes, count * kWord);
      if (!got || *got < kWord) return got.has_value();
      const std::uint64_t words = *got / kWord;
      for (std::uint64_t i = 0; i < words; ++i) {
        if ((entries_[i] & kPresent) == 0) continue;
        ++seen;
        const model::BlockId block = host_.block_at((entries_[i] & kFrame) * host_.page_size);
        if (blocks_.contains(block)) ++pages[block];
      }
      at += words;
      left -= words;
      if (left == 0) return false;
    }
    return true;
  }

  const Tree& tree_;
  const model::Host& host_;
  model::BlockSet blocks_;
  std::vector<std::uint64_t> entries_ = std::vector<std::uint64_t>(kEntries);
};

std::vector<std::uint64_t> process_ids(const Tree& tree) {
  std::vector<std::uint64_t> ids;
  if (const auto names = tree.list("proc"))
    for (const std::string& name : *names)
      if (const auto id = decimal(name)) ids.push_back(*id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace

void read_processes(const Tree& tree, const std::vector<model::BlockRange>& which,
                    Processes processes, model::Host& host, const Continue& go_on) {
  if (host.block_size == model::Bytes(0)) return;
  Counter counter(tree, host, model::BlockSet(which));
  std::vector<model::ProcessPages> found;
  const std::vector<std::uint64_t> ids = process_ids(tree);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i > 0 && go_on && !go_on(i, ids.size())) break;
    const std::string process = fmt::format("proc/{}", ids[i]);
    const auto status = tree.read((process + "/status").c_str());
    if (!status) continue;
    model::ProcessPages one{ids[i],
                            ascii_only(command_in(*status)),
                            model::Bytes(kilobytes(*status, "VmPin") * 1024),
                            model::Bytes(kilobytes(*status, "VmRSS") * 1024),
                            {}};
    if (processes == Processes::Pinning && one.pinned == model::Bytes(0)) continue;
    if (one.resident == model::Bytes(0)) continue;
    for (const auto& [block, pages] : counter.pages_of(process))
      one.pages.emplace_back(block, pages);
    if (!one.pages.empty()) found.push_back(std::move(one));
  }
  host.processes = std::move(found);
  model::estimate_pinned(host.processes, host.contents);
}

}  // namespace memonline::runtime
