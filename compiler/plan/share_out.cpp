// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <functional>

#include "compiler/kernel/memory_state.hpp"
#include "compiler/language/settings.hpp"
#include "compiler/language/targets.hpp"
#include "compiler/plan/shared_group.hpp"

namespace memonline::plan {

using model::BlockRun;
using model::State;
using model::Zone;
using sema::Place;
using sema::Share;
using sema::Target;

namespace {

class Sharer {
 public:
  Sharer(const Group& group, const sema::FlatPolicy& policy, const model::Host& host)
      : shared_(group, group.blocks()), policy_(policy), host_(host) {
    for (const BlockRun& run : group.runs) shared_.parts.push_back(part_of(run));
  }

  SharedGroup run() && {
    promise();
    credit();
    pay();
    mark_counted();
    if (policy_.settings.is(language::Rezone::Allowed)) look_among_surplus(true);
    look_among_surplus(false);
    lay_out();
    return std::move(shared_);
  }

 private:
  Part part_of(const BlockRun& run) const {
    Part part{run, Kind::Busy, false, nullptr, false};
    if (run.state == State::Offline) part.kind = Kind::Offline;
    if (run.state == State::Online) {
      const auto zone = kernel::zone_of(host_, run);
      part.kind = !zone ? Kind::UnknownZone : *zone == Zone::Movable ? Kind::Movable : Kind::Normal;
    }
    // drivers/base/memory.c refuses blocks of several zones; arm64 all boot memory
    // (arch/arm64/mm/mmu.c, prevent_memory_remove_notifier); 5.5 and later blocks that are not all
    // RAM (mm/memory_hotplug.c, offline_pages).
    part.fixed =
        run.zones.kind() == model::ValidZones::Kind::None || run.several_nodes ||
        !host_.hot_remove || (run.holes && host_.era >= model::Era::C2) ||
        (host_.arch == "aarch64" && host_.devices.at(run.device).origin == model::Origin::Boot);
    if (run.state == State::Online && !part.fixed && is_correctable(run, host_))
      part.kind = Kind::Offline;
    return part;
  }

  std::uint64_t count(Kind kind) const {
    std::uint64_t sum = 0;
    for (const Part& part : shared_.parts)
      if (part.kind == kind) sum += part.blocks.count;
    return sum;
  }

  // 1. Each share's count, of the whole group, served in the order written; `rest` last.
  void promise() {
    std::uint64_t left = shared_.size;
    for (const Share& share : shared_.group.rule->shares) {
      Claim claim;
      claim.share = &share;
      if (share.place != Place::Rest) {
        claim.asked = share.amount
                          ? blocks_of(*share.amount, share.target, shared_.size, host_.block_size)
                          : shared_.size;
        claim.count = std::min(claim.asked, left);
        left -= claim.count;
      }
      shared_.claims.push_back(claim);
    }
    for (Claim& claim : shared_.claims)
      if (claim.share->place == Place::Rest) claim.asked = claim.count = left;
  }

  // 2. Online blocks count for the shares of their zone; `auto` takes what no zone's share counts.
  void credit() {
    std::uint64_t normal = count(Kind::Normal);
    std::uint64_t movable = count(Kind::Movable);
    std::uint64_t unknown = count(Kind::UnknownZone);
    const auto take = [](Claim& claim, std::uint64_t& from) {
      const std::uint64_t n = std::min(claim.count - claim.credit, from);
      claim.credit += n;
      from -= n;
    };
    for (Claim& claim : shared_.claims) {
      if (claim.wants(Target::Normal)) take(claim, normal);
      if (claim.wants(Target::Movable)) take(claim, movable);
    }
    for (const bool picked : {true, false})
      for (Claim& claim : shared_.claims) {
        if (claim.wants(Target::Auto) != picked || !counts_any(claim)) continue;
        take(claim, unknown);
        take(claim, normal);
        take(claim, movable);
      }
  }

  // `auto` accepts any zone. `keep` takes offline blocks, unless online ones could be rezoned: then
  // it keeps those first.
  [[nodiscard]] bool counts_any(const Claim& claim) const {
    return claim.wants(Target::Auto) || (!language::writes(claim.share->target) &&
                                         policy_.settings.is(language::Rezone::Allowed));
  }

  // Offline blocks pay the normal shares first and in full, then the others.
  void pay() {
    std::uint64_t offline = count(Kind::Offline);
    const auto serve = [&](bool normal) {
      for (Claim& claim : shared_.claims) {
        if (claim.wants(Target::Normal) != normal) continue;
        claim.paid = std::min(claim.owed(), offline);
        offline -= claim.paid;
      }
    };
    serve(true);
    serve(false);
    unowed_ = offline;
    if (saves_moves()) save_moves();
  }

  // Earlier kernels move nothing but the border between the zones.
  [[nodiscard]] bool saves_moves() const {
    return policy_.settings.is(language::Rezone::Allowed) && !policy_.limits.empty() &&
           host_.era >= model::Era::C1;
  }

  // An `offline` share that lacks blocks takes surplus ones from a kernel zone. A `movable` share
  // that got offline blocks takes these instead, and leaves its own to the `offline` share: a block
  // moves once rather than two of them. Otherwise a limit that refuses the offline block would make
  // the surplus one go offline, and the next plan would use it for the `movable` share.
  void save_moves() {
    std::uint64_t surplus = 0;
    for (const Part& part : shared_.parts)
      if (part.kind == Kind::Normal && !part.fixed) surplus += part.blocks.count;
    for (const Claim& claim : shared_.claims)
      if (!claim.wants(Target::Movable)) surplus -= std::min(surplus, claim.credit);
    for (Claim& offline : shared_.claims) {
      if (!offline.wants(Target::Offline)) continue;
      for (auto claim = shared_.claims.rbegin(); claim != shared_.claims.rend(); ++claim) {
        if (!claim->wants(Target::Movable)) continue;
        const std::uint64_t n = std::min({offline.owed(), claim->paid, surplus});
        claim->paid -= n;
        offline.paid += n;
        surplus -= n;
      }
    }
  }

  void split(std::size_t index, std::uint64_t head) {
    Part tail = shared_.parts[index];
    shared_.parts[index].blocks.count = head;
    tail.blocks.first = tail.blocks.first + head;
    tail.blocks.count -= head;
    shared_.parts.insert(shared_.parts.begin() + static_cast<std::ptrdiff_t>(index) + 1, tail);
  }

  // Gives the next `n` parts that `wanted` accepts to `claim`, from the bottom up or the top down.
  template <class Wanted, class Give>
  void take(std::uint64_t n, bool from_top, Wanted wanted, Give give) {
    std::size_t i = from_top ? shared_.parts.size() : 0;
    while (n > 0 && (from_top ? i > 0 : i < shared_.parts.size())) {
      std::size_t at = from_top ? i - 1 : i;
      if (wanted(shared_.parts[at])) {
        if (shared_.parts[at].blocks.count > n) {
          const std::uint64_t rest = shared_.parts[at].blocks.count - n;
          split(at, from_top ? rest : n);
          if (from_top) ++at;
        }
        n -= shared_.parts[at].blocks.count;
        give(shared_.parts[at]);
      }
      i = from_top ? at : at + 1;
    }
  }

  // Which online blocks the shares count: those that are farthest from the shares that lack blocks
  // and may take the others, so that these get blocks at their own place; otherwise the ones at the
  // end where the layout wants the zone.
  void mark_counted() {
    const std::vector<Claim*> order = in_layout_order(shared_.claims);
    const auto first_of = [&](Target target) {
      return std::find_if(order.begin(), order.end(),
                          [&](const Claim* c) { return c != nullptr && c->wants(target); });
    };
    const auto normal = first_of(Target::Normal);
    const auto movable = first_of(Target::Movable);
    const bool normal_low = normal == order.end() || movable == order.end() || normal < movable;
    for (const Kind kind : {Kind::Normal, Kind::Movable}) {
      const Target target = kind == Kind::Normal ? Target::Normal : Target::Movable;
      for (const bool low : {true, false}) {
        std::vector<Claim*> takers = order;
        if (!low) std::reverse(takers.begin(), takers.end());
        for (Claim* claim : takers)
          if (claim != nullptr && claim->wants(target) &&
              counts_low(*claim, order, (kind == Kind::Normal) == normal_low) == low)
            count_for(*claim, kind, claim->credit, !low);
      }
    }
    for (Claim& claim : shared_.claims) {
      if (!counts_any(claim)) continue;
      const auto uncounted = [](const Part& p) {
        return (p.kind == Kind::Normal || p.kind == Kind::Movable) && p.claim == nullptr;
      };
      const auto of_unknown_zone = [](const Part& p) {
        return p.kind == Kind::UnknownZone && p.claim == nullptr;
      };
      std::uint64_t left = claim.credit;
      for (const auto& wanted : {std::function<bool(const Part&)>(of_unknown_zone),
                                 std::function<bool(const Part&)>(uncounted)}) {
        std::uint64_t got = 0;
        take(left, false, wanted, [&](Part& p) {
          p.claim = &claim;
          got += p.blocks.count;
        });
        left -= got;
      }
    }
  }

  // Whether the layout puts all shares that lack blocks, and may take those of this zone, above the
  // claim; `otherwise` if they are on both sides, or if there are none.
  static bool counts_low(const Claim& claim, const std::vector<Claim*>& order, bool otherwise) {
    const Target zone = claim.share->target;
    bool reached = false;
    bool below = false;
    bool above = false;
    for (const Claim* other : order) {
      if (other == &claim) reached = true;
      if (other == nullptr || other->wants(zone) || other->owed() == 0) continue;
      if (other->wants(Target::Auto) || !language::writes(other->share->target)) continue;
      (reached ? above : below) = true;
    }
    return above == below ? otherwise : above;
  }

  void count_for(Claim& claim, Kind kind, std::uint64_t n, bool from_top) {
    // Blocks that can never be moved are counted first, regardless of their place.
    for (const bool fixed : {true, false}) {
      const std::uint64_t before = n;
      std::uint64_t got = 0;
      take(
          before, from_top,
          [&](const Part& p) { return p.kind == kind && p.claim == nullptr && p.fixed == fixed; },
          [&](Part& p) {
            p.claim = &claim;
            got += p.blocks.count;
          });
      n -= got;
    }
  }

  // Blocks that offline memory cannot provide are online blocks that no share counts. They are
  // taken if the policy allows it, those that are the easiest to offline first: Movable before
  // kernel zones, boot memory last in both; otherwise the share that misses them is recorded.
  void look_among_surplus(bool taking) {
    std::vector<Claim*> claims;
    for (Claim& claim : shared_.claims) claims.push_back(&claim);
    if (saves_moves())
      std::stable_partition(claims.begin(), claims.end(),
                            [](const Claim* c) { return !c->wants(Target::Offline); });
    for (Claim* each : claims) {
      Claim& claim = *each;
      // Without save_moves(), no block is offlined permanently if there is a limit.
      if (taking && claim.wants(Target::Offline) && !policy_.limits.empty() && !saves_moves())
        continue;
      const bool top = claim.share->place != Place::First && !claim.wants(Target::Normal);
      std::uint64_t lacking = claim.owed();
      for (unsigned ease = 0; ease < 4; ++ease) {
        const auto surplus = [&](const Part& p) {
          const bool boot = host_.devices.at(p.blocks.device).origin == model::Origin::Boot;
          const unsigned kernel = taking && p.kind == Kind::Normal ? 2 : 0;
          return usable(p, claim) && !(taking && (p.fixed || p.kind == Kind::UnknownZone)) &&
                 kernel + (boot ? 1 : 0) == ease;
        };
        std::uint64_t got = 0;
        take(lacking, top, surplus, [&](Part& p) {
          got += p.blocks.count;
          if (!taking) {
            p.missed_by = &claim;
            return;
          }
          p.claim = &claim;
          p.rezone = true;
          claim.moved += p.blocks.count;
        });
        lacking -= got;
      }
    }
  }

  static bool usable(const Part& part, const Claim& claim) {
    if (part.claim != nullptr || part.missed_by != nullptr) return false;
    const bool normal = part.kind == Kind::Normal;
    const bool movable = part.kind == Kind::Movable;
    return (claim.wants(Target::Movable) && normal) || (claim.wants(Target::Normal) && movable) ||
           (claim.wants(Target::Offline) && (normal || movable || part.kind == Kind::UnknownZone));
  }

  void lay_out() {
    for (Claim* claim : in_layout_order(shared_.claims)) {
      const std::uint64_t n = claim != nullptr ? claim->paid : unowed_;
      take(
          n, false, [&](const Part& p) { return p.kind == Kind::Offline && !laid(p); },
          [&](Part& p) {
            p.claim = claim;
            laid_end_ = p.blocks.end();
          });
    }
  }
  // Offline parts are laid out in address order, so everything below the mark has its owner.
  [[nodiscard]] bool laid(const Part& part) const { return part.blocks.first < laid_end_; }

  SharedGroup shared_;
  const sema::FlatPolicy& policy_;
  const model::Host& host_;
  std::uint64_t unowed_ = 0;
  model::BlockId laid_end_;
};

}  // namespace

// 3. The order along the addresses.
std::vector<Claim*> in_layout_order(std::vector<Claim>& claims) {
  std::vector<Claim*> order;
  const auto add = [&](auto&& wanted) {
    for (Claim& claim : claims)
      if (wanted(claim)) order.push_back(&claim);
  };
  const auto is_normal = [](const Claim& c) { return c.wants(Target::Normal); };
  add([](const Claim& c) { return c.share->place == Place::First; });
  add([&](const Claim& c) { return c.share->place == Place::Unplaced && is_normal(c); });
  add([](const Claim& c) { return c.share->place == Place::Rest; });
  order.push_back(nullptr);
  add([&](const Claim& c) { return c.share->place == Place::Unplaced && !is_normal(c); });
  for (auto claim = claims.rbegin(); claim != claims.rend(); ++claim)
    if (claim->share->place == Place::Last) order.push_back(&*claim);
  return order;
}

bool put_all_online(const sema::Rule& rule, std::uint64_t group, model::Bytes block_size) {
  constexpr std::uint64_t kWhole = 100'000'000;  // 100 percent
  std::uint64_t percent = 0;
  std::uint64_t percentages = 0;
  model::Bytes bytes;
  bool everything = false;
  for (const Share& share : rule.shares) {
    if (share.target == Target::Offline || !language::writes(share.target)) return false;
    everything = everything || !share.amount;
    if (!share.amount) continue;
    if (const auto* part = std::get_if<sema::Percent>(&*share.amount)) {
      percent += part->millionths;
      ++percentages;
    } else if (const auto* size = std::get_if<model::Bytes>(&*share.amount)) {
      bytes += *size;
    } else {
      bytes += block_size * std::min(std::get<sema::Blocks>(*share.amount).count, group);
    }
  }
  // Six decimals: three times 33.333333% is meant to be the whole.
  if (everything || percent >= kWhole || (percent > 0 && kWhole - percent < percentages))
    return true;
  const model::Bytes size = block_size * group;
  return bytes >= size - model::Bytes(percent_of(size.value(), percent, false));
}

SharedGroup share_out(const Group& group, const sema::FlatPolicy& policy, const model::Host& host) {
  return Sharer(group, policy, host).run();
}

}  // namespace memonline::plan
