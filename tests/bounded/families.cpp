// SPDX-License-Identifier: LGPL-2.1-or-later
// The families. A product of everything with everything would take days: each family varies two or
// three dimensions in full, and the others little. Most have one dimension less of ranges or shares
// than the bound, in turn.
#include "tests/bounded/families.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace memonline::bounded {

using model::Era;
using Kind = Range::Kind;

namespace {

const std::vector<Kind> kUsual{Kind::HotOffline, Kind::HotKernel, Kind::HotMovable,
                               Kind::BootKernel};
const std::vector<Kind> kAllKinds{Kind::HotOffline, Kind::HotKernel,   Kind::HotMovable,
                                  Kind::BootKernel, Kind::BootMovable, Kind::BootOffline};

using Names = std::vector<std::string_view>;
const Names kAllLimits{"1x normal", "0.5x normal per node", "50%", "33.3% per node",
                       "1 block",   "192MiB per node"};
const Names kThreeLimits{"1x normal", "33.3% per node", "1 block"};

std::vector<const Selector*> all_selectors() {
  std::vector<const Selector*> all;
  all.reserve(kSelectors.size());
  for (const Selector& selector : kSelectors) all.push_back(&selector);
  return all;
}

std::vector<const Selector*> selectors(const Names& names) {
  std::vector<const Selector*> some;
  for (const std::string_view name : names) some.push_back(selector_named(name));
  return some;
}

std::vector<const Limit*> limits(const Names& names) {
  std::vector<const Limit*> some;
  for (const std::string_view name : names) some.push_back(limit_named(name));
  return some;
}

// One rule: each body with each selector, limit and value of `rezone`.
std::vector<Policy> one_rule(const std::vector<std::vector<Share>>& bodies,
                             const std::vector<const Selector*>& of,
                             const std::vector<const Limit*>& beside,
                             const std::vector<bool>& rezone) {
  std::vector<Policy> policies;
  for (const auto& shares : bodies)
    for (const Selector* selector : of)
      for (const Limit* limit : beside)
        for (const bool allowed : rezone)
          policies.push_back({{{selector, shares}}, limit, allowed});
  return policies;
}

// Two rules: any two selectors in both orders, so that one may hide the other, wholly or in part.
std::vector<Policy> two_rules(const std::vector<std::vector<Share>>& bodies,
                              const std::vector<const Selector*>& of,
                              const std::vector<const Limit*>& beside) {
  std::vector<Policy> policies;
  for (const Selector* first : of)
    for (const Selector* second : of) {
      if (first == second) continue;
      for (const auto& shares : bodies)
        for (const auto& others : bodies)
          for (const Limit* limit : beside)
            policies.push_back({{{first, shares}, {second, others}}, limit, false});
    }
  return policies;
}

// Each target alone, and two rules that split a group: 7 bodies.
std::vector<std::vector<Share>> plain_bodies() {
  const Amount none{};
  const Amount half{Amount::Kind::Percent, 50'000'000, "50%"};
  const Amount block{Amount::Kind::Blocks, 1, "1 block"};
  std::vector<std::vector<Share>> bodies;
  for (const Target target :
       {Target::Movable, Target::Normal, Target::Auto, Target::Offline, Target::Keep})
    bodies.push_back({{Place::Unplaced, none, target}});
  bodies.push_back({{Place::Last, block, Target::Movable}});
  bodies.push_back({{Place::Unplaced, half, Target::Movable}, {Place::Rest, none, Target::Normal}});
  return bodies;
}

// Whole rules of one to `most` shares.
using Bodies = std::vector<std::vector<Share>>;

// With all amounts, also where an amount is the whole group: `first movable`.
Bodies full_bodies(unsigned most) { return sequences(shares_with(kAllAmounts), most); }

// `1 block` and `50%` at each place, and no amount: 40 shares.
Bodies usual_bodies(unsigned most) {
  std::vector<Share> shares = shares_with(kFewAmounts);
  std::erase_if(shares, [](const Share& share) {
    return share.amount.kind == Amount::Kind::None &&
           (share.place == Place::First || share.place == Place::Last);
  });
  return sequences(shares, most);
}

// `1 block`, unplaced or `last`, and `rest`: 15 shares.
Bodies short_bodies(unsigned most) {
  std::vector<Share> shares = shares_with({{Amount::Kind::Blocks, 1, "1 block"}});
  std::erase_if(shares, [](const Share& share) { return share.place == Place::First; });
  return sequences(shares, most);
}

// Shares whose blocks may be counted in more than one way, once some are online: up to three of
// them.
Bodies colliding_bodies() {
  const Amount none{};
  const Amount block{Amount::Kind::Blocks, 1, "1 block"};
  const Amount half{Amount::Kind::Percent, 50'000'000, "50%"};
  return sequences({{Place::First, block, Target::Movable},
                    {Place::Last, block, Target::Movable},
                    {Place::Unplaced, half, Target::Movable},
                    {Place::Unplaced, block, Target::Auto},
                    {Place::Unplaced, block, Target::Offline},
                    {Place::Rest, none, Target::Offline},
                    {Place::Rest, none, Target::Normal}},
                   3);
}

const std::vector<const Limit*> kNoLimit{nullptr};
const std::vector<bool> kNever{false};
const std::vector<bool> kAllowed{true};
const std::vector<bool> kBoth{false, true};
const std::vector<std::uint64_t> kSizes{1, 3};
const std::vector<std::uint64_t> kAllSizes{1, 2, 3};

unsigned less(unsigned bound) { return std::max(bound, 2U) - 1; }

using Visit = std::function<void(const Family&)>;

void visit_rezone(const Bound& bound, const Visit& visit) {
  const Kernel latest{};
  const unsigned n = bound.ranges;
  const unsigned m = bound.shares;
  const auto some = selectors({"all", "each node"});
  visit({"rezone", n, less(m), hosts_of(latest, n, kAllKinds, kSizes),
         one_rule(usual_bodies(less(m)), some, kNoLimit, kAllowed)});
  visit({"rezone", less(n), m, hosts_of(latest, less(n), kAllKinds, kAllSizes),
         one_rule(usual_bodies(m), some, kNoLimit, kAllowed)});
  visit({"rezone, short rules", n, m, hosts_of(latest, n, kUsual, kSizes),
         one_rule(short_bodies(m), selectors({"all"}), kNoLimit, kAllowed)});
}

void visit_limits(const Bound& bound, const Visit& visit) {
  const Kernel latest{};
  const unsigned n = bound.ranges;
  const unsigned m = bound.shares;
  const auto all = selectors({"all"});
  visit({"limits", n, less(m), hosts_of(latest, n, kUsual, kSizes),
         one_rule(usual_bodies(less(m)), all, limits(kAllLimits), kBoth)});
  visit({"limits, short rules", n, m, hosts_of(latest, n, kUsual, kSizes),
         one_rule(short_bodies(m), all, limits(kThreeLimits), kNever)});
  visit({"limits, three shares", n, 3, hosts_of(latest, n, kUsual, kSizes),
         one_rule(colliding_bodies(), all, limits({"1x normal", "33.3% per node"}), kNever)});
  if (n > 2)  // one range does little that `limits, short rules` does not show
    visit({"limits", less(n), m, hosts_of(latest, less(n), kUsual, kSizes),
           one_rule(usual_bodies(m), all, limits(kAllLimits), kNever)});
  visit({"limits, two rules", n, 2, hosts_of(latest, n, kUsual, {2}),
         two_rules(plain_bodies(), selectors({"node1", "hotplugged", "each node"}),
                   limits(kThreeLimits))});
}

// Where plain `online` picks Movable more often, and earlier kernels.
void visit_kernels(const Bound& bound, const Visit& visit) {
  const unsigned n = bound.ranges;
  const unsigned m = bound.shares;
  const auto all = selectors({"all"});
  const std::vector<std::pair<std::string_view, Kernel>> kernels{
      {"movable_node", {Era::D, true, false}},
      {"auto-movable", {Era::D, false, true}},
      {"era C2", {Era::C2}},
      {"era B", {Era::B}},
      {"era A3", {Era::A3}}};
  std::vector<const Limit*> some = limits(kThreeLimits);
  some.insert(some.begin(), nullptr);
  for (const auto& [name, kernel] : kernels) {
    visit({name, n, less(m), hosts_of(kernel, n, kUsual, kSizes),
           one_rule(usual_bodies(less(m)), all, some, kBoth)});
    visit({name, less(n), m, hosts_of(kernel, less(n), kUsual, kSizes),
           one_rule(usual_bodies(m), all, kNoLimit, kNever)});
  }
}

}  // namespace

void for_each_family(const Bound& bound, const Visit& visit) {
  const Kernel latest{};
  const unsigned n = bound.ranges;
  const unsigned m = bound.shares;
  visit({"amounts, selectors", n, 1, hosts_of(latest, n, kUsual, kSizes),
         one_rule(full_bodies(1), all_selectors(), kNoLimit, kNever)});
  visit({"shares", n, m, hosts_of(latest, n, kUsual, kSizes),
         one_rule(usual_bodies(m), selectors({"all"}), kNoLimit, kNever)});
  visit({"two rules", n, 2, hosts_of(latest, n, kUsual, {2}),
         two_rules(plain_bodies(),
                   selectors({"all", "node1", "each node", "hotplugged", "hotplugged node1",
                              "each dimm", "block 2-3"}),
                   kNoLimit)});
  visit_rezone(bound, visit);
  visit_limits(bound, visit);
  visit_kernels(bound, visit);
}

}  // namespace memonline::bounded
