// SPDX-License-Identifier: LGPL-2.1-or-later
// Room along the steps of a plan, and the diagnostics if it is insufficient or unknown.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/kernel/memory_state.hpp"
#include "compiler/plan/room.hpp"

namespace memonline::plan {

using model::BlockRun;
using model::Bytes;
using model::Host;
using model::State;

namespace {

/// How many of these blocks are online in this zone.
std::uint64_t online_in(const Host& host, const model::WriteRun& run,
                        std::optional<model::Zone> zone) {
  std::uint64_t count = 0;
  auto at = std::partition_point(host.blocks.begin(), host.blocks.end(),
                                 [&](const BlockRun& blocks) { return blocks.end() <= run.low(); });
  for (; at != host.blocks.end() && at->first <= run.high(); ++at) {
    const BlockRun& blocks = *at;
    if (blocks.state != State::Online || kernel::zone_of(host, blocks) != zone) continue;
    const auto first = std::max(blocks.first, run.low());
    const auto last = std::min(blocks.last(), run.high());
    if (first <= last) count += last - first + 1;
  }
  return count;
}

/// The pages in use of these blocks that cannot be reclaimed; empty: the contents of a block were
/// not read.
std::optional<std::uint64_t> used_in(const Host& host, const model::WriteRun& run) {
  const auto& all = host.contents;
  auto at = model::contents_from(all, run.low());
  std::uint64_t used = 0;
  std::uint64_t found = 0;
  for (; at != all.end() && at->block <= run.high(); ++at, ++found)
    used += at->moving_pages() - (*at)[model::PageUse::File];
  return found > 0 && found == run.count() ? std::optional(used) : std::nullopt;
}

}  // namespace

std::optional<Shortage> shortage_of(const std::vector<Step>& steps, const Host& host) {
  Room room(host);
  if (!room.known()) return std::nullopt;
  for (const Step& step : steps) {
    if (const auto* online = std::get_if<OnlineBlocks>(&step.action)) {
      const std::uint64_t there = online_in(host, online->blocks, online->zone);
      room.give({online->node, online->zone, online->blocks.count() - there});
    }
    if (const auto* offline = std::get_if<OfflineBlocks>(&step.action)) {
      const Leaving leaving{offline->node, assumed_zone(offline->zone),
                            online_in(host, offline->blocks, offline->zone),
                            used_in(host, offline->blocks)};
      const Fit fit = room.judge(leaving);
      // The request alone may run before the steps that make room here.
      if (!fit.fits)
        return Shortage{&step, fit, std::min(room.most(leaving), Room(host).most(leaving))};
      room.take(leaving);
    }
  }
  return std::nullopt;
}

diag::Diagnostic& report_shortage(const model::WriteRun& run, const Fit& fit, std::uint64_t fitting,
                                  Bytes block_size, const std::optional<source::SourceSpan>& span,
                                  diag::Sink& sink) {
  auto& d = sink.add(
      diag::Code::NoRoomToOffline, span,
      fmt::format("cannot offline {} ({}): {} in use there must move, but there is room for {}",
                  model::range_name(run.range()), model::human(block_size * run.count()),
                  model::human(fit.moved), model::human(fit.room)));
  d.notes.push_back(fmt::format("free or reclaimable elsewhere: {}, of which {} must stay free",
                                model::human(fit.free), model::human(fit.reserve)));
  if (fit.kernel_only)
    d.notes.emplace_back("the kernel moves pages of a kernel zone to kernel zones only");
  if (fit.off_node)
    d.notes.push_back(
        fmt::format("while another node has memory, the kernel moves pages of node{} to other "
                    "nodes only",
                    *fit.off_node));
  const Bytes missing = fit.moved > fit.room ? fit.moved - fit.room : block_size / 8;
  d.help = fitting > 0 ? fmt::format(
                             "request at most {} of these blocks ({}), or free {} of "
                             "memory first, there or where its pages can move",
                             fitting, model::exact(block_size * fitting), model::human(missing))
                       : fmt::format("free {} of memory first, there or where its pages can move",
                                     model::human(missing));
  return d;
}

bool check_room(const std::vector<Step>& steps, const Host& host, diag::Sink& sink) {
  const auto shortage = shortage_of(steps, host);
  if (!shortage) return true;
  report_shortage(std::get<OfflineBlocks>(shortage->step->action).blocks, shortage->fit,
                  shortage->fitting, host.block_size, std::nullopt, sink);
  return false;
}

void note_room_unknown(const std::vector<Step>& steps, const Host& host, diag::Sink& sink) {
  const bool offlines = std::any_of(steps.begin(), steps.end(), [](const Step& step) {
    return std::holds_alternative<OfflineBlocks>(step.action);
  });
  if (!offlines || Room(host).known()) return;
  sink.add(diag::Code::RoomUnknown, std::nullopt,
           "the host does not report its free memory: whether the pages in use fit elsewhere was "
           "not checked")
      .help = "/proc/zoneinfo and /proc/meminfo report it; `memonline capture` includes both";
}

}  // namespace memonline::plan
