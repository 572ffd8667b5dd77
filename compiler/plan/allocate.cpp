// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/allocate.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/kernel/memory_state.hpp"

namespace memonline::plan {

using model::BlockRun;
using model::State;
using model::Zone;
using sema::Place;
using sema::Share;
using sema::Target;

namespace {

constexpr std::uint64_t kWhole = 100'000'000;  // 100 percent in millionths of one percent

std::uint64_t share_of(std::uint64_t n, std::uint64_t part, bool up) {
  // n * part / whole without overflow for any n a host can have.
  const std::uint64_t low = (n % kWhole) * part;
  return n / kWhole * part + low / kWhole + (up && low % kWhole != 0 ? 1 : 0);
}

// One share of one group on its way through the allocation.
struct Claim {
  const Share* share = nullptr;
  std::uint64_t asked = 0;   // blocks it means, by itself
  std::uint64_t count = 0;   // blocks it is promised
  std::uint64_t credit = 0;  // online already
  std::uint64_t paid = 0;    // offline blocks it gets
  std::uint64_t moved = 0;   // blocks to be re-zoned for it
  [[nodiscard]] std::uint64_t owed() const { return count - credit - paid - moved; }
  [[nodiscard]] bool wants(Target target) const { return share->target == target; }
};

enum class Kind { Offline, Normal, Movable, Busy };

// Neighbouring blocks of one kind inside a group, with what is decided for them so far.
struct Part {
  BlockRun blocks;
  Kind kind = Kind::Offline;
  bool fixed = false;      // online, but can never be taken offline
  Claim* claim = nullptr;  // offline: who gets it; online: who counts it
  bool rezone = false;
};

class GroupAllocator {
 public:
  GroupAllocator(const Group& group, const sema::FlatPolicy& policy, const model::Host& host,
                 diag::Sink& sink)
      : group_(group), policy_(policy), host_(host), sink_(sink), size_(group.blocks()) {
    for (const BlockRun& run : group.runs) parts_.push_back(part_of(run));
  }

  void run() {
    promise();
    credit();
    pay();
    mark_counted();
    if (policy_.rezone == sema::Rezone::Allowed) rezone();
    lay_out();
    report();
  }

  void emit(Allocation& into) const {
    for (const Part& part : parts_) into.decisions.push_back(decide(part));
    for (const Claim& claim : claims_) note_rounding(claim, into);
  }

 private:
  Part part_of(const BlockRun& run) const {
    Part part{run, Kind::Busy, false, nullptr, false};
    if (run.state == State::Offline) part.kind = Kind::Offline;
    if (run.state == State::Online)
      part.kind = kernel::zone_of(host_, run) == Zone::Movable ? Kind::Movable : Kind::Normal;
    // drivers/base/memory.c refuses blocks of several zones; arm64 all boot memory
    // (arch/arm64/mm/mmu.c, prevent_bootmem_remove_notifier).
    part.fixed =
        run.zones.kind() == model::ValidZones::Kind::None || run.several_nodes ||
        !host_.hot_remove ||
        (host_.arch == "aarch64" && host_.devices.at(run.device).origin == model::Origin::Boot);
    return part;
  }

  std::uint64_t count(Kind kind) const {
    std::uint64_t sum = 0;
    for (const Part& part : parts_)
      if (part.kind == kind) sum += part.blocks.count;
    return sum;
  }

  // 1. Each share's count, of the whole group, served in the order written; `rest` last.
  void promise() {
    std::uint64_t left = size_;
    for (const Share& share : group_.rule->shares) {
      Claim claim;
      claim.share = &share;
      if (share.place != Place::Rest) {
        claim.asked =
            share.amount ? blocks_of(*share.amount, share.target, size_, host_.block_size) : size_;
        claim.count = std::min(claim.asked, left);
        left -= claim.count;
      }
      claims_.push_back(claim);
    }
    for (Claim& claim : claims_)
      if (claim.share->place == Place::Rest) claim.asked = claim.count = left;
  }

  // 2. Online blocks count for the shares of their zone; `auto` takes what no zone's share counts.
  void credit() {
    std::uint64_t normal = count(Kind::Normal);
    std::uint64_t movable = count(Kind::Movable);
    const auto take = [](Claim& claim, std::uint64_t& from) {
      const std::uint64_t n = std::min(claim.count - claim.credit, from);
      claim.credit += n;
      from -= n;
    };
    for (Claim& claim : claims_) {
      if (claim.wants(Target::Normal)) take(claim, normal);
      if (claim.wants(Target::Movable)) take(claim, movable);
    }
    for (const Target target : {Target::Auto, Target::Keep})
      for (Claim& claim : claims_) {
        if (!claim.wants(target) || !counts_any(claim)) continue;
        take(claim, normal);
        take(claim, movable);
      }
  }

  // `auto` is content with any zone. `keep` takes offline blocks, unless online ones would be at
  // the mercy of rezoning: then it keeps those first.
  [[nodiscard]] bool counts_any(const Claim& claim) const {
    return claim.wants(Target::Auto) ||
           (claim.wants(Target::Keep) && policy_.rezone == sema::Rezone::Allowed);
  }

  // Offline blocks pay the normal shares first and in full, then the others.
  void pay() {
    std::uint64_t offline = count(Kind::Offline);
    const auto serve = [&](bool normal) {
      for (Claim& claim : claims_) {
        if (claim.wants(Target::Normal) != normal) continue;
        claim.paid = std::min(claim.owed(), offline);
        offline -= claim.paid;
      }
    };
    serve(true);
    serve(false);
    unowed_ = offline;
  }

  // 3. The order along the addresses.
  std::vector<Claim*> layout() {
    std::vector<Claim*> order;
    const auto add = [&](auto&& wanted) {
      for (Claim& claim : claims_)
        if (wanted(claim)) order.push_back(&claim);
    };
    add([](const Claim& c) { return c.share->place == Place::First; });
    add([](const Claim& c) {
      return c.share->place == Place::Unplaced && c.wants(Target::Normal);
    });
    add([](const Claim& c) { return c.share->place == Place::Rest; });
    order.push_back(nullptr);  // what nobody is owed
    add([](const Claim& c) {
      return c.share->place == Place::Unplaced && !c.wants(Target::Normal);
    });
    for (auto claim = claims_.rbegin(); claim != claims_.rend(); ++claim)
      if (claim->share->place == Place::Last) order.push_back(&*claim);
    return order;
  }

  void split(std::size_t index, std::uint64_t head) {
    Part tail = parts_[index];
    parts_[index].blocks.count = head;
    tail.blocks.first = tail.blocks.first + head;
    tail.blocks.count -= head;
    parts_.insert(parts_.begin() + static_cast<std::ptrdiff_t>(index) + 1, tail);
  }

  // Gives the next `n` parts that `wanted` accepts to `claim`, from the bottom up or the top down.
  template <class Wanted, class Give>
  void take(std::uint64_t n, bool from_top, Wanted wanted, Give give) {
    std::size_t i = from_top ? parts_.size() : 0;
    while (n > 0 && (from_top ? i > 0 : i < parts_.size())) {
      std::size_t at = from_top ? i - 1 : i;
      if (wanted(parts_[at])) {
        if (parts_[at].blocks.count > n) {
          const std::uint64_t rest = parts_[at].blocks.count - n;
          split(at, from_top ? rest : n);
          if (from_top) ++at;
        }
        n -= parts_[at].blocks.count;
        give(parts_[at]);
      }
      i = from_top ? at : at + 1;
    }
  }

  // Which online blocks the shares count: the ones nearest to where the layout wants the zone.
  void mark_counted() {
    const std::vector<Claim*> order = layout();
    const auto first_of = [&](Target target) {
      return std::find_if(order.begin(), order.end(),
                          [&](const Claim* c) { return c != nullptr && c->wants(target); });
    };
    normal_low_ = first_of(Target::Movable) == order.end() ||
                  first_of(Target::Normal) <= first_of(Target::Movable);
    for (const Kind kind : {Kind::Normal, Kind::Movable}) {
      const bool low = (kind == Kind::Normal) == normal_low_;
      const Target target = kind == Kind::Normal ? Target::Normal : Target::Movable;
      std::vector<Claim*> takers = order;
      if (!low) std::reverse(takers.begin(), takers.end());
      for (Claim* claim : takers)
        if (claim != nullptr && claim->wants(target)) count_for(*claim, kind, claim->credit, !low);
    }
    for (Claim& claim : claims_) {
      if (!counts_any(claim)) continue;
      const auto uncounted = [](const Part& p) {
        return (p.kind == Kind::Normal || p.kind == Kind::Movable) && p.claim == nullptr;
      };
      take(claim.credit, false, uncounted, [&](Part& p) { p.claim = &claim; });
    }
  }

  void count_for(Claim& claim, Kind kind, std::uint64_t n, bool from_top) {
    // Blocks that can never be moved are counted first, whatever their place.
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

  // What offline blocks could not pay is taken from online blocks that no share counts. Boot
  // memory last: it seldom goes offline.
  void rezone() {
    for (Claim& claim : claims_) {
      Kind from = Kind::Busy;
      if (claim.wants(Target::Movable)) from = Kind::Normal;
      if (claim.wants(Target::Normal)) from = Kind::Movable;
      const bool any = claim.wants(Target::Offline);
      if (from == Kind::Busy && !any) continue;
      // A limit turns what goes online into normal; taking normal offline for good beside it would
      // go in circles.
      if (any && !policy_.limits.empty()) continue;
      const bool top = claim.share->place != Place::First && !claim.wants(Target::Normal);
      for (const bool boot : {false, true}) {
        const auto surplus = [&](const Part& p) {
          const bool kind =
              any ? (p.kind == Kind::Normal || p.kind == Kind::Movable) : p.kind == from;
          const bool is_boot = host_.devices.at(p.blocks.device).origin == model::Origin::Boot;
          return kind && p.claim == nullptr && !p.fixed && is_boot == boot;
        };
        take(claim.owed(), top, surplus, [&](Part& p) {
          p.claim = &claim;
          p.rezone = true;
          claim.moved += p.blocks.count;
        });
      }
    }
  }

  void lay_out() {
    for (Claim* claim : layout()) {
      const std::uint64_t n = claim != nullptr ? claim->paid : unowed_;
      take(
          n, false, [&](const Part& p) { return p.kind == Kind::Offline && !laid(p); },
          [&](Part& p) {
            p.claim = claim;
            laid_end_ = p.blocks.end().value();
          });
    }
  }
  // Offline parts are laid out in address order, so everything below the mark has its owner.
  [[nodiscard]] bool laid(const Part& part) const { return part.blocks.first.value() < laid_end_; }

  void report() {
    for (const Claim& claim : claims_) {
      const Share& share = *claim.share;
      if (share.amount && claim.count < claim.asked)
        sink_.add(
            diag::Code::AmountExceedsGroup, share.span,
            group_text() +
                fmt::format(
                    "this share asks for {} blocks, but only {} of the group's {} are left for it",
                    claim.asked, claim.count, size_));
      if (share.amount && claim.asked == 0 && size_ > 0)
        sink_.add(diag::Code::ShareRoundsToNothing, share.span,
                  group_text() + fmt::format("this share comes to less than one block of {} here",
                                             model::human(host_.block_size)));
      if (claim.owed() > 0 && !claim.wants(Target::Keep)) report_unreached(claim);
      if (claim.count > 0 && (share.place == Place::First || share.place == Place::Last))
        report_drift(claim);
    }
  }

  void report_unreached(const Claim& claim) {
    auto& d = sink_.add(
        diag::Code::ShareNotReached, claim.share->span,
        group_text() +
            fmt::format("{} of the {} blocks this share asks for {} online in another zone",
                        claim.owed(), claim.count, claim.owed() == 1 ? "is" : "are"));
    d.help =
        policy_.rezone == sema::Rezone::Never
            ? "`set rezone = allowed` lets memonline take them offline and bring them back there"
            : "these blocks cannot be taken offline; boot parameters can place boot memory";
  }

  // Positions: would the blocks at the written end of the group be what the share says?
  void report_drift(const Claim& claim) {
    std::uint64_t before = 0;  // blocks of earlier shares at the same end
    for (const Claim& other : claims_) {
      if (&other == &claim) break;
      if (other.share->place == claim.share->place) before += other.count;
    }
    const bool last = claim.share->place == Place::Last;
    const std::uint64_t from = last ? size_ - before - claim.count : before;
    std::uint64_t index = 0;
    std::uint64_t astray = 0;
    for (const Part& part : parts_) {
      const std::uint64_t begin = std::max(index, from);
      const std::uint64_t end = std::min(index + part.blocks.count, from + claim.count);
      index += part.blocks.count;
      if (begin < end && !becomes(part, claim.share->target)) astray += end - begin;
    }
    // Blocks that are astray for want of blocks are reported as unreached already.
    if (astray <= claim.owed()) return;
    sink_.add(diag::Code::PositionDrift, claim.share->span,
              group_text() + fmt::format("{} of the {} blocks stand elsewhere in the group; what "
                                         "is online stays where it is",
                                         astray - claim.owed(), claim.count));
  }

  static bool becomes(const Part& part, Target target) {
    if (target == Target::Keep || target == Target::Auto) return true;
    if (part.rezone || (part.kind == Kind::Offline && part.claim != nullptr))
      return part.claim->wants(target);
    if (target == Target::Offline) return part.kind == Kind::Offline;
    return part.kind == (target == Target::Normal ? Kind::Normal : Kind::Movable);
  }

  Decision decide(const Part& part) const {
    Decision d;
    d.blocks = part.blocks;
    if (part.claim != nullptr) {
      d.target = part.claim->share->target;
      d.span = part.claim->share->span;
    } else {
      d.span = group_.rule->span;
    }
    switch (part.kind) {
      case Kind::Busy:
        d.target = Target::Keep;
        d.reason = part.blocks.state == State::GoingOffline
                       ? "another agent is taking it offline just now"
                       : "its state could not be read";
        break;
      case Kind::Offline:
        d.change = part.claim != nullptr && d.target != Target::Keep && d.target != Target::Offline;
        if (part.claim == nullptr)
          d.reason = "no share of the rule asks for it";
        else if (d.target == Target::Offline)
          d.reason = "offline already, as asked";
        else if (d.target == Target::Keep)
          d.reason = "the rule keeps it as it is";
        break;
      case Kind::Normal:
      case Kind::Movable: {
        if (part.rezone) {
          d.change = true;
          break;
        }
        const std::string zone = zone_text(part.blocks);
        if (part.claim != nullptr)
          d.reason = fmt::format("online in {} already, counts for this share", zone);
        else if (part.fixed)
          d.reason = fmt::format("online in {}, and cannot be taken offline", zone);
        else if (policy_.rezone == sema::Rezone::Never)
          d.reason =
              fmt::format("online in {} beyond what the rule asks for; `rezone` is `never`", zone);
        else
          d.reason = fmt::format("online in {}; no share that lacks blocks can use it", zone);
        break;
      }
    }
    return d;
  }

  std::string zone_text(const BlockRun& run) const {
    if (run.zones.kind() == model::ValidZones::Kind::None) return "several zones";
    return std::string(model::zone_name(kernel::zone_of(host_, run)));
  }

  // "node1: " where a rule makes several groups.
  std::string group_text() const {
    const BlockRun& run = group_.runs.front();
    switch (group_.rule->selector.each) {
      case sema::Each::None: break;
      case sema::Each::Node:
        return run.node ? fmt::format("node{}: ", run.node->value()) : std::string{};
      case sema::Each::Device: return host_.devices.at(run.device).name + ": ";
    }
    return {};
  }

  void note_rounding(const Claim& claim, Allocation& into) const {
    if (!claim.share->amount) return;
    const auto* percent = std::get_if<sema::Percent>(&*claim.share->amount);
    if (percent == nullptr ||
        share_of(size_, percent->millionths, false) == share_of(size_, percent->millionths, true))
      return;
    const std::uint64_t tenths = (share_of(size_ * 10, percent->millionths, false));
    into.roundings.push_back(
        {group_.runs.front().node,
         fmt::format("{:g}% would be {}.{}", static_cast<double>(percent->millionths) / 1e6,
                     tenths / 10, tenths % 10)});
  }

  const Group& group_;
  const sema::FlatPolicy& policy_;
  const model::Host& host_;
  diag::Sink& sink_;
  std::uint64_t size_;
  std::vector<Part> parts_;
  std::vector<Claim> claims_;
  std::uint64_t unowed_ = 0;
  std::uint64_t laid_end_ = 0;
  bool normal_low_ = true;
};

}  // namespace

std::uint64_t blocks_of(const sema::Amount& amount, Target target, std::uint64_t group,
                        model::Bytes block_size) {
  const bool up = target == Target::Normal;
  return std::visit(overloaded{
                        [&](const sema::Percent& p) { return share_of(group, p.millionths, up); },
                        [&](const model::Bytes& bytes) {
                          const std::uint64_t size = block_size.value();
                          return bytes.value() / size + (up && bytes.value() % size != 0 ? 1 : 0);
                        },
                        [](const sema::Blocks& blocks) { return blocks.count; },
                    },
                    amount);
}

Allocation allocate(const Selection& selection, const sema::FlatPolicy& policy,
                    const model::Host& host, diag::Sink& sink) {
  Allocation allocation;
  for (const Group& group : selection.groups) {
    GroupAllocator allocator(group, policy, host, sink);
    allocator.run();
    allocator.emit(allocation);
  }
  for (const BlockRun& run : selection.unselected) {
    Decision decision;
    decision.blocks = run;
    decision.reason = "no rule selects it";
    allocation.decisions.push_back(decision);
  }
  std::sort(allocation.decisions.begin(), allocation.decisions.end(),
            [](const Decision& a, const Decision& b) { return a.blocks.first < b.blocks.first; });
  return allocation;
}

}  // namespace memonline::plan
