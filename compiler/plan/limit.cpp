// SPDX-License-Identifier: LGPL-2.1-or-later
// `limit movable to ...`: the last word on how much becomes Movable (design, allocation step 4).
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/diag/first_few.hpp"
#include "compiler/kernel/memory_state.hpp"
#include "compiler/plan/allocate.hpp"

namespace memonline::plan {

using model::State;
using model::Zone;
using sema::Target;

namespace {

// Blocks of one scope (the host or a node) when the decisions are carried out.
struct Balance {
  std::uint64_t normal = 0;
  std::uint64_t movable = 0;
  std::uint64_t all = 0;
};

bool becomes_movable(const Decision& d) { return d.change && d.target == Target::Movable; }

Balance balance_of(const Allocation& allocation, const model::Host& host,
                   std::optional<model::NodeId> node, bool per_node) {
  Balance balance;
  for (const Decision& d : allocation.decisions) {
    if (per_node && d.blocks.node != node) continue;
    balance.all += d.blocks.count;
    if (d.change) {
      if (d.target == Target::Movable) balance.movable += d.blocks.count;
      if (d.target == Target::Normal) balance.normal += d.blocks.count;
    } else if (d.blocks.state == State::Online) {
      const bool movable = kernel::may_be_movable(host, d.blocks);
      (movable ? balance.movable : balance.normal) += d.blocks.count;
    }
  }
  return balance;
}

// How many blocks about to become movable must become normal for the limit to hold.
std::uint64_t excess(const sema::Limit& limit, const Balance& balance, model::Bytes block_size) {
  return std::visit(overloaded{
                        [&](const sema::Limit::TimesNormal& times) {
                          const std::uint64_t allowed = times.thousandths * balance.normal;
                          const std::uint64_t have = 1000 * balance.movable;
                          if (have <= allowed) return std::uint64_t{0};
                          // Each converted block takes from one side and adds to the other.
                          const std::uint64_t step = 1000 + times.thousandths;
                          return (have - allowed + step - 1) / step;
                        },
                        [&](const sema::Amount& amount) {
                          const std::uint64_t allowed =
                              blocks_of(amount, Target::Movable, balance.all, block_size);
                          return balance.movable > allowed ? balance.movable - allowed : 0;
                        },
                    },
                    limit.bound);
}

// The host as a whole, or each of its nodes.
std::vector<std::optional<model::NodeId>> scopes_of(const Allocation& allocation,
                                                    const sema::Limit& limit) {
  if (!limit.per_node) return {std::nullopt};
  std::vector<std::optional<model::NodeId>> scopes;
  for (const Decision& d : allocation.decisions)
    if (std::find(scopes.begin(), scopes.end(), d.blocks.node) == scopes.end())
      scopes.push_back(d.blocks.node);
  std::sort(scopes.begin(), scopes.end());
  return scopes;
}

void split(std::vector<Decision>& decisions, std::size_t index, std::uint64_t head) {
  Decision rest = decisions[index];
  rest.blocks.first = rest.blocks.first + head;
  rest.blocks.count -= head;
  decisions[index].blocks.count = head;
  decisions.insert(decisions.begin() + static_cast<std::ptrdiff_t>(index) + 1, rest);
}

// Makes the lowest `n` blocks normal that were left to the kernel and came out Movable.
bool decree_normal(Allocation& allocation, const sema::Limit& limit,
                   std::optional<model::NodeId> node, const model::Host& after, std::uint64_t n) {
  auto& decisions = allocation.decisions;
  bool changed = false;
  for (std::size_t i = 0; i < decisions.size() && n > 0; ++i) {
    if (!decisions[i].change || decisions[i].target != Target::Auto) continue;
    if (limit.per_node && decisions[i].blocks.node != node) continue;
    const model::BlockRun* run = after.find_block(decisions[i].blocks.first);
    const std::uint64_t together =
        std::min(decisions[i].blocks.count, run->end() - decisions[i].blocks.first);
    const bool movable = kernel::zone_of(after, *run) == Zone::Movable;
    const std::uint64_t head = movable ? std::min(together, n) : together;
    if (head < decisions[i].blocks.count) split(decisions, i, head);
    if (!movable) continue;
    decisions[i].target = Target::Normal;
    decisions[i].span = limit.span;
    n -= head;
    changed = true;
  }
  return changed;
}

// Converts up to `n` of the lowest blocks; gives how many it could not convert.
std::uint64_t convert(Allocation& allocation, const sema::Limit& limit,
                      std::optional<model::NodeId> node, std::uint64_t n) {
  auto& decisions = allocation.decisions;
  for (std::size_t i = 0; i < decisions.size() && n > 0; ++i) {
    if (!becomes_movable(decisions[i]) || (limit.per_node && decisions[i].blocks.node != node))
      continue;
    if (decisions[i].blocks.count > n) split(decisions, i, n);
    Decision& d = decisions[i];
    n -= d.blocks.count;
    d.target = Target::Normal;
    d.span = limit.span;
    if (d.blocks.state == State::Online) {  // it was to be re-zoned: it stays where it is
      d.change = false;
      d.reason = "online in a kernel zone, and the limit keeps it there";
    }
  }
  return n;
}

}  // namespace

void apply_limits(Allocation& allocation, const sema::FlatPolicy& policy, const model::Host& host,
                  diag::Sink& sink) {
  for (const sema::Limit& limit : policy.limits) {
    std::vector<std::string> beyond;
    for (const auto& node : scopes_of(allocation, limit)) {
      const Balance balance = balance_of(allocation, host, node, limit.per_node);
      const std::uint64_t too_many = excess(limit, balance, host.block_size);
      if (too_many == 0 || convert(allocation, limit, node, too_many) == 0) continue;
      beyond.push_back(limit.per_node && node ? fmt::format("node{}", node->value())
                                              : std::string("this host"));
    }
    if (beyond.empty()) continue;
    auto& d = sink.add(diag::Code::LimitExceededAlready, limit.span,
                       fmt::format("{} {} more Movable online than the limit allows",
                                   diag::first_few(beyond), beyond.size() == 1 ? "has" : "have"));
    d.help = "memory that is online stays; take blocks offline by hand, or raise the limit";
  }
}

bool tighten_limits(Allocation& allocation, const sema::FlatPolicy& policy,
                    const model::Host& before, const model::Host& after) {
  const auto scope_balance = [&](std::optional<model::NodeId> node, bool per_node) {
    Balance balance;
    for (const model::BlockRun& run : after.blocks) {
      if (per_node && run.node != node) continue;
      balance.all += run.count;
      if (run.state != State::Online) continue;
      (kernel::may_be_movable(after, run) ? balance.movable : balance.normal) += run.count;
    }
    return balance;
  };
  for (const sema::Limit& limit : policy.limits) {
    for (const auto& node : scopes_of(allocation, limit)) {
      std::uint64_t n = excess(limit, scope_balance(node, limit.per_node), before.block_size);
      if (n > 0 && decree_normal(allocation, limit, node, after, n)) return true;
    }
  }
  return false;
}

bool overlay(Allocation& base, const Allocation& later) {
  std::vector<Decision> merged;
  bool changed = false;
  // Both cover the same blocks in ascending order, cut in different places.
  auto at = later.decisions.begin();
  for (const Decision& decision : base.decisions) {
    for (model::BlockId from = decision.blocks.first; from < decision.blocks.end();) {
      while (at->blocks.end() <= from) ++at;
      const model::BlockId to = std::min(decision.blocks.end(), at->blocks.end());
      Decision part = at->change ? *at : decision;
      changed = changed || at->change;
      part.blocks = decision.blocks;
      part.blocks.first = from;
      part.blocks.count = to - from;
      merged.push_back(std::move(part));
      from = to;
    }
  }
  base.decisions = std::move(merged);
  return changed;
}

}  // namespace memonline::plan
