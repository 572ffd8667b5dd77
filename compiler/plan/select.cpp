// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/select.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"

namespace memonline::plan {

using model::BlockId;
using model::BlockRun;
using model::Device;
using model::Host;
using model::Origin;
using sema::SimpleClass;

namespace {

// Half-open ranges of block ids, ascending and disjoint.
struct Interval {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};
using Intervals = std::vector<Interval>;

Intervals intersect(const Intervals& a, const Intervals& b) {
  Intervals result;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const Interval common{std::max(a[i].first, b[j].first), std::min(a[i].end, b[j].end)};
    if (common.first < common.end) result.push_back(common);
    (a[i].end < b[j].end ? i : j)++;
  }
  return result;
}

Intervals subtract(const Interval& from, const Intervals& holes) {
  Intervals result;
  std::uint64_t at = from.first;
  for (const Interval& hole : holes) {
    if (at < hole.first) result.push_back({at, hole.first});
    at = std::max(at, hole.end);
  }
  if (at < from.end) result.push_back({at, from.end});
  return result;
}

// Facts a condition needed and the host does not tell; noted once each.
struct Untold {
  bool origin = false;
  bool device = false;
  bool node = false;
  bool cpu = false;
  [[nodiscard]] bool any() const { return origin || device || node || cpu; }
};

class Matcher {
 public:
  Matcher(const Host& host, Untold& untold) : host_(host), untold_(untold) {}

  // The blocks of `run` that satisfy every one of `classes`.
  Intervals all_of(const std::vector<sema::Class>& classes, const BlockRun& run) const {
    Intervals chosen{{run.first.value(), run.end().value()}};
    for (const sema::Class& one : classes) {
      if (chosen.empty()) break;
      chosen = intersect(chosen, match(one, run));
    }
    return chosen;
  }

  // Whether no block of the host satisfies it.
  bool nowhere(const sema::Class& one) const {
    return std::all_of(host_.blocks.begin(), host_.blocks.end(),
                       [&](const BlockRun& run) { return match(one, run).empty(); });
  }

 private:
  Intervals match(const sema::Class& one, const BlockRun& run) const {
    const Interval whole{run.first.value(), run.end().value()};
    const auto if_true = [&](bool holds) { return holds ? Intervals{whole} : Intervals{}; };
    const Device& device = host_.devices.at(run.device);
    return std::visit(
        overloaded{
            [&](SimpleClass simple) { return if_true(simple_holds(simple, run, device)); },
            [&](const sema::NodeList& list) {
              if (!run.node) untold_.node = true;
              return if_true(run.node && in(list.ranges, run.node->value()));
            },
            [&](const sema::DimmList& list) {
              told(device);
              if (device.kind != Device::Kind::Dimm) return Intervals{};
              return if_true(list.ranges.empty() ||
                             (device.number && in(list.ranges, *device.number)));
            },
            [&](const sema::BlockList& list) {
              Intervals ranges;
              for (const auto& [first, last] : list.ranges) ranges.push_back({first, last + 1});
              return intersect({whole}, ranges);
            },
            [&](const sema::AddressRange& range) { return blocks_within(range, whole); },
            [&](const sema::DaxDevice& dax) {
              told(device);
              return if_true(device.kind == Device::Kind::Dax &&
                             (dax.name.empty() || dax.name == device.name));
            },
            [&](const sema::DriverName& driver) {
              told(device);
              return if_true(!device.driver.empty() && device.driver == driver.name);
            },
        },
        one.is);
  }

  bool simple_holds(SimpleClass simple, const BlockRun& run, const Device& device) const {
    switch (simple) {
      case SimpleClass::All: return true;
      case SimpleClass::Boot:
      case SimpleClass::Hotplugged:
        if (device.origin == Origin::Unknown) untold_.origin = true;
        return device.origin == (simple == SimpleClass::Boot ? Origin::Boot : Origin::Hotplugged);
      case SimpleClass::Node:
        if (!run.node) untold_.node = true;
        return run.node.has_value();
      case SimpleClass::Cpuless: {
        const model::Node* node = run.node ? host_.find_node(*run.node) : nullptr;
        if (node == nullptr || !node->has_cpu) untold_.cpu = true;
        return node != nullptr && node->has_cpu == false;
      }
      case SimpleClass::VirtioMem: told(device); return device.kind == Device::Kind::VirtioMem;
    }
    return false;
  }

  // Blocks that lie in the range as a whole.
  Intervals blocks_within(const sema::AddressRange& range, Interval whole) const {
    const std::uint64_t size = host_.block_size.value();
    const std::uint64_t first = range.first / size + (range.first % size != 0 ? 1 : 0);
    const bool last_whole = range.last % size == size - 1;
    const std::uint64_t end = range.last / size + (last_whole ? 1 : 0);
    if (first >= end) return {};
    return intersect({whole}, {{first, end}});
  }

  template <class Ranges, class Value>
  static bool in(const Ranges& ranges, Value value) {
    return std::any_of(ranges.begin(), ranges.end(), [&](const auto& range) {
      return range.first <= value && value <= range.second;
    });
  }

  void told(const Device& device) const {
    if (device.kind == Device::Kind::Unknown) untold_.device = true;
  }

  const Host& host_;
  Untold& untold_;
};

BlockRun part_of(const BlockRun& run, const Interval& part) {
  BlockRun result = run;
  result.first = BlockId(part.first);
  result.count = part.end - part.first;
  return result;
}

// The groups of one rule: all of it, or one per node or per device.
void add_groups(const sema::Rule& rule, std::vector<BlockRun> chosen, std::vector<Group>& groups) {
  if (chosen.empty()) return;
  if (rule.selector.each == sema::Each::None) {
    groups.push_back({&rule, std::move(chosen)});
    return;
  }
  std::map<std::uint64_t, std::size_t> index_of;  // node or device -> group
  for (BlockRun& run : chosen) {
    const std::uint64_t key = rule.selector.each == sema::Each::Node
                                  ? (run.node ? run.node->value() : ~std::uint64_t{0})
                                  : run.device;
    const auto [at, is_new] = index_of.emplace(key, groups.size());
    if (is_new) groups.push_back({&rule, {}});
    groups[at->second].runs.push_back(run);
  }
}

void note_untold(const Untold& untold, const sema::Rule& rule, diag::Sink& sink) {
  const auto warn = [&](const char* what) {
    sink.add(
        diag::Code::HostDoesNotTell, rule.selector.span,
        fmt::format("this host does not tell {}, so the rule leaves those blocks alone", what));
  };
  if (untold.origin) warn("whether some blocks were there at boot");
  if (untold.device) warn("which device some blocks belong to");
  if (untold.node) warn("the node of some blocks");
  if (untold.cpu) warn("which nodes have CPUs");
}

// Whether it names one thing by number, address or name. Many hosts have nothing hotplugged, and
// are meant to; a node that is not there may be a slip of the pen.
bool names_one(const sema::Class& one) {
  return std::visit(overloaded{
                        [](SimpleClass) { return false; },
                        [](const sema::DriverName&) { return false; },
                        [](const sema::DimmList& list) { return !list.ranges.empty(); },
                        [](const sema::DaxDevice& dax) { return !dax.name.empty(); },
                        [](const auto&) { return true; },
                    },
                    one.is);
}

// "node0-3, node6"
std::string listed(std::string_view word, const std::set<std::uint32_t>& numbers) {
  std::string text;
  for (auto at = numbers.begin(); at != numbers.end();) {
    const std::uint32_t first = *at;
    std::uint32_t last = first;
    while (++at != numbers.end() && *at == last + 1) last = *at;
    text += fmt::format("{}{}{}", text.empty() ? "" : ", ", word, first);
    if (last != first) text += fmt::format("-{}", last);
  }
  return text;
}

// What the host has in place of what a rule names in vain.
std::string there_is(const sema::Class& one, const Host& host) {
  std::set<std::uint32_t> numbers;
  if (std::holds_alternative<sema::NodeList>(one.is)) {
    for (const BlockRun& run : host.blocks)
      if (run.node) numbers.insert(run.node->value());
    return "its memory is on " + listed("node", numbers);
  }
  if (std::holds_alternative<sema::DimmList>(one.is)) {
    for (const Device& device : host.devices)
      if (device.kind == Device::Kind::Dimm && device.number) numbers.insert(*device.number);
    return numbers.empty() ? "it has no DIMMs" : "its DIMMs are " + listed("dimm", numbers);
  }
  return "`memonline status` shows what there is";
}

// A host that does not tell may have it: `untold` is what `matcher` comes upon while it looks.
void note_missing(const Matcher& matcher, const Untold& untold, const sema::Rule& rule,
                  const Host& host, diag::Sink& sink) {
  if (host.blocks.empty()) return;
  for (const sema::Class& one : rule.selector.classes)
    if (names_one(one) && matcher.nowhere(one) && !untold.any())
      sink.add(diag::Code::NoSuchMemory, one.span,
               "this host has no such memory, so the rule does nothing here")
          .help = there_is(one, host);
}

}  // namespace

std::uint64_t Group::blocks() const {
  std::uint64_t sum = 0;
  for (const BlockRun& run : runs) sum += run.count;
  return sum;
}

Selection select(const sema::FlatPolicy& policy, const Host& host, diag::Sink& sink) {
  Selection selection;
  selection.unselected = host.blocks;
  for (const sema::Rule& rule : policy.rules) {
    Untold untold;
    const Matcher matcher(host, untold);
    std::vector<BlockRun> chosen;
    std::vector<BlockRun> left;
    for (const BlockRun& run : selection.unselected) {
      Intervals mine = matcher.all_of(rule.selector.classes, run);
      if (!rule.selector.except.empty()) {
        const Intervals excepted = matcher.all_of(rule.selector.except, run);
        Intervals kept;
        for (const Interval& part : mine)
          for (const Interval& rest : subtract(part, excepted)) kept.push_back(rest);
        mine = kept;
      }
      for (const Interval& part : mine) chosen.push_back(part_of(run, part));
      for (const Interval& part : subtract({run.first.value(), run.end().value()}, mine))
        left.push_back(part_of(run, part));
    }
    note_untold(untold, rule, sink);
    if (chosen.empty()) note_missing(matcher, untold, rule, host, sink);
    add_groups(rule, std::move(chosen), selection.groups);
    selection.unselected = std::move(left);
  }
  return selection;
}

}  // namespace memonline::plan
