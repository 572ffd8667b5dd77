// SPDX-License-Identifier: LGPL-2.1-or-later
// Diagnostics of limits: blocks that stay offline because of them, and limits that are exceeded.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "compiler/diag/first_few.hpp"
#include "compiler/plan/limit.hpp"

namespace memonline::plan {

namespace {

std::string size_text(std::uint64_t blocks, const model::Host& host) {
  return fmt::format("{} block{} ({})", blocks, blocks == 1 ? "" : "s",
                     model::human(host.block_size * blocks));
}

void report_beyond(const LimitBook& book, const sema::Limit& limit, const model::Host& host,
                   diag::Sink& sink) {
  std::vector<std::string> scopes;
  std::uint64_t blocks = 0;
  for (const LimitBook::Scope& scope : book.scopes_of(limit)) {
    const std::uint64_t beyond = book.beyond(limit, scope);
    if (beyond == 0) continue;
    blocks += beyond;
    scopes.push_back(scope && *scope ? fmt::format("node{}", **scope) : std::string("this host"));
  }
  if (scopes.empty()) return;
  sink.add(
          diag::Code::LimitExceededAlready, limit.span,
          fmt::format("{} {} {} more Movable online than the limit allows", diag::first_few(scopes),
                      scopes.size() == 1 ? "has" : "have", size_text(blocks, host)))
      .help = "online memory stays in its zone; offline blocks by hand, or raise the limit";
}

void report_offline(std::uint64_t blocks, const sema::Limit& limit, const model::Host& host,
                    diag::Sink& sink) {
  if (blocks == 0) return;
  sink.add(diag::Code::LimitLeavesOffline, limit.span,
           fmt::format("the limit leaves {} offline that would have become Movable",
                       size_text(blocks, host)))
      .help = "raise the limit, or request `normal` for these blocks";
}

}  // namespace

void report_limits(const std::vector<Decision>& decisions, const sema::FlatPolicy& policy,
                   const model::Host& host, diag::Sink& sink) {
  const LimitBook book(policy, host, decisions);
  std::map<const sema::Limit*, std::uint64_t> offline;
  for (const Decision& d : decisions)
    if (d.refused_by != nullptr && planned_state(d, host) == PlannedState::Offline)
      offline[d.refused_by] += d.blocks.count;
  for (const sema::Limit& limit : policy.limits) {
    report_beyond(book, limit, host, sink);
    report_offline(offline[&limit], limit, host, sink);
  }
}

}  // namespace memonline::plan
