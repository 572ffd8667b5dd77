// SPDX-License-Identifier: LGPL-2.1-or-later
// The pieces of policies, and the texts that they make together.
#include "tests/bounded/grammar.hpp"

#include <algorithm>
#include <cstdlib>

namespace memonline::bounded {

namespace {

std::string_view place_text(Place place) {
  switch (place) {
    case Place::Unplaced: return "";
    case Place::First: return "first ";
    case Place::Last: return "last ";
    case Place::Rest: return "rest ";
  }
  return "";
}

std::string_view target_text(Target target) {
  switch (target) {
    case Target::Movable: return "movable";
    case Target::Normal: return "normal";
    case Target::Auto: return "auto";
    case Target::Offline: return "offline";
    case Target::Keep: return "keep";
  }
  return "";
}

constexpr Amount kNone{};
constexpr Amount kOneBlock{Amount::Kind::Blocks, 1, "1 block"};
constexpr Amount kHalf{Amount::Kind::Percent, 50'000'000, "50%"};

bool any(const Block&) { return true; }
bool on_node0(const Block& block) { return block.node == 0; }
bool on_node1(const Block& block) { return block.node == 1; }
bool at_boot(const Block& block) { return block.boot(); }
bool hot_added(const Block& block) { return !block.boot(); }
bool hot_added_on_node1(const Block& block) { return !block.boot() && block.node == 1; }
bool hot_added_elsewhere(const Block& block) { return !block.boot() && block.node != 0; }
bool in_blocks_2_3(const Block& block) { return block.id == 2 || block.id == 3; }
bool in_first_dimm(const Block& block) { return block.device == 1; }

}  // namespace

const std::vector<Amount> kAllAmounts{
    kNone,
    kOneBlock,
    {Amount::Kind::MiB, 192, "192MiB"},
    kHalf,
    {Amount::Kind::Percent, 33'300'000, "33.3%"},
    {Amount::Kind::Percent, 33'333'333, "33.333333%"},
    {Amount::Kind::Percent, 100'000'000, "100%"},
};
const std::vector<Amount> kFewAmounts{kNone, kOneBlock, kHalf};

const std::vector<Selector> kSelectors{
    {"all", Selector::Each::None, any},
    {"node0", Selector::Each::None, on_node0},
    {"node1", Selector::Each::None, on_node1},
    {"each node", Selector::Each::Node, any},
    {"boot", Selector::Each::None, at_boot},
    {"hotplugged", Selector::Each::None, hot_added},
    {"hotplugged node1", Selector::Each::None, hot_added_on_node1},
    {"hotplugged except node0", Selector::Each::None, hot_added_elsewhere},
    {"each hotplugged node", Selector::Each::Node, hot_added},
    {"each dimm", Selector::Each::Device, hot_added},
    {"dimm0", Selector::Each::None, in_first_dimm},
    {"block 2-3", Selector::Each::None, in_blocks_2_3},
};

const std::vector<Limit> kLimits{
    {"1x normal", true, 1000, {}, false},
    {"0.5x normal per node", true, 500, {}, true},
    {"50%", false, 0, kHalf, false},
    {"33.3% per node", false, 0, {Amount::Kind::Percent, 33'300'000, ""}, true},
    {"1 block", false, 0, kOneBlock, false},
    {"192MiB per node", false, 0, {Amount::Kind::MiB, 192, ""}, true},
};

bool goes_online(Target target) {
  return target == Target::Movable || target == Target::Normal || target == Target::Auto;
}

std::string Share::text() const {
  std::string result(place_text(place));
  if (amount.kind != Amount::Kind::None) result += std::string(amount.text) + " ";
  return result + std::string(target_text(target));
}

std::string Policy::text() const {
  std::string result;
  if (rezone) result += "set rezone = allowed\n";
  for (const Rule& rule : rules) {
    result += std::string(rule.selector->text) + ":";
    for (std::size_t i = 0; i < rule.shares.size(); ++i)
      result += (i == 0 ? " " : ", ") + rule.shares[i].text();
    result += "\n";
  }
  if (limit != nullptr) result += "limit movable to " + std::string(limit->text) + "\n";
  return result;
}

bool Policy::has(Target target) const {
  return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
    return std::any_of(rule.shares.begin(), rule.shares.end(),
                       [&](const Share& share) { return share.target == target; });
  });
}

bool Policy::is_wrong() const {
  return std::any_of(rules.begin(), rules.end(), [](const Rule& rule) {
    std::uint64_t percent = 0;
    unsigned rests = 0;
    for (const Share& share : rule.shares) {
      if (share.amount.kind == Amount::Kind::Percent) percent += share.amount.number;
      if (share.place == Place::Rest) ++rests;
    }
    return percent > 100'000'000 || rests > 1;
  });
}

const Selector* selector_named(std::string_view text) {
  for (const Selector& selector : kSelectors)
    if (selector.text == text) return &selector;
  std::abort();
}

const Limit* limit_named(std::string_view text) {
  for (const Limit& limit : kLimits)
    if (limit.text == text) return &limit;
  std::abort();
}

std::vector<Share> shares_with(const std::vector<Amount>& amounts) {
  std::vector<Share> shares;
  for (const Target target :
       {Target::Movable, Target::Normal, Target::Auto, Target::Offline, Target::Keep}) {
    for (const Place place : {Place::Unplaced, Place::First, Place::Last})
      for (const Amount& amount : amounts) shares.push_back({place, amount, target});
    shares.push_back({Place::Rest, {}, target});
  }
  return shares;
}

std::vector<std::vector<Share>> sequences(const std::vector<Share>& shares, unsigned most) {
  std::vector<std::vector<Share>> all;
  std::vector<std::vector<Share>> longest{{}};
  for (unsigned length = 1; length <= most; ++length) {
    std::vector<std::vector<Share>> longer;
    for (const auto& sequence : longest)
      for (const Share& share : shares) {
        longer.push_back(sequence);
        longer.back().push_back(share);
      }
    all.insert(all.end(), longer.begin(), longer.end());
    longest = std::move(longer);
  }
  return all;
}

}  // namespace memonline::bounded
