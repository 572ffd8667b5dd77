// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/limit.hpp"

#include <algorithm>
#include <limits>

#include "compiler/base/overloaded.hpp"
#include "compiler/kernel/memory_state.hpp"

namespace memonline::plan {

using model::State;
using sema::Target;

namespace {

PlannedState now_of(const model::Host& host, const model::BlockRun& run) {
  if (run.state != State::Online) return PlannedState::Offline;
  return kernel::may_be_movable(host, run) ? PlannedState::Movable : PlannedState::Normal;
}

}  // namespace

PlannedState planned_state(const Decision& d, const model::Host& host) {
  const PlannedState now = now_of(host, d.blocks);
  if (d.refused_by != nullptr) {
    const bool stays_online = now != PlannedState::Offline && !d.fresh;
    const bool becomes_normal = stays_online || (d.whole && !d.cannot_be_normal);
    return becomes_normal ? PlannedState::Normal : PlannedState::Offline;
  }
  if (!d.change) return now;
  switch (d.target) {
    case Target::Movable: return PlannedState::Movable;
    case Target::Normal: return PlannedState::Normal;
    case Target::Auto: return d.picked_movable ? PlannedState::Movable : PlannedState::Normal;
    case Target::Offline: return PlannedState::Offline;
    case Target::Keep: break;
  }
  return now;
}

LimitBook::LimitBook(const sema::FlatPolicy& policy, const model::Host& host)
    : policy_(policy), block_size_(host.block_size) {
  for (const model::BlockRun& run : host.blocks) add(run.node, now_of(host, run), run.count);
}

LimitBook::LimitBook(const sema::FlatPolicy& policy, const model::Host& host,
                     const std::vector<Decision>& decisions)
    : policy_(policy), block_size_(host.block_size) {
  for (const Decision& d : decisions) add(d.blocks.node, planned_state(d, host), d.blocks.count);
}

void LimitBook::add(std::optional<model::NodeId> node, PlannedState state, std::uint64_t blocks) {
  for (Balance* balance : {&host_, &nodes_[node]}) {
    balance->all += blocks;
    if (state == PlannedState::Normal) balance->normal += blocks;
    if (state == PlannedState::Movable) balance->movable += blocks;
  }
}

void LimitBook::move(std::optional<model::NodeId> node, PlannedState from, PlannedState to,
                     std::uint64_t blocks) {
  for (Balance* balance : {&host_, &nodes_[node]}) {
    if (from == PlannedState::Normal) balance->normal -= blocks;
    if (from == PlannedState::Movable) balance->movable -= blocks;
    if (to == PlannedState::Normal) balance->normal += blocks;
    if (to == PlannedState::Movable) balance->movable += blocks;
  }
}

std::vector<LimitBook::Scope> LimitBook::scopes_of(const sema::Limit& limit) const {
  if (!limit.per_node) return {std::nullopt};
  std::vector<Scope> scopes;
  for (const auto& [node, balance] : nodes_) scopes.emplace_back(node);
  return scopes;
}

const LimitBook::Balance& LimitBook::balance(Scope scope) const {
  return scope ? nodes_.at(*scope) : host_;
}

std::uint64_t LimitBook::allowed(const sema::Amount& amount, const Balance& balance) const {
  return blocks_of(amount, Target::Movable, balance.all, block_size_);
}

std::uint64_t LimitBook::excess(const sema::Limit& limit, Scope scope, PlannedState instead) const {
  const Balance& has = balance(scope);
  return std::visit(overloaded{
                        [&](const sema::Limit::TimesNormal& times) {
                          const std::uint64_t most = times.thousandths * has.normal;
                          if (1000 * has.movable <= most) return std::uint64_t{0};
                          // A block that becomes normal takes from one side and adds to the other.
                          const std::uint64_t step =
                              1000 + (instead == PlannedState::Normal ? times.thousandths : 0);
                          return (1000 * has.movable - most + step - 1) / step;
                        },
                        [&](const sema::Amount& amount) {
                          const std::uint64_t most = allowed(amount, has);
                          return has.movable > most ? has.movable - most : 0;
                        },
                    },
                    limit.bound);
}

std::uint64_t LimitBook::beyond(const sema::Limit& limit, Scope scope) const {
  return excess(limit, scope, PlannedState::Offline);
}

std::uint64_t LimitBook::room(const sema::Limit& limit, Scope scope, PlannedState now) const {
  const Balance& has = balance(scope);
  return std::visit(overloaded{
                        [&](const sema::Limit::TimesNormal& times) {
                          const std::uint64_t most = times.thousandths * has.normal;
                          if (1000 * has.movable >= most) return std::uint64_t{0};
                          return (most - 1000 * has.movable) /
                                 (1000 + (now == PlannedState::Normal ? times.thousandths : 0));
                        },
                        [&](const sema::Amount& amount) {
                          const std::uint64_t most = allowed(amount, has);
                          return most > has.movable ? most - has.movable : 0;
                        },
                    },
                    limit.bound);
}

std::uint64_t LimitBook::room(std::optional<model::NodeId> node, PlannedState now) const {
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (const sema::Limit& limit : policy_.limits)
    least = std::min(least, room(limit, limit.per_node ? Scope(node) : Scope(), now));
  return least;
}

const sema::Limit* LimitBook::refuses(std::optional<model::NodeId> node, PlannedState now) const {
  for (const sema::Limit& limit : policy_.limits)
    if (room(limit, limit.per_node ? Scope(node) : Scope(), now) == 0) return &limit;
  return nullptr;
}

}  // namespace memonline::plan
