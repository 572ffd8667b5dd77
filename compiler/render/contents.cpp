// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/render/contents.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "compiler/plan/prospect.hpp"

namespace memonline::render {

using model::Bytes;
using model::Host;
using model::PageUse;

namespace {

/// "63%", "0.2%", "<0.1%".
std::string share_text(std::uint64_t part, std::uint64_t whole) {
  const std::uint64_t thousandths = (part * 1000 + whole / 2) / whole;
  if (thousandths == 0) return "<0.1%";
  if (thousandths < 100 && thousandths % 10 != 0)
    return fmt::format("{}.{}%", thousandths / 10, thousandths % 10);
  return fmt::format("{}%", (thousandths + 5) / 10);
}

/// "; huge pages of 2 MiB: 16 MiB; transparent huge pages: 8 MiB"
std::string huge_text(const Host& host, const model::BlockContents& contents) {
  std::string text;
  const auto size = [&](std::uint64_t pages) {
    return model::human(Bytes(pages * host.page_size));
  };
  for (const model::HugePages& one : contents.huge)
    text += fmt::format("; in huge pages of {}{}: {}", size(one.size),
                        one.size >= host.pages_per_block() ? " or more" : "", size(one.pages));
  if (contents.transparent > 0)
    text += fmt::format("; in transparent huge pages: {}", size(contents.transparent));
  return text;
}

constexpr std::size_t kMostProcesses = 5;

using Share = std::pair<std::uint64_t, const model::ProcessPages*>;

/// Pages in the blocks and process, those with the most pages first.
std::vector<Share> shares_of(const Host& host, const model::BlockRange& blocks) {
  std::vector<Share> shares;
  for (const model::ProcessPages& process : host.processes) {
    std::uint64_t sum = 0;
    for (const auto& [block, pages] : process.pages)
      if (blocks.contains(block)) sum += pages;
    if (sum > 0) shares.emplace_back(sum, &process);
  }
  std::stable_sort(shares.begin(), shares.end(),
                   [](const Share& a, const Share& b) { return a.first > b.first; });
  return shares;
}

}  // namespace

std::vector<std::string> processes_text(const Host& host, const model::BlockRange& blocks) {
  std::vector<std::string> lines;
  const std::vector<Share> shares = shares_of(host, blocks);
  for (const auto& [pages, process] : shares) {
    if (lines.size() == kMostProcesses) {
      lines.push_back(fmt::format("and {} more", shares.size() - kMostProcesses));
      break;
    }
    lines.push_back(fmt::format("{} ({}): {}", process->command, process->id,
                                model::human(Bytes(pages * host.page_size))));
    if (process->pinned > Bytes(0))
      lines.back() += fmt::format(", {} pinned in total", model::human(process->pinned));
  }
  return lines;
}

void write_processes(text::JsonWriter& json, const Host& host, const model::BlockRange& blocks) {
  if (host.processes.empty()) return;
  json.key("processes").begin_array();
  for (const auto& [pages, process] : shares_of(host, blocks))
    json.begin_object(text::Layout::Line)
        .member("pid", process->id)
        .member("command", process->command)
        .member("bytes", Bytes(pages * host.page_size))
        .member("pinned", process->pinned)
        .end_object();
  json.end_array();
}

std::optional<Held> held_by(const Host& host, const model::BlockRange& blocks) {
  std::optional<Held> held;
  auto at = model::contents_from(host.contents, blocks.first);
  for (; at != host.contents.end() && at->block <= blocks.last; ++at) {
    if (!held) held.emplace().contents.block = at->block;
    model::add_contents(held->contents, *at);
    ++held->blocks;
  }
  return held;
}

std::string held_text(const Host& host, const Held& held) {
  std::vector<std::pair<std::uint64_t, PageUse>> uses;
  for (std::size_t i = 0; i < model::kPageUseCount; ++i)
    if (held.contents.pages[i] > 0)
      uses.emplace_back(held.contents.pages[i], static_cast<PageUse>(i));
  std::stable_sort(uses.begin(), uses.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  const std::uint64_t total = held.contents.total();
  std::string text;
  for (const auto& [pages, use] : uses)
    text += fmt::format("{}{} {} ({})", text.empty() ? "" : ", ", model::page_use_text(use),
                        model::human(Bytes(pages * host.page_size)), share_text(pages, total));
  return text + huge_text(host, held.contents);
}

void write_held(text::JsonWriter& json, const Host& host, const model::BlockRun& run,
                const Held& held) {
  const auto bytes = [&](std::uint64_t pages) { return Bytes(pages * host.page_size); };
  json.key("contents").begin_object().member("blocks", held.blocks).key("bytes").begin_object();
  for (std::size_t i = 0; i < model::kPageUseCount; ++i)
    if (held.contents.pages[i] > 0)
      json.member(model::page_use_name(static_cast<PageUse>(i)), bytes(held.contents.pages[i]));
  json.end_object();
  if (!held.contents.huge.empty()) {
    json.key("hugetlb").begin_array();
    for (const model::HugePages& one : held.contents.huge)
      json.begin_object(text::Layout::Line)
          .member("size", bytes(one.size))
          .member("bytes", bytes(one.pages))
          .end_object();
    json.end_array();
  }
  if (held.contents.transparent > 0) json.member("transparent", bytes(held.contents.transparent));
  if (held.contents.pinned > 0) json.member("pinned", bytes(held.contents.pinned));
  if (held.contents.unmovable) json.member("first_unmovable_page", *held.contents.unmovable);
  const plan::Prospect prospect = plan::prospect_of(host, run, held.contents);
  json.member("chance", plan::chance_name(prospect.chance)).member("why", prospect.why);
  json.end_object();
}

}  // namespace memonline::render
