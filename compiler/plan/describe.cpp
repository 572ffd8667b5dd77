// SPDX-License-Identifier: LGPL-2.1-or-later
// The decisions for the blocks of a group with shares, and their diagnostics.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/kernel/memory_state.hpp"
#include "compiler/language/settings.hpp"
#include "compiler/language/targets.hpp"
#include "compiler/plan/shared_group.hpp"
#include "compiler/plan/verdict.hpp"

namespace memonline::plan {

using model::BlockRun;
using model::State;
using sema::Place;
using sema::Share;
using sema::Target;

namespace {

class Describer {
 public:
  Describer(const SharedGroup& shared, const sema::FlatPolicy& policy, const model::Host& host)
      : shared_(shared),
        policy_(policy),
        host_(host),
        group_(group_name()),
        whole_(put_all_online(*shared.group.rule, shared.size, host.block_size)) {}

  void emit(Allocation& into) const {
    for (const Part& part : shared_.parts) into.decisions.push_back(decide(part));
    for (const Claim& claim : shared_.claims) note_rounding(claim, into);
  }

  void report(std::vector<Finding>& findings) const {
    for (const Claim& claim : shared_.claims) {
      const Share& share = *claim.share;
      const auto found = [&](Finding::Kind kind, std::uint64_t blocks,
                             std::uint64_t of) -> Finding& {
        findings.push_back({kind, &share, group_, blocks, of, shared_.size});
        return findings.back();
      };
      if (share.amount && claim.count < claim.asked)
        found(Finding::Kind::ExceedsGroup, claim.count, claim.asked);
      // ML0307 has reported a share of zero already, without a host.
      if (share.amount && !is_zero(*share.amount) && claim.asked == 0 && shared_.size > 0)
        found(Finding::Kind::RoundsToNothing, 0, 0);
      if (claim.owed() > 0 && language::writes(claim.share->target)) {
        const Misplaced lack = misplaced(claim);
        if (lack.all() > 0)
          found(Finding::Kind::NotReached, lack.all(), claim.count).misplaced = lack;
        // Blocks of an unknown state or zone are reported by themselves.
        const std::uint64_t met = lack.all() + of_unknown();
        if (claim.owed() > met) found(Finding::Kind::Unusable, claim.owed() - met, claim.count);
      }
      if (claim.count > 0 && (share.place == Place::First || share.place == Place::Last)) {
        // Blocks that are missing from the share are reported as not reached already.
        const std::uint64_t n = astray(claim);
        if (n > claim.owed()) found(Finding::Kind::OutOfPosition, n - claim.owed(), claim.count);
      }
    }
  }

 private:
  [[nodiscard]] Misplaced misplaced(const Claim& claim) const {
    Misplaced sum;
    for (const Part& part : shared_.parts) {
      if (part.missed_by != &claim) continue;
      const model::Device& device = host_.devices.at(part.blocks.device);
      const bool boot = device.origin == model::Origin::Boot;
      const bool dimm = device.kind == model::Device::Kind::Dimm;
      (boot ? sum.boot : dimm ? sum.dimms : sum.others) += part.blocks.count;
      if (part.fixed) sum.fixed += part.blocks.count;
    }
    return sum;
  }

  [[nodiscard]] std::uint64_t of_unknown() const {
    std::uint64_t sum = 0;
    for (const Part& part : shared_.parts)
      if (part.blocks.state == State::Unknown ||
          (part.kind == Kind::UnknownZone && part.claim == nullptr && part.missed_by == nullptr))
        sum += part.blocks.count;
    return sum;
  }

  // How many blocks at the end of the group where the share belongs do not have its target.
  [[nodiscard]] std::uint64_t astray(const Claim& claim) const {
    std::uint64_t before = 0;  // blocks of earlier shares at the same end
    for (const Claim& other : shared_.claims) {
      if (&other == &claim) break;
      if (other.share->place == claim.share->place) before += other.count;
    }
    const bool last = claim.share->place == Place::Last;
    const std::uint64_t from = last ? shared_.size - before - claim.count : before;
    std::uint64_t index = 0;
    std::uint64_t sum = 0;
    for (const Part& part : shared_.parts) {
      const std::uint64_t begin = std::max(index, from);
      const std::uint64_t end = std::min(index + part.blocks.count, from + claim.count);
      index += part.blocks.count;
      if (begin < end && !becomes(part, claim.share->target)) sum += end - begin;
    }
    return sum;
  }

  static bool becomes(const Part& part, Target target) {
    if (!language::writes(target) || target == Target::Auto) return true;
    if (part.rezone || (part.kind == Kind::Offline && part.claim != nullptr))
      return part.claim->wants(target);
    if (target == Target::Offline) return part.kind == Kind::Offline;
    if (part.kind == Kind::UnknownZone) return true;  // it may be there
    return part.kind == (target == Target::Normal ? Kind::Normal : Kind::Movable);
  }

  Decision decide(const Part& part) const {
    Decision d;
    d.blocks = part.blocks;
    d.fixed = part.fixed;
    d.whole = whole_;
    if (const Claim* claim = part.claim != nullptr ? part.claim : part.missed_by) {
      d.target = claim->share->target;
      d.span = claim->share->span;
    } else {
      d.span = shared_.group.rule->span;
    }
    switch (part.kind) {
      case Kind::Busy:
        d.target = Target::Keep;
        d.reason = part.blocks.state == State::GoingOffline ? "another process is offlining it"
                                                            : "the state is unknown";
        if (part.blocks.state == State::Unknown) d.unknown = kUnknownState;
        break;
      case Kind::UnknownZone:
        if (part.claim != nullptr) {
          d.reason = "online already, counts for this share";
        } else if (part.missed_by != nullptr) {
          d.reason = "online in an unknown zone, and left there";
        } else {
          d.target = Target::Keep;
          d.reason = "online in an unknown zone: no share counts it";
          if (asks_for_zones(*shared_.group.rule)) d.unknown = kUnknownZone;
        }
        break;
      case Kind::Offline:
        d.change = part.claim != nullptr && language::writes(d.target) &&
                   (d.target != Target::Offline || part.blocks.state == State::Online);
        if (part.claim == nullptr)
          d.reason = "no share of the rule requests it";
        else if (d.target == Target::Offline)
          d.reason = "offline already, as requested";
        else if (!language::writes(d.target))
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
        else if (part.fixed) {
          d.reason = fmt::format("online in {}, and cannot be offlined", zone);
          d.blocker = Blocker::CannotOffline;
        } else if (policy_.settings.is(language::Rezone::Never)) {
          d.reason =
              fmt::format("online in {} beyond what the rule requests; `rezone` is `never`", zone);
          d.blocker = Blocker::RezoneNever;
        } else
          d.reason = fmt::format("online in {}; no share that still needs blocks can use it", zone);
        break;
      }
    }
    return d;
  }

  std::string zone_text(const BlockRun& run) const {
    if (run.zones.kind() == model::ValidZones::Kind::None) return "several zones";
    const auto zone = kernel::zone_of(host_, run);
    return zone ? std::string(model::zone_name(*zone)) : "an unknown zone";
  }

  // "node1" where a rule makes several groups.
  [[nodiscard]] std::string group_name() const {
    const BlockRun& run = shared_.group.runs.front();
    switch (shared_.group.rule->selector.each) {
      case sema::Each::None: break;
      case sema::Each::Node:
        return run.node ? fmt::format("node{}", *run.node) : "memory of an unknown node";
      case sema::Each::Device: return host_.devices.at(run.device).name;
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
  std::string group_;
  bool whole_;
};

}  // namespace

void describe(const SharedGroup& shared, const sema::FlatPolicy& policy, const model::Host& host,
              Allocation& into) {
  const Describer describer(shared, policy, host);
  describer.report(into.findings);
  describer.emit(into);
}

}  // namespace memonline::plan
