// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/prospect.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "compiler/diag/first_few.hpp"

namespace memonline::plan {

using model::BlockRun;
using model::Host;
using model::State;
using model::Zone;

std::string_view chance_text(Chance chance) {
  switch (chance) {
    case Chance::Gone: return "done";
    case Chance::Likely: return "likely to succeed";
    case Chance::Maybe: return "may succeed";
    case Chance::Unlikely: return "unlikely to succeed";
    case Chance::Never: break;
  }
  return "impossible";
}

Prospect prospect_of(const Host& host, const BlockRun& run) {
  using Kind = model::ValidZones::Kind;
  const bool boot = host.devices.at(run.device).origin == model::Origin::Boot;
  if (run.state == State::Offline) return {Chance::Gone, "offline already"};
  if (!host.hot_remove)
    return {Chance::Never, "this kernel was built without CONFIG_MEMORY_HOTREMOVE"};
  if (run.several_nodes || run.zones.kind() == Kind::None)
    return {Chance::Never, "the block spans several zones or nodes (EINVAL)"};
  if (run.holes && host.era >= model::Era::C2)
    return {Chance::Never, "part of the block is not RAM (EINVAL)"};
  if (boot && host.arch == "aarch64")
    return {Chance::Never, "arm64 keeps all boot memory online (EPERM)"};
  if (run.state != State::Online || run.zones.kind() != Kind::Listed)
    return {Chance::Maybe, "its zone is unknown"};
  if (run.zones[0] != Zone::Movable)
    return {Chance::Unlikely,
            fmt::format("in {}, where one unmovable page keeps the block online{}",
                        model::zone_name(run.zones[0]),
                        boot ? "; boot memory usually contains such pages" : "")};
  if (boot)
    return {Chance::Maybe, "Movable boot memory; allocations made during boot cannot be moved"};
  return {Chance::Likely, "hot-added, in Movable"};
}

namespace {

/// "312 unmovable pages (slab 300, page tables 12)"
std::string unmovable_text(const model::BlockContents& contents) {
  std::string uses;
  for (std::size_t i = 0; i < model::kPageUseCount; ++i) {
    const auto use = static_cast<model::PageUse>(i);
    if (contents[use] == 0 || !model::is_unmovable(use)) continue;
    uses +=
        fmt::format("{}{} {}", uses.empty() ? "" : ", ", model::page_use_text(use), contents[use]);
  }
  const std::uint64_t pages = contents.unmovable_pages();
  return fmt::format("{} unmovable page{} ({})", pages, pages == 1 ? "" : "s", uses);
}

std::string to_move_text(const Host& host, const model::BlockContents& contents) {
  const std::uint64_t pages = contents.moving_pages();
  if (pages == 0) return "nothing to move";
  return model::human(model::Bytes(pages * host.page_size)) + " to move";
}

/// The pages of the huge pages that find no free block of their size elsewhere (kernel rule 11.5).
/// What is free in these blocks themselves does not count: it may be in large pieces.
std::optional<std::uint64_t> huge_without_room(const Host& host,
                                               const model::BlockContents& contents) {
  for (const model::HugePages& one : contents.huge) {
    const auto free = host.free_pages.in_blocks_of(one.size);
    if (free && *free < one.pages + contents[model::PageUse::Free]) return one.pages;
  }
  return std::nullopt;
}

}  // namespace

Prospect prospect_of(const Host& host, const BlockRun& run, const model::BlockContents& contents) {
  Prospect by_zone = prospect_of(host, run);
  if (by_zone.chance == Chance::Gone || by_zone.chance == Chance::Never ||
      run.zones.kind() != model::ValidZones::Kind::Listed)
    return by_zone;
  const bool movable = run.zones[0] == Zone::Movable;
  const std::string where = fmt::format("in {}", model::zone_name(run.zones[0]));
  // In Movable, the kernel checks only for pages reserved at boot (kernel rule 11.2).
  // In each block, as many pages without flags may be free as are on all per-CPU lists.
  const std::uint64_t pages = std::max<std::uint64_t>(host.pages_per_block(), 1);
  const std::uint64_t blocks = std::max<std::uint64_t>(contents.total() / pages, 1);
  const bool bare_are_free = contents.bare <= host.free_pages.on_cpus * blocks;
  const std::uint64_t unmovable =
      movable ? contents[model::PageUse::Reserved]
              : contents.unmovable_pages() - (bare_are_free ? contents.bare : 0);
  if (unmovable > 0) return {Chance::Unlikely, where + ", " + unmovable_text(contents)};
  if (const std::uint64_t gigantic = contents.gigantic_pages(host.max_order_pages); gigantic > 0)
    return {Chance::Unlikely,
            fmt::format("{}, {} in gigantic pages, which move only to free ones of the same size",
                        where, model::human(model::Bytes(gigantic * host.page_size)))};
  if (contents.huge_in_use > 0 && host.free_pages.huge > 0 && host.free_pages.huge_may_return)
    return {Chance::Unlikely,
            fmt::format("{}, {} in huge pages in use, which this kernel may move within the block "
                        "while {} huge pages are free (vm.nr_hugepages)",
                        where, model::human(model::Bytes(contents.huge_in_use * host.page_size)),
                        host.free_pages.huge)};
  if (const auto huge = huge_without_room(host, contents))
    return {Chance::Unlikely,
            fmt::format(
                "{}, {} in huge pages, but too little free memory elsewhere in pages of that size",
                where, model::human(model::Bytes(*huge * host.page_size)))};
  // From 5.15 on, a page leaves Movable before it is pinned for long.
  if (contents.pinned > 0 && (!movable || host.era < model::Era::D))
    return {Chance::Unlikely,
            fmt::format("{}, about {} pinned by processes", where,
                        model::human(model::Bytes(contents.pinned * host.page_size)))};
  return {Chance::Likely,
          fmt::format("{}{}, {}", where,
                      movable ? ""
                      : contents.bare > 0
                          ? fmt::format(", {} pages may be free or the kernel's", contents.bare)
                          : ", no unmovable page",
                      to_move_text(host, contents))};
}

const model::Unread* contents_unread(const Host& host) {
  const auto at = std::find_if(host.unread.begin(), host.unread.end(),
                               [](const auto& note) { return note.path == "/proc/kpageflags"; });
  return at != host.unread.end() ? &*at : nullptr;
}

void judge_offlining(const Host& host, Plan& plan, diag::Sink& sink) {
  std::uint64_t unlikely = 0;
  std::vector<std::string> why;
  std::map<std::optional<model::NodeId>, std::uint64_t> by_node;
  for (Step& step : plan.steps) {
    auto* offline = std::get_if<OfflineBlocks>(&step.action);
    if (offline == nullptr || offline->all_or_nothing) continue;
    Chance chance = Chance::Gone;
    for (const BlockRun& run : host.blocks) {
      const model::BlockId first = std::max(run.first, offline->blocks.low());
      const model::BlockId last = std::min(run.last(), offline->blocks.high());
      if (last < first) continue;
      const Prospect prospect = prospect_of(host, run);
      // Blocks that the plan onlines before are empty.
      if (prospect.chance == Chance::Gone) continue;
      chance = std::max(chance, prospect.chance);
      if (prospect.chance != Chance::Unlikely) continue;
      unlikely += last - first + 1;
      by_node[offline->node] += last - first + 1;
      why.push_back(fmt::format("{}: {}", model::range_name(first, last), prospect.why));
    }
    if (chance != Chance::Gone) offline->chance = chance;
  }
  if (unlikely == 0) return;
  auto& d = sink.add(diag::Code::OfflineUnlikely, std::nullopt,
                     fmt::format("offlining {} of the blocks is likely to fail", unlikely));
  diag::add_first_few(d, why);
  d.help =
      "blocks that cannot be offlined stay as they are; a `movable` rule that is active before "
      "memory is added keeps it out of kernel zones";
  for (NodeOutcome& node : plan.outcome)
    if (const auto at = by_node.find(node.node); at != by_node.end())
      node.uncertain = host.block_size * at->second;
}

}  // namespace memonline::plan
