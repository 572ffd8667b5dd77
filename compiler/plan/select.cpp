// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/select.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/model/dax.hpp"
#include "compiler/plan/missing_facts.hpp"
#include "compiler/plan/sources.hpp"

namespace memonline::plan {

using model::BlockId;
using model::BlockRange;
using model::BlockRun;
using model::BlockSet;
using model::Device;
using model::Host;
using model::Origin;
using sema::ClassWord;

namespace {

// Which blocks of a run are of a class, as far as the host shows it.
struct Match {
  BlockSet surely;
  BlockSet possibly;      // surely, or undecided for lack of `fact`
  const char* fact = "";  // empty: nothing is undecided
};

enum class Answer { No, Yes, Unknown };
constexpr const char* kOrigin = "origin";
constexpr const char* kDriver = "driver";
constexpr const char* kDevice = "device";
constexpr const char* kNode = "node";
constexpr const char* kCpus = "CPU list of the node";

// Ascending and disjoint ranges, both ends included: the first that does not end below `value`.
template <class Ranges, class Value>
auto range_at(const Ranges& ranges, Value value) {
  return std::partition_point(ranges.begin(), ranges.end(),
                              [&](const auto& range) { return range.second < value; });
}

class Matcher {
 public:
  explicit Matcher(const Host& host) : host_(host) {}

  // Whether one of `classes` leaves out the whole run, decided without cutting it: the most
  // frequent case.
  [[nodiscard]] bool leave_out(const std::vector<sema::Class>& classes, const BlockRun& run) const {
    return std::any_of(classes.begin(), classes.end(), [&](const sema::Class& one) {
      if (const auto* list = std::get_if<sema::NodeList>(&one.is))
        return run.node && !in(list->ranges, *run.node);
      if (const auto* list = std::get_if<sema::BlockList>(&one.is)) {
        const auto at = range_at(list->ranges, run.first);
        return at == list->ranges.end() || at->first >= run.end();
      }
      const Device& device = host_.devices.at(run.device);
      if (device.kind == Device::Kind::Unknown) return false;
      if (const auto* list = std::get_if<sema::DimmList>(&one.is))
        return device.kind != Device::Kind::Dimm ||
               (!list->ranges.empty() && !(device.number && in(list->ranges, *device.number)));
      if (const auto* dax = std::get_if<sema::DaxDevice>(&one.is))
        return device.kind != Device::Kind::Dax || (!dax->name.empty() && dax->name != device.name);
      return false;
    });
  }

  // The blocks of `run` that satisfy every one of `classes`.
  Match all_of(const std::vector<sema::Class>& classes, const BlockRun& run) const {
    const BlockSet whole({run.range()});
    Match chosen{whole, whole};
    for (const sema::Class& one : classes) {
      const Match match = this->match(one, run);
      chosen.surely = intersect(chosen.surely, match.surely);
      chosen.possibly = intersect(chosen.possibly, match.possibly);
      if (*chosen.fact == '\0') chosen.fact = match.fact;
      if (chosen.possibly.empty()) return {};
    }
    return chosen;
  }

  // Whether no block of the host can satisfy it.
  bool nowhere(const sema::Class& one) const {
    const std::vector<sema::Class> alone{one};
    return std::all_of(host_.blocks.begin(), host_.blocks.end(), [&](const BlockRun& run) {
      return leave_out(alone, run) || match(one, run).possibly.empty();
    });
  }

 private:
  Match match(const sema::Class& one, const BlockRun& run) const {
    const BlockSet whole({run.range()});
    const auto where = [](const BlockSet& blocks) { return Match{blocks, blocks}; };
    const auto answered = [&](Answer answer, const char* fact) {
      switch (answer) {
        case Answer::No: break;
        case Answer::Yes: return where(whole);
        case Answer::Unknown: return Match{{}, whole, fact};
      }
      return Match{};
    };
    const auto if_true = [&](bool holds) { return holds ? where(whole) : Match{}; };
    const Device& device = host_.devices.at(run.device);
    const bool known = device.kind != Device::Kind::Unknown;
    const auto of_kind = [&](Device::Kind kind, bool ruled_out, bool fits) {
      if (known) return if_true(device.kind == kind && fits);
      return answered(ruled_out ? Answer::No : Answer::Unknown, kDevice);
    };
    return std::visit(
        overloaded{
            [&](ClassWord simple) {
              if (simple == ClassWord::VirtioMem)
                return of_kind(Device::Kind::VirtioMem, host_.ruled_out.virtio_mem, true);
              if (simple == ClassWord::Standby)
                return of_kind(Device::Kind::Standby, !may_have_standby(host_), true);
              if (simple == ClassWord::SystemRam)
                return of_kind(Device::Kind::Dax, host_.ruled_out.dax, true);
              return simple_match(simple, run, device, answered);
            },
            [&](const sema::NodeList& list) {
              if (!run.node) return answered(Answer::Unknown, kNode);
              return if_true(in(list.ranges, *run.node));
            },
            [&](const sema::DimmList& list) {
              return of_kind(
                  Device::Kind::Dimm, host_.ruled_out.dimm,
                  list.ranges.empty() || (device.number && in(list.ranges, *device.number)));
            },
            [&](const sema::BlockList& list) {
              BlockSet ranges;
              for (auto at = range_at(list.ranges, run.first);
                   at != list.ranges.end() && at->first < run.end(); ++at)
                ranges.add({at->first, at->second});
              return where(intersect(whole, ranges));
            },
            [&](const sema::Addresses& range) { return where(blocks_within(range, whole)); },
            [&](const sema::DaxDevice& dax) {
              return of_kind(Device::Kind::Dax, host_.ruled_out.dax,
                             dax.name.empty() || dax.name == device.name);
            },
            [&](const sema::DriverName& driver) {
              if (!known)
                return answered(ruled_out(driver.name) ? Answer::No : Answer::Unknown, kDriver);
              return if_true(!device.driver.empty() && device.driver == driver.name);
            },
        },
        one.is);
  }

  template <class Answered>
  Match simple_match(ClassWord simple, const BlockRun& run, const Device& device,
                     const Answered& answered) const {
    const auto yes_if = [](bool holds) { return holds ? Answer::Yes : Answer::No; };
    switch (simple) {
      case ClassWord::All: return answered(Answer::Yes, "");
      case ClassWord::Boot:
      case ClassWord::Hotplugged:
        if (device.origin == Origin::Unknown) return answered(Answer::Unknown, kOrigin);
        return answered(yes_if(device.origin ==
                               (simple == ClassWord::Boot ? Origin::Boot : Origin::Hotplugged)),
                        "");
      case ClassWord::Node: return answered(run.node ? Answer::Yes : Answer::Unknown, kNode);
      case ClassWord::Cpuless: {
        if (!run.node) return answered(Answer::Unknown, kNode);
        const model::Node* node = host_.find_node(*run.node);
        if (node == nullptr || !node->has_cpu) return answered(Answer::Unknown, kCpus);
        return answered(yes_if(!*node->has_cpu), "");
      }
      case ClassWord::VirtioMem:  // these are kinds of devices
      case ClassWord::Standby:
      case ClassWord::SystemRam:
      case ClassWord::Dimm:  // these have something that follows
      case ClassWord::Dax:
      case ClassWord::Driver:
      case ClassWord::Block:
      case ClassWord::Address: break;
    }
    return {};
  }

  bool ruled_out(const std::string& driver) const {
    return (driver == "virtio_mem" && host_.ruled_out.virtio_mem) ||
           (driver == "kmem" && host_.ruled_out.dax);
  }

  // Blocks that are completely inside the range.
  BlockSet blocks_within(const sema::Addresses& range, const BlockSet& whole) const {
    const auto blocks = model::blocks_within(range.first, range.last, host_.block_size);
    return blocks ? intersect(whole, BlockSet({*blocks})) : BlockSet();
  }

  template <class Ranges, class Value>
  static bool in(const Ranges& ranges, Value value) {
    const auto at = range_at(ranges, value);
    return at != ranges.end() && at->first <= value;
  }

  const Host& host_;
};

BlockRun part_of(const BlockRun& run, const BlockRange& part) {
  BlockRun result = run;
  result.first = part.first;
  result.count = part.count();
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

// Whether it names one thing by number, address or name. Many hosts have nothing hotplugged, and
// are meant to; a node that is not there may be a slip of the pen.
bool names_one(const sema::Class& one) {
  return std::visit(overloaded{
                        [](ClassWord) { return false; },
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

const model::DaxDevice* named_dax(const sema::Class& one, const Host& host) {
  const auto* dax = std::get_if<sema::DaxDevice>(&one.is);
  return dax == nullptr ? nullptr : model::find_dax(host, dax->name);
}

// The memory that the host has instead of the named one.
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
  if (const auto* dax = named_dax(one, host))
    if (auto text = model::not_system_ram(host, *dax)) return *text;
  return "`memonline status` lists all memory";
}

void note_missing(const Matcher& matcher, const sema::Rule& rule, const Host& host,
                  diag::Sink& sink) {
  if (host.blocks.empty()) return;
  const auto& classes = rule.selector.classes;
  // ML0517 says why a device that is to be system RAM is not.
  const bool system_ram = std::any_of(classes.begin(), classes.end(), [](const sema::Class& one) {
    return is_word(one, ClassWord::SystemRam);
  });
  for (const sema::Class& one : classes)
    if (names_one(one) && !(system_ram && named_dax(one, host) != nullptr) && matcher.nowhere(one))
      sink.add(diag::Code::NoSuchMemory, one.span,
               "this host has no such memory, so the rule has no effect here")
          .help = there_is(one, host);
}

// Cut at the borders of recently added memory, so that each run is either all recent or not at all.
std::vector<BlockRun> cut_runs(const Host& host) {
  if (host.fresh.empty()) return host.blocks;
  const BlockSet fresh(host.fresh);
  std::vector<BlockRun> runs;
  for (const BlockRun& run : host.blocks) {
    const BlockSet whole({run.range()});
    std::vector<BlockRange> parts = intersect(whole, fresh).ranges();
    for (const BlockRange& part : subtract(whole, fresh)) parts.push_back(part);
    std::sort(parts.begin(), parts.end(),
              [](const BlockRange& a, const BlockRange& b) { return a.first < b.first; });
    for (const BlockRange& part : parts) runs.push_back(part_of(run, part));
  }
  return runs;
}

}  // namespace

std::uint64_t Group::blocks() const {
  std::uint64_t sum = 0;
  for (const BlockRun& run : runs) sum += run.count;
  return sum;
}

Selection select(const sema::FlatPolicy& policy, const Host& host, diag::Sink& sink, Work& work) {
  Selection selection;
  selection.unselected = cut_runs(host);
  const Matcher matcher(host);
  for (const sema::Rule& rule : policy.rules) {
    if (!work.spend(selection.unselected.size())) return selection;
    std::vector<BlockRun> chosen;
    std::vector<BlockRun> left;
    bool undecided = false;
    left.reserve(selection.unselected.size());
    for (const BlockRun& run : selection.unselected) {
      if (matcher.leave_out(rule.selector.classes, run)) {
        left.push_back(run);
        continue;
      }
      work.spend(rule.selector.classes.size() + rule.selector.except.size());
      const Match match = matcher.all_of(rule.selector.classes, run);
      const Match except =
          rule.selector.except.empty() ? Match{} : matcher.all_of(rule.selector.except, run);
      const BlockSet mine = subtract(match.surely, except.possibly);
      const BlockSet maybe = subtract(subtract(match.possibly, except.surely), mine);
      for (const BlockRange& part : mine) chosen.push_back(part_of(run, part));
      for (const BlockRange& part : maybe)
        selection.undecided.push_back({&rule, part_of(run, part),
                                       *match.fact != '\0' ? match.fact : except.fact,
                                       *match.fact != '\0' ? except.fact : ""});
      undecided = undecided || !maybe.empty();
      for (const BlockRange& part : subtract(BlockSet({run.range()}), unite(mine, maybe)))
        left.push_back(part_of(run, part));
    }
    work.spend(chosen.size());
    if (chosen.empty() && !undecided && work.spend(host.blocks.size()))
      note_missing(matcher, rule, host, sink);
    add_groups(rule, std::move(chosen), selection.groups);
    selection.unselected = std::move(left);
  }
  warn_of_undecided(selection.undecided, host, sink);
  return selection;
}

}  // namespace memonline::plan
