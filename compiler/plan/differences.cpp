// SPDX-License-Identifier: LGPL-2.1-or-later
// Both hosts are walked along the borders of their runs: the cost is that of the runs.
#include "compiler/plan/differences.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace memonline::plan {

using model::BlockFact;
using model::BlockId;
using model::BlockRange;
using model::Facts;
using model::State;
using Lines = std::vector<std::string>;

namespace {

// One block or several: the words differ.
struct Number {
  const char* was;
  const char* is;
  const char* offers;
};
constexpr Number kOne{"was", "is", "offers"};
constexpr Number kSeveral{"were", "are", "offer"};

std::string state_words(const BlockFact& run) {
  using Kind = model::ValidZones::Kind;
  switch (run.state) {
    case State::Online: break;
    case State::Offline: return "offline";
    case State::GoingOffline: return "being offlined";
    case State::Unknown: return "in an unknown state";
  }
  if (run.zones.kind() == Kind::None) return "online in several zones";
  if (run.zones.kind() != Kind::Listed) return "online";
  return fmt::format("online in {}", model::zone_name(run.zones[0]));
}

std::string node_words(const BlockFact& run) {
  if (!run.node) return "an unknown node";
  return fmt::format("node{}{}", *run.node, run.several_nodes ? " and others" : "");
}

std::string changed(const BlockFact& then, const BlockFact& now, const Number& number) {
  std::string text;
  const auto add = [&](std::string_view preposition, const std::string& before,
                       const std::string& after) {
    if (before == after) return;
    text += fmt::format("{}{} {}{}, {} {}{}", text.empty() ? "" : "; ", number.was, preposition,
                        before, number.is, preposition, after);
  };
  add("", state_words(then), state_words(now));
  add("on ", node_words(then), node_words(now));
  add("of ", then.device, now.device);
  return text;
}

class Differences {
 public:
  Differences(const Facts& then, const Facts& now) : then_(then), now_(now) {}

  Lines lines() && {
    machine();
    parameters();
    knobs();
    nodes();
    // With another block size the same number is another address.
    if (then_.block_size == now_.block_size) {
      unconfigured();
      blocks();
    }
    if (lines_.empty()) return std::move(offers_);
    return std::move(lines_);
  }

 private:
  template <class Value>
  void value(std::string_view name, const Value& then, const Value& now) {
    if (then != now) lines_.push_back(fmt::format("{} was {}, is {}", name, then, now));
  }

  void machine() {
    if (then_.block_size != now_.block_size)
      lines_.push_back(fmt::format("block size was {}, is {}",
                                   model::human(model::Bytes(then_.block_size)),
                                   model::human(model::Bytes(now_.block_size))));
    value("page size", then_.page_size, now_.page_size);
    value("era of the kernel", model::era_name(then_.era), model::era_name(now_.era));
    value("architecture", then_.arch, now_.arch);
    if (then_.hot_remove != now_.hot_remove)
      lines_.emplace_back(now_.hot_remove ? "the kernel can offline memory now"
                                          : "the kernel can no longer offline memory");
  }

  void parameters() {
    const std::multiset<std::string> then(then_.parameters.begin(), then_.parameters.end());
    const std::multiset<std::string> now(now_.parameters.begin(), now_.parameters.end());
    if (then == now) {
      if (then_.parameters != now_.parameters)
        lines_.emplace_back("the kernel parameters are in another order");
      return;
    }
    const auto report = [&](const auto& has, const auto& lacks, const char* what) {
      Lines more;
      std::set_difference(has.begin(), has.end(), lacks.begin(), lacks.end(),
                          std::back_inserter(more));
      for (const std::string& word : more)
        lines_.push_back(fmt::format("kernel parameter `{}` is {}", word, what));
    };
    report(then, now, "gone");
    report(now, then, "new");
  }

  void knobs() {
    for (const model::KnobFact& knob : then_.knobs) {
      const std::string* value = now_.knob(knob.name);
      if (value == nullptr)
        lines_.push_back(fmt::format("{} is gone", knob.name));
      else if (*value != knob.value)
        lines_.push_back(fmt::format("{} was {}, is {}", knob.name, knob.value, *value));
    }
    for (const model::KnobFact& knob : now_.knobs)
      if (then_.knob(knob.name) == nullptr)
        lines_.push_back(fmt::format("{} is new: {}", knob.name, knob.value));
  }

  void nodes() {
    const auto cpus = [](const std::optional<bool>& has) {
      if (!has) return "an unknown number of CPUs";
      return *has ? "CPUs" : "no CPUs";
    };
    for (const auto& [id, has] : then_.node_cpus) {
      const auto at = now_.node_cpus.find(id);
      if (at == now_.node_cpus.end())
        lines_.push_back(fmt::format("node{} is gone", id));
      else if (at->second != has)
        lines_.push_back(fmt::format("node{} had {}, has {}", id, cpus(has), cpus(at->second)));
    }
    for (const auto& [id, has] : now_.node_cpus)
      if (!then_.node_cpus.contains(id)) lines_.push_back(fmt::format("node{} is new", id));
  }

  void unconfigured() {
    const auto report = [&](const auto& has, const auto& lacks, const char* what) {
      for (const model::UnconfiguredFact& memory : has)
        if (std::find(lacks.begin(), lacks.end(), memory) == lacks.end())
          lines_.push_back(fmt::format("unconfigured memory is {}: {} ({}{})", what,
                                       model::range_name(memory.blocks), memory.device,
                                       memory.own_map ? " with memmap_on_memory" : ""));
    };
    report(then_.unconfigured, now_.unconfigured, "gone");
    report(now_.unconfigured, then_.unconfigured, "new");
  }

  void blocks() {
    std::set<BlockId> borders;
    for (const auto* runs : {&then_.blocks, &now_.blocks})
      for (const BlockFact& run : *runs) {
        borders.insert(run.blocks.first);
        borders.insert(run.blocks.last + 1);
      }
    auto then = then_.blocks.begin();
    auto now = now_.blocks.begin();
    const auto covering = [](auto& at, const auto& end, BlockId block) -> const BlockFact* {
      while (at != end && at->blocks.last < block) ++at;
      return at != end && at->blocks.first <= block ? &*at : nullptr;
    };
    for (auto border = borders.begin(); border != borders.end(); ++border) {
      const BlockFact* before = covering(then, then_.blocks.end(), *border);
      const BlockFact* after = covering(now, now_.blocks.end(), *border);
      if (before != nullptr || after != nullptr)
        compare({*border, *std::next(border) - 1}, before, after);
    }
    end_change();
  }

  void compare(const BlockRange& blocks, const BlockFact* then, const BlockFact* now) {
    if (then != nullptr && now != nullptr && then->state == now->state &&
        then->zones == now->zones && then->node == now->node &&
        then->several_nodes == now->several_nodes && then->device == now->device)
      return;
    Change change{blocks, words(then, now, kOne), words(then, now, kSeveral), false};
    if (change.one.empty()) {
      change.one = offers(*then, *now, kOne);
      change.several = offers(*then, *now, kSeveral);
      change.offers = true;
    }
    if (!change_.one.empty() && change_.blocks.last + 1 == blocks.first &&
        change_.one == change.one) {
      change_.blocks.last = blocks.last;
      return;
    }
    end_change();
    change_ = std::move(change);
  }

  static std::string words(const BlockFact* then, const BlockFact* now, const Number& number) {
    if (now == nullptr) return fmt::format("{} gone", number.is);
    if (then == nullptr)
      return fmt::format("{} new: {}, {}", number.is, state_words(*now), node_words(*now));
    return changed(*then, *now, number);
  }

  static std::string offers(const BlockFact& then, const BlockFact& now, const Number& number) {
    return fmt::format("offered `{}`, {} `{}`", model::zones_text(then.zones), number.offers,
                       model::zones_text(now.zones));
  }

  void end_change() {
    if (change_.one.empty()) return;
    Lines& into = change_.offers ? offers_ : lines_;
    into.push_back(fmt::format("{} {}", model::range_name(change_.blocks),
                               change_.blocks.count() == 1 ? change_.one : change_.several));
    change_ = {};
  }

  struct Change {
    BlockRange blocks;
    std::string one;  ///< empty: none yet
    std::string several;
    bool offers = false;
  };

  const Facts& then_;
  const Facts& now_;
  Lines lines_;
  Lines offers_;
  Change change_;
};

}  // namespace

Lines differences(const Facts& then, const Facts& now) {
  Lines lines = Differences(then, now).lines();
  if (lines.size() > kMaxDifferences) {
    const std::size_t more = lines.size() - kMaxDifferences;
    lines.resize(kMaxDifferences);
    lines.push_back(fmt::format("and {} more", more));
  }
  return lines;
}

}  // namespace memonline::plan
