// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether a host needs no step because its limits refuse all blocks that its shares lack. Online
// blocks count towards the shares in the order written (step 2). That order does not show which
// share a limit refused: of `first 3 blocks movable, last 3 blocks movable, rest offline` with a
// limit per node, blocks of the last share would count for the first one, the last would seem to
// lack them, and the next plan would search for them on another node. So the other ways of counting
// are tried as well: if under one of them every block that a share lacks is a block that a limit
// refuses, that way applies, and nothing needs to be done.
//
// An outcome of keep_limits() is always explained, by the way of counting that led to it: take the
// blocks it refused as Movable, and no share lacks anything.
#include <algorithm>

#include "compiler/language/settings.hpp"
#include "compiler/plan/limit.hpp"
#include "compiler/plan/shared_group.hpp"

namespace memonline::plan {

using model::BlockRun;
using model::Zone;
using sema::Target;

namespace {

// Neighboring offline blocks of a group, and whether a limit refuses them in Movable.
struct Stretch {
  std::uint64_t blocks = 0;
  bool refused = false;          // as `movable`
  bool refused_as_auto = false;  // the kernel would put them into Movable as well
};

// Positions among the offline blocks of a group, both included.
struct Positions {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

// The minimum and maximum length of a stretch, inclusive.
struct Lengths {
  std::uint64_t least = 0;
  std::uint64_t most = 0;
};

class Explainer {
 public:
  Explainer(const Allocation& allocation, const sema::FlatPolicy& policy, const model::Host& host,
            const model::Host& ready, Work& work)
      : allocation_(allocation),
        policy_(policy),
        host_(host),
        ready_(ready),
        work_(work),
        book_(policy, host) {}

  bool explains(const Group& group) const {
    if (!work_.spend(3 * cost_of_sharing(group))) return true;  // the budget is spent
    const SharedGroup shared = share_out(group, policy_, host_);
    if (at_rest(shared)) return true;
    // Blocks in a kernel zone count for a share that lacks blocks if the limit made them normal, or
    // kept them from being moved.
    const bool whole = put_all_online(*group.rule, shared.size, host_.block_size);
    if (whole || policy_.settings.is(language::Rezone::Allowed)) {
      const Group other = with_normal_as_movable(group, lacking_movable(shared));
      const SharedGroup other_shared = share_out(other, policy_, host_);
      if (at_rest(other_shared)) return true;
      if (!whole && only_onlines(other_shared) && offline_explained(other_shared)) return true;
    }
    return !whole && only_onlines(shared) && offline_explained(shared);
  }

 private:
  static bool goes_online(const Part& part) {
    return part.kind == Kind::Offline && part.claim != nullptr &&
           (part.claim->wants(Target::Movable) || part.claim->wants(Target::Normal) ||
            part.claim->wants(Target::Auto));
  }

  static bool at_rest(const SharedGroup& shared) {
    return std::none_of(shared.parts.begin(), shared.parts.end(),
                        [](const Part& part) { return part.rezone || goes_online(part); });
  }

  static bool only_onlines(const SharedGroup& shared) {
    return std::none_of(shared.parts.begin(), shared.parts.end(), [](const Part& part) {
      return part.rezone || (goes_online(part) && part.claim->wants(Target::Normal));
    });
  }

  static std::uint64_t lacking_movable(const SharedGroup& shared) {
    std::uint64_t sum = 0;
    for (const Claim& claim : shared.claims)
      if (claim.wants(Target::Movable)) sum += claim.count - claim.credit;
    return sum;
  }

  // The group with up to `most` blocks of kernel zones that no share needs there as Movable.
  Group with_normal_as_movable(const Group& group, std::uint64_t most) const {
    std::uint64_t spare = 0;
    for (const BlockRun& run : group.runs)
      if (is_normal(run)) spare += run.count;
    for (const Claim& claim : share_out(group, policy_, host_).claims)
      if (claim.wants(Target::Normal)) spare -= std::min(spare, claim.credit);
    most = std::min(most, spare);
    Group other{group.rule, {}};
    for (const BlockRun& run : group.runs) {
      BlockRun left = run;
      if (most > 0 && is_normal(run) && may_have_been_offline(run) &&
          book_.room(run.node, PlannedState::Normal) == 0) {
        BlockRun taken = run;
        taken.count = std::min(most, run.count);
        taken.zones = model::ValidZones{Zone::Movable};
        other.runs.push_back(taken);
        most -= taken.count;
        left.first = left.first + taken.count;
        left.count -= taken.count;
      }
      if (left.count > 0) other.runs.push_back(left);
    }
    return other;
  }

  // Blocks of several zones or nodes have been online since boot: no limit made them normal.
  static bool may_have_been_offline(const BlockRun& run) {
    return run.zones.kind() != model::ValidZones::Kind::None && !run.several_nodes;
  }

  bool is_normal(const BlockRun& run) const {
    Decision as_it_is;
    as_it_is.blocks = run;
    return planned_state(as_it_is, host_) == PlannedState::Normal;
  }

  // The offline blocks are laid out along the addresses in the order of the shares. How long the
  // stretch of a `movable` or `auto` share is depends on which online blocks count for it; all
  // lengths are tried that keep it on refused blocks. At the least, all blocks that other such
  // shares count now would count for it. Positions are held as ranges: each range of starts gives
  // one range of ends for each stretch of refused blocks.
  bool offline_explained(const SharedGroup& shared) const {
    const std::vector<Stretch> stretches = stretches_of(shared);
    std::uint64_t unowed = 0;
    for (const Part& part : shared.parts)
      if (part.kind == Kind::Offline && part.claim == nullptr) unowed += part.blocks.count;
    std::vector<Claim> claims = shared.claims;
    std::uint64_t counted = 0;
    for (const Claim& claim : claims)
      if (claim.wants(Target::Movable) || claim.wants(Target::Auto)) counted += claim.credit;
    std::vector<Positions> reached{{0, 0}};
    for (const Claim* claim : in_layout_order(claims)) {
      const bool movable = claim != nullptr && claim->wants(Target::Movable);
      const bool picked = claim != nullptr && claim->wants(Target::Auto);
      if (!movable && !picked) {
        const std::uint64_t length = claim == nullptr ? unowed : claim->paid;
        for (Positions& range : reached) range = {range.from + length, range.to + length};
        continue;
      }
      if (!work_.spend(reached.size() * stretches.size())) return true;
      const std::uint64_t others = counted - claim->credit;
      const Lengths lengths{claim->paid - std::min(claim->paid, others), claim->count};
      reached = extended(reached, stretches, lengths, picked);
    }
    std::uint64_t all = 0;
    for (const Stretch& stretch : stretches) all += stretch.blocks;
    return std::any_of(reached.begin(), reached.end(), [&](const Positions& range) {
      return range.from <= all && all <= range.to;
    });
  }

  static std::vector<Positions> extended(const std::vector<Positions>& starts,
                                         const std::vector<Stretch>& stretches,
                                         const Lengths& lengths, bool picked) {
    std::vector<Positions> ends;
    if (lengths.least == 0) ends = starts;
    const auto refused = [&](const Stretch& s) { return picked ? s.refused_as_auto : s.refused; };
    std::uint64_t at = 0;
    for (std::size_t i = 0; i < stretches.size();) {
      const std::uint64_t begin = at;
      const bool open = refused(stretches[i]);
      for (; i < stretches.size() && refused(stretches[i]) == open; ++i) at += stretches[i].blocks;
      if (!open) continue;
      for (const Positions& start : starts) {
        const std::uint64_t from = std::max(start.from, begin);
        if (from > start.to || from > at || lengths.least > at - from) continue;
        const std::uint64_t to = std::min(start.to, at - lengths.least);
        ends.push_back({from + lengths.least, lengths.most < at - to ? to + lengths.most : at});
      }
    }
    // Ranges that touch are one.
    std::sort(ends.begin(), ends.end(),
              [](const Positions& a, const Positions& b) { return a.from < b.from; });
    std::vector<Positions> joined;
    for (const Positions& range : ends) {
      if (!joined.empty() && range.from <= joined.back().to + 1)
        joined.back().to = std::max(joined.back().to, range.to);
      else
        joined.push_back(range);
    }
    return joined;
  }

  std::vector<Stretch> stretches_of(const SharedGroup& shared) const {
    std::vector<Stretch> stretches;
    for (const Part& part : shared.parts) {
      if (part.kind != Kind::Offline) continue;
      const bool refused = book_.room(part.blocks.node, PlannedState::Offline) == 0;
      for (model::BlockId at = part.blocks.first; at < part.blocks.end();) {
        const auto [picked, end] = kernel_picks_movable(at, part.blocks.end());
        stretches.push_back({end - at, refused, refused && picked});
        at = end;
      }
    }
    return stretches;
  }

  // Whether the kernel would put the block into Movable, and up to where that holds: as tried, or
  // else what it offers first.
  std::pair<bool, model::BlockId> kernel_picks_movable(model::BlockId at,
                                                       model::BlockId end) const {
    const auto decided = std::upper_bound(
        allocation_.decisions.begin(), allocation_.decisions.end(), at,
        [](model::BlockId block, const Decision& d) { return block < d.blocks.end(); });
    if (decided->change && decided->target == Target::Auto)
      return {decided->picked_movable, std::min(end, decided->blocks.end())};
    const BlockRun* run = ready_.find_block(at);
    const bool picked = run->zones.size() > 0 && run->zones[0] == Zone::Movable;
    return {picked, std::min({end, run->end(), decided->blocks.end()})};
  }

  const Allocation& allocation_;
  const sema::FlatPolicy& policy_;
  const model::Host& host_;
  const model::Host& ready_;
  Work& work_;
  LimitBook book_;
};

// Whether there is Movable beyond a limit that may become normal.
bool can_lower(const Allocation& allocation, const sema::FlatPolicy& policy,
               const model::Host& host) {
  if (!policy.settings.is(language::Rezone::Allowed)) return false;
  const LimitBook book(policy, host);
  return std::any_of(
      allocation.decisions.begin(), allocation.decisions.end(), [&](const Decision& d) {
        if (d.change || !d.whole || d.fixed || planned_state(d, host) != PlannedState::Movable)
          return false;
        return std::any_of(policy.limits.begin(), policy.limits.end(), [&](const auto& limit) {
          return book.beyond(limit, limit.per_node ? LimitBook::Scope(d.blocks.node)
                                                   : LimitBook::Scope()) > 0;
        });
      });
}

}  // namespace

bool limits_explain(const Allocation& allocation, const Selection& selection,
                    const sema::FlatPolicy& policy, const model::Host& host,
                    const model::Host& ready, Work& work) {
  if (!work.spend(allocation.decisions.size() * policy.limits.size())) return true;
  const Explainer explainer(allocation, policy, host, ready, work);
  return !can_lower(allocation, policy, host) &&
         std::all_of(selection.groups.begin(), selection.groups.end(),
                     [&](const Group& group) { return explainer.explains(group); });
}

}  // namespace memonline::plan
