// SPDX-License-Identifier: LGPL-2.1-or-later
// What is decided for the blocks of a shared-out group, and what is to be said of it.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/kernel/memory_state.hpp"
#include "compiler/plan/shared_group.hpp"

namespace memonline::plan {

using model::BlockRun;
using model::State;
using sema::Place;
using sema::Share;
using sema::Target;

namespace {

class Describer {
 public:
  Describer(const SharedGroup& shared, const sema::FlatPolicy& policy, const model::Host& host,
            diag::Sink& sink)
      : shared_(shared), policy_(policy), host_(host), sink_(sink) {}

  void emit(Allocation& into) const {
    for (const Part& part : shared_.parts) into.decisions.push_back(decide(part));
    for (const Claim& claim : shared_.claims) note_rounding(claim, into);
  }

  void report() const {
    for (const Claim& claim : shared_.claims) {
      const Share& share = *claim.share;
      if (share.amount && claim.count < claim.asked)
        sink_.add(
            diag::Code::AmountExceedsGroup, share.span,
            group_text() +
                fmt::format(
                    "this share asks for {} blocks, but only {} of the group's {} are left for it",
                    claim.asked, claim.count, shared_.size));
      // Of one that asks for nothing ML0307 was told without a host.
      if (share.amount && !is_zero(*share.amount) && claim.asked == 0 && shared_.size > 0)
        sink_.add(diag::Code::ShareRoundsToNothing, share.span,
                  group_text() + fmt::format("this share comes to less than one block of {} here",
                                             model::human(host_.block_size)));
      if (claim.owed() > 0 && !claim.wants(Target::Keep)) report_unreached(claim);
      if (claim.count > 0 && (share.place == Place::First || share.place == Place::Last))
        report_drift(claim);
    }
  }

 private:
  void report_unreached(const Claim& claim) const {
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
  void report_drift(const Claim& claim) const {
    std::uint64_t before = 0;  // blocks of earlier shares at the same end
    for (const Claim& other : shared_.claims) {
      if (&other == &claim) break;
      if (other.share->place == claim.share->place) before += other.count;
    }
    const bool last = claim.share->place == Place::Last;
    const std::uint64_t from = last ? shared_.size - before - claim.count : before;
    std::uint64_t index = 0;
    std::uint64_t astray = 0;
    for (const Part& part : shared_.parts) {
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
    if (const Claim* claim = part.claim != nullptr ? part.claim : part.missed_by) {
      d.target = claim->share->target;
      d.span = claim->share->span;
    } else {
      d.span = shared_.group.rule->span;
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
    const BlockRun& run = shared_.group.runs.front();
    switch (shared_.group.rule->selector.each) {
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
    if (percent == nullptr || percent_of(shared_.size, percent->millionths, false) ==
                                  percent_of(shared_.size, percent->millionths, true))
      return;
    const std::uint64_t tenths = (percent_of(shared_.size * 10, percent->millionths, false));
    into.roundings.push_back(
        {shared_.group.runs.front().node,
         fmt::format("{:g}% would be {}.{}", static_cast<double>(percent->millionths) / 1e6,
                     tenths / 10, tenths % 10)});
  }

  const SharedGroup& shared_;
  const sema::FlatPolicy& policy_;
  const model::Host& host_;
  diag::Sink& sink_;
};

}  // namespace

void describe(const SharedGroup& shared, const sema::FlatPolicy& policy, const model::Host& host,
              Allocation& into, diag::Sink& sink) {
  const Describer describer(shared, policy, host, sink);
  describer.report();
  describer.emit(into);
}

}  // namespace memonline::plan
