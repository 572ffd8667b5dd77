// SPDX-License-Identifier: LGPL-2.1-or-later
// Keeps blocks out of Movable until each limit holds, and predicts the zones of `auto` blocks on
// the kernel model.
//
// Model runs are bounded, and a second plan has no steps:
// - The kernel's choices are first computed without the limits: one run. The limits may change a
//   choice; then the block's zone is written instead (`online_movable`, `online_kernel`), first
//   where it differs, the second time for all: two more runs.
// - An `auto` block stays offline only if the kernel would put it into Movable when all else is
//   done. Those that it would put into a kernel zone are onlined there. Each such round onlines at
//   least one refused block, so there are no more rounds than refused blocks.
// - A write that the kernel's zone rules refuse (before Linux 4.14) leaves its block as it is, and
//   the limits are applied again without it; it is never tried again.
// - In the end no limit has room for any block that it refused (give_back), and the kernel would
//   still put the refused `auto` blocks into Movable: limits_explain() finds the outcome explained.
#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "compiler/kernel/memory_state.hpp"
#include "compiler/language/settings.hpp"
#include "compiler/plan/limit.hpp"

namespace memonline::plan {

using model::State;
using model::Zone;
using sema::Target;

namespace {

/// Whatever was said of these blocks before is the limit's now.
void leave(Decision& d, std::string why) {
  d.reason = std::move(why);
  d.blocker = Blocker::None;
}

class LimitKeeper {
 public:
  LimitKeeper(Allocation& allocation, const sema::FlatPolicy& policy, const model::Host& host,
              const Trials& trials, Work& work)
      : allocation_(allocation),
        decisions_(allocation.decisions),
        policy_(policy),
        host_(host),
        trials_(trials),
        work_(work),
        without_limits_(allocation) {}

  // The zones that the kernel would select for `auto` blocks; they are written before movable ones.
  void pick() {
    Allocation before = allocation_;
    bool any = false;
    for (Decision& d : before.decisions) {
      any = any || (d.change && d.target == Target::Auto);
      if (d.target != Target::Auto && d.target != Target::Normal) d.change = false;
    }
    if (!any) return;
    const model::Host after = trials_.write(before, trials_.ready).model.host();
    if (work_.exhausted()) return;
    each_by_zone(
        after, [](const Decision& d) { return d.change && d.target == Target::Auto; },
        [](Decision& d, bool movable) { d.picked_movable = movable; });
  }

  void keep() {
    while (!work_.exhausted()) {
      refuse();
      give_back();
      bool pinned_some = false;
      while (true) {
        if (!work_.spend(decisions_.size())) return;
        const Trial trial = trials_.write(written(), trials_.ready);
        if (work_.exhausted()) return;
        if (!trial.stuck.empty()) {
          if (give_up(trial.stuck)) break;  // again, without these
          return;
        }
        const model::Host after = trial.model.host();
        if (pin(after, pinned_some)) {
          pinned_some = true;
          continue;
        }
        if (!release(trial.model)) return;
        give_back();
        pinned_some = false;
      }
    }
  }

  // Nothing is done: the limits refuse all that is lacking.
  void rest() {
    const LimitBook book(policy_, host_);
    for (Decision& d : decisions_) {
      if (!d.change) continue;
      Decision as_it_is;
      as_it_is.blocks = d.blocks;
      const PlannedState now = planned_state(as_it_is, host_);
      if (now == PlannedState::Movable && !d.fresh) {
        d.change = false;
        leave(d, "online in Movable; no share that still needs blocks can use it");
        continue;
      }
      const sema::Limit* limit = book.refuses(d.blocks.node, now);
      d.refused_by = limit != nullptr ? limit : &policy_.limits.front();
      d.cannot_be_normal = true;
    }
  }

  // The allocation as it is to be carried out.
  [[nodiscard]] Allocation written() const {
    Allocation result = allocation_;
    for (Decision& d : result.decisions) {
      if (d.refused_by != nullptr) settle(d);
      if (d.change && d.target == Target::Auto && d.pinned)
        d.target = d.picked_movable ? Target::Movable : Target::Normal;
    }
    return result;
  }

  // Blocks in a kernel zone that a share lacks in Movable, but that a limit would refuse there:
  // they are where they should be. The highest ones that it would not refuse are still lacking.
  // Boot memory is left to the boot parameters.
  void excuse_what_is_normal() {
    if (!pass()) return;
    LimitBook book(policy_, host_, decisions_);
    std::vector<Decision> passed;  // from the highest to the lowest
    passed.reserve(decisions_.size());
    for (auto from = decisions_.rbegin(); from != decisions_.rend(); ++from) {
      Decision d = std::move(*from);
      const bool stays = d.change || d.target != Target::Movable || d.refused_by != nullptr ||
                         planned_state(d, host_) != PlannedState::Normal || is_boot(d);
      const auto node = d.blocks.node;
      const std::uint64_t count = d.blocks.count;
      const std::uint64_t lacking =
          stays ? 0 : std::min(book.room(node, PlannedState::Normal), count);
      if (lacking > 0) book.move(node, PlannedState::Normal, PlannedState::Movable, lacking);
      if (!stays && lacking < count) {
        if (lacking > 0) passed.push_back(cut(d, count - lacking));
        if (work_.spend(allocation_.findings.size()))
          excuse(d, *book.refuses(node, PlannedState::Normal));
      }
      passed.push_back(std::move(d));
    }
    std::reverse(passed.begin(), passed.end());
    decisions_ = std::move(passed);
  }

 private:
  // Checks every decision against every limit; false: that exceeds the budget.
  bool pass() { return work_.spend(decisions_.size() * (1 + policy_.limits.size())); }

  // Leaves the decision `head` blocks; the part of it from there on.
  static Decision cut(Decision& decision, std::uint64_t head) {
    Decision rest = decision;
    rest.blocks.first = rest.blocks.first + head;
    rest.blocks.count -= head;
    decision.blocks.count = head;
    return rest;
  }

  [[nodiscard]] bool is_boot(const Decision& d) const {
    return host_.devices.at(d.blocks.device).origin == model::Origin::Boot;
  }

  // Visits the wanted decisions, cut where their blocks are of different zones in `host`.
  template <class Wanted, class Visit>
  void each_by_zone(const model::Host& host, Wanted wanted, Visit visit) {
    std::vector<Decision> visited;
    visited.reserve(decisions_.size());
    for (Decision& decision : decisions_) {
      visited.push_back(std::move(decision));
      while (wanted(visited.back())) {
        const model::BlockRun* run = host.find_block(visited.back().blocks.first);
        const std::uint64_t together = run->end() - visited.back().blocks.first;
        std::optional<Decision> rest;
        if (together < visited.back().blocks.count) rest = cut(visited.back(), together);
        visit(visited.back(), becomes_movable(host, *run));
        if (!rest) break;
        visited.push_back(std::move(*rest));
      }
    }
    decisions_ = std::move(visited);
  }

  static bool becomes_movable(const model::Host& host, const model::BlockRun& run) {
    if (run.state == State::Online) return kernel::zone_of(host, run) == Zone::Movable;
    return run.zones.size() > 0 && run.zones[0] == Zone::Movable;  // what it would be by itself
  }

  // 4. Limits in the order written, the lowest blocks first; Movable that is online stays as long
  // as that is possible.
  void refuse() {
    for (Decision& d : decisions_) {
      d.refused_by = nullptr;
      d.pinned = false;
    }
    LimitBook book(policy_, host_, decisions_);
    for (const sema::Limit& limit : policy_.limits) {
      refuse(book, limit, [&](const Decision& d) {
        return d.change && planned_state(d, host_) == PlannedState::Movable;
      });
      if (!policy_.settings.is(language::Rezone::Allowed)) continue;
      refuse(book, limit, [&](const Decision& d) {
        return !d.change && d.whole && !d.fixed && !d.cannot_be_normal &&
               planned_state(d, host_) == PlannedState::Movable && kernel::zone_of(host_, d.blocks);
      });
    }
  }

  // One pass for all nodes: a limit per node is independent for each node.
  template <class Candidate>
  void refuse(LimitBook& book, const sema::Limit& limit, Candidate candidate) {
    if (!work_.spend(decisions_.size())) return;
    std::set<LimitBook::Scope> kept;  // where the limit holds now
    std::vector<Decision> passed;
    passed.reserve(decisions_.size());
    for (Decision& decision : decisions_) {
      passed.push_back(std::move(decision));
      Decision& d = passed.back();
      const LimitBook::Scope scope =
          limit.per_node ? LimitBook::Scope(d.blocks.node) : LimitBook::Scope();
      if (kept.contains(scope) || !candidate(d)) continue;
      d.refused_by = &limit;
      const PlannedState instead = planned_state(d, host_);
      const std::uint64_t too_many = book.excess(limit, scope, instead);
      const std::uint64_t refused = std::min(too_many, d.blocks.count);
      book.move(d.blocks.node, PlannedState::Movable, instead, refused);
      if (too_many <= d.blocks.count) kept.insert(scope);
      if (refused == 0) d.refused_by = nullptr;
      if (refused == 0 || refused == d.blocks.count) continue;
      Decision rest = cut(d, refused);
      rest.refused_by = nullptr;
      passed.push_back(std::move(rest));
    }
    decisions_ = std::move(passed);
  }

  // One pass is enough: each block given back leaves less room for all others.
  void give_back() {
    if (!pass()) return;
    LimitBook book(policy_, host_, decisions_);
    std::vector<Decision> passed;  // from the highest to the lowest
    passed.reserve(decisions_.size());
    for (auto from = decisions_.rbegin(); from != decisions_.rend(); ++from) {
      Decision d = std::move(*from);
      if (d.refused_by != nullptr) {
        const PlannedState now = planned_state(d, host_);
        const std::uint64_t back = std::min(book.room(d.blocks.node, now), d.blocks.count);
        if (back > 0) book.move(d.blocks.node, now, PlannedState::Movable, back);
        if (back == d.blocks.count) {
          d.refused_by = nullptr;
        } else if (back > 0) {
          passed.push_back(cut(d, d.blocks.count - back));
          passed.back().refused_by = nullptr;
        }
      }
      passed.push_back(std::move(d));
    }
    std::reverse(passed.begin(), passed.end());
    decisions_ = std::move(passed);
  }

  // True if some `auto` block came out in another zone than the limits count on.
  bool pin(const model::Host& after, bool all) {
    bool differs = false;
    const auto is_auto = [](const Decision& d) {
      return d.change && d.target == Target::Auto && d.refused_by == nullptr && !d.pinned;
    };
    each_by_zone(after, is_auto, [&](Decision& d, bool movable) {
      d.pinned = d.picked_movable != movable;
      differs = differs || d.pinned;
    });
    if (differs && all)
      for (Decision& d : decisions_) d.pinned = d.pinned || is_auto(d);
    return differs;
  }

  // Brings those refused `auto` blocks online that the kernel, when all else is done, would put
  // into a kernel zone. True if there are any.
  bool release(const kernel::Model& done) {
    const auto is_left = [&](const Decision& d) {
      return d.change && d.target == Target::Auto && d.refused_by != nullptr &&
             planned_state(d, host_) == PlannedState::Offline;
    };
    Allocation more = allocation_;
    bool any = false;
    for (Decision& d : more.decisions) {
      d.change = is_left(d);
      any = any || d.change;
    }
    if (!any) return false;
    const model::Host then = trials_.write(more, done).model.host();
    if (work_.exhausted()) return false;
    bool released = false;
    each_by_zone(then, is_left, [&](Decision& d, bool movable) {
      if (movable) return;
      d.picked_movable = false;
      d.refused_by = nullptr;
      released = true;
    });
    return released;
  }

  // Leaves those blocks as they are that the kernel refuses as normal. If there are none, and the
  // plan is possible without the limits, it is blocks made normal that are in the way: then no
  // block of these nodes is made normal. False if that changes nothing.
  bool give_up(const std::vector<model::WriteRun>& stuck) {
    const auto is_stuck = [&](const Decision& d) {
      return std::any_of(stuck.begin(), stuck.end(), [&](const model::WriteRun& run) {
        return run.low() < d.blocks.end() && d.blocks.first <= run.high();
      });
    };
    if (!work_.spend(decisions_.size() * stuck.size())) return false;
    bool any = false;
    std::set<std::optional<model::NodeId>> nodes;
    for (Decision& d : decisions_) {
      if (!is_stuck(d)) continue;
      nodes.insert(d.blocks.node);
      if (!made_normal(d)) continue;
      d.cannot_be_normal = true;
      any = true;
    }
    if (any || !trials_.write(without_limits_, trials_.ready).stuck.empty()) return any;
    for (Decision& d : decisions_) {
      if (!nodes.contains(d.blocks.node)) continue;
      any = any || made_normal(d);
      d.cannot_be_normal = true;
    }
    return any;
  }

  [[nodiscard]] bool made_normal(const Decision& d) const {
    return d.refused_by != nullptr && !d.cannot_be_normal &&
           planned_state(d, host_) == PlannedState::Normal;
  }

  void settle(Decision& d) const {
    d.span = d.refused_by->span;
    const bool online = d.blocks.state == State::Online;
    const bool movable = online && kernel::zone_of(host_, d.blocks) == Zone::Movable;
    if (online && !d.fresh) {
      d.target = Target::Normal;
      d.change = movable;
      if (!movable) leave(d, "online in a kernel zone, and the limit keeps it there");
      return;
    }
    const bool becomes_normal = planned_state(d, host_) == PlannedState::Normal;
    d.target = becomes_normal ? Target::Normal : Target::Offline;
    d.change = becomes_normal || online;
    if (!becomes_normal) leave(d, "the limit leaves it offline");
  }

  void excuse(Decision& d, const sema::Limit& limit) {
    std::uint64_t blocks = d.blocks.count;
    for (Finding& finding : allocation_.findings) {
      if (finding.kind != Finding::Kind::NotReached || d.span != finding.share->span) continue;
      const model::Device& device = host_.devices.at(d.blocks.device);
      std::uint64_t& lacking = device.kind == model::Device::Kind::Dimm ? finding.misplaced.dimms
                                                                        : finding.misplaced.others;
      const std::uint64_t excused = std::min(blocks, lacking);
      lacking -= excused;
      finding.blocks -= excused;
      if (d.fixed) finding.misplaced.fixed -= std::min(finding.misplaced.fixed, excused);
      blocks -= excused;
    }
    auto& findings = allocation_.findings;
    findings.erase(std::remove_if(findings.begin(), findings.end(),
                                  [](const Finding& finding) {
                                    return finding.kind == Finding::Kind::NotReached &&
                                           finding.blocks == 0;
                                  }),
                   findings.end());
    d.target = Target::Normal;
    d.span = limit.span;
    leave(d, "online in a kernel zone, and the limit keeps it there");
  }

  Allocation& allocation_;
  std::vector<Decision>& decisions_;
  const sema::FlatPolicy& policy_;
  const model::Host& host_;
  const Trials& trials_;
  Work& work_;
  const Allocation without_limits_;
};

}  // namespace

void keep_limits(Allocation& allocation, const Selection& selection, const sema::FlatPolicy& policy,
                 const model::Host& host, const Trials& trials, diag::Sink& sink, Work& work) {
  LimitKeeper keeper(allocation, policy, host, trials, work);
  keeper.pick();
  if (work.exhausted()) return;
  // Fresh blocks have no previous decision.
  if (host.fresh.empty() &&
      limits_explain(allocation, selection, policy, host, trials.ready.host(), work))
    keeper.rest();
  else
    keeper.keep();
  keeper.excuse_what_is_normal();
  if (!work.spend(policy.limits.size() * host.nodes.size())) return;
  report_limits(allocation.decisions, policy, host, sink);
  allocation = keeper.written();
}

}  // namespace memonline::plan
