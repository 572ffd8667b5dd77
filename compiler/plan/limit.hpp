// SPDX-License-Identifier: LGPL-2.1-or-later
// Limit, a step of the pipeline: how much Movable `limit movable to ...` allows, and which blocks
// the plan therefore keeps out of Movable (README.md, "Allocation in full", part 4). It follows the
// step "defer to others", because the model runs need the kernel settings of the plan.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "compiler/base/work.hpp"
#include "compiler/diag/diagnostic.hpp"
#include "compiler/kernel/model.hpp"
#include "compiler/plan/allocate.hpp"
#include "compiler/plan/select.hpp"

namespace memonline::plan {

/// Where a block is when the plan is done.
enum class PlannedState : std::uint8_t { Offline, Normal, Movable };
PlannedState planned_state(const Decision& decision, const model::Host& host);

/// The host's memory by zone, in all and by node, measured by the limits.
class LimitBook {
 public:
  using Scope = std::optional<std::optional<model::NodeId>>;  ///< empty: the host

  LimitBook(const sema::FlatPolicy& policy, const model::Host& host);
  LimitBook(const sema::FlatPolicy& policy, const model::Host& host,
            const std::vector<Decision>& decisions);

  void move(std::optional<model::NodeId> node, PlannedState from, PlannedState to,
            std::uint64_t blocks);
  /// The scopes of a limit: the host, or each node.
  [[nodiscard]] std::vector<Scope> scopes_of(const sema::Limit& limit) const;
  /// How many blocks must leave Movable for the limit to hold, where each becomes `instead`.
  [[nodiscard]] std::uint64_t excess(const sema::Limit& limit, Scope scope,
                                     PlannedState instead) const;
  /// How many blocks more than the limit allows are Movable.
  [[nodiscard]] std::uint64_t beyond(const sema::Limit& limit, Scope scope) const;
  /// How many blocks of the node that are `now` may become Movable while every limit holds.
  [[nodiscard]] std::uint64_t room(std::optional<model::NodeId> node, PlannedState now) const;
  /// The first limit that refuses one more; null: none does.
  [[nodiscard]] const sema::Limit* refuses(std::optional<model::NodeId> node,
                                           PlannedState now) const;

 private:
  struct Balance {
    std::uint64_t normal = 0;
    std::uint64_t movable = 0;
    std::uint64_t all = 0;
  };
  [[nodiscard]] const Balance& balance(Scope scope) const;
  [[nodiscard]] std::uint64_t allowed(const sema::Amount& amount, const Balance& balance) const;
  [[nodiscard]] std::uint64_t room(const sema::Limit& limit, Scope scope, PlannedState now) const;
  void add(std::optional<model::NodeId> node, PlannedState state, std::uint64_t blocks);

  const sema::FlatPolicy& policy_;
  model::Bytes block_size_;
  Balance host_;
  std::map<std::optional<model::NodeId>, Balance> nodes_;
};

/// The result of the writes of an allocation on the kernel model.
struct Trial {
  kernel::Model model;
  std::vector<model::WriteRun> stuck;  ///< writes that no order makes legal
};

/// The kernel model, for limits: what the kernel picks for `auto`, and which writes it refuses.
struct Trials {
  kernel::Model ready;  ///< the host with the settings of the plan, before its writes
  std::function<Trial(const Allocation&, const kernel::Model&)> write;
};

/// Keeps blocks out of Movable until each limit holds. Reports blocks that stay offline because of
/// it, and limits that cannot hold.
void keep_limits(Allocation& allocation, const Selection& selection, const sema::FlatPolicy& policy,
                 const model::Host& host, const Trials& trials, diag::Sink& sink, Work& work);

/// Reports what stays offline because of a limit, and by how much a limit cannot hold.
void report_limits(const std::vector<Decision>& decisions, const sema::FlatPolicy& policy,
                   const model::Host& host, diag::Sink& sink);

/// Whether nothing is to be done because all that the shares lack is what the limits refuse.
/// `allocation` is that of allocate(), with the zones that the kernel picks for `auto`.
bool limits_explain(const Allocation& allocation, const Selection& selection,
                    const sema::FlatPolicy& policy, const model::Host& host,
                    const model::Host& ready, Work& work);

}  // namespace memonline::plan
