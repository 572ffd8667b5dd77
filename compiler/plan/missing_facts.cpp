// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/missing_facts.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "compiler/diag/first_few.hpp"
#include "compiler/kernel/memory_state.hpp"

namespace memonline::plan {

using model::BlockId;
using model::BlockRun;
using model::Host;
using model::State;

namespace {

// Rules that are shown beside the first.
constexpr std::size_t kMaxLabels = 16;

// Blocks that one sentence is about.
class Blocks {
 public:
  void add(const BlockRun& run) { ranges_.push_back(run.range()); }
  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] bool single_block() const {
    return ranges_.size() == 1 && ranges_.front().count() == 1;
  }

  // "memory4..963 and memory990 (480 GiB)"
  [[nodiscard]] std::string text(const Host& host) const {
    const model::BlockSet blocks(ranges_);
    std::vector<std::string> names;
    names.reserve(blocks.ranges().size());
    for (const model::BlockRange& range : blocks) names.push_back(model::range_name(range));
    return fmt::format("{} ({})", diag::first_few(names),
                       model::human(host.block_size * blocks.count()));
  }

 private:
  std::vector<model::BlockRange> ranges_;
};

bool is_unread(const Host& host, std::string_view path) {
  return std::any_of(host.unread.begin(), host.unread.end(),
                     [&](const model::Unread& one) { return one.path == path; });
}

const char* hidden_in(bool hidden) { return hidden ? " (no addresses without root)" : ""; }

// Where the kernel shows the fact.
std::string source_of(const std::string& fact, bool hidden, bool of_devices) {
  if (fact == "driver") return fmt::format("/proc/iomem shows the driver{}", hidden_in(hidden));
  if (fact == "device")
    return fmt::format(
        "/proc/iomem shows drivers{}; the link firmware_node of a block shows its DIMM",
        hidden_in(hidden));
  if (fact == "origin" && of_devices)
    return "on this machine boot memory has ACPI devices, too, so they do not show whether this "
           "memory was present at boot or hot-added";
  if (fact == "origin")
    return fmt::format(
        "/sys/firmware/memmap, the device tree or /proc/iomem{} shows the origin: boot or "
        "hot-added",
        hidden_in(hidden));
  if (fact == "node") return "the links nodeN in the directory of each block show the node";
  return "/sys/devices/system/node/has_cpu lists the nodes with CPUs";
}

void add_once(std::vector<std::string>& list, const std::string& one) {
  if (std::find(list.begin(), list.end(), one) == list.end()) list.push_back(one);
}

void warn_of_states(const Allocation& allocation, const Host& host, diag::Sink& sink) {
  Blocks blocks;
  for (const Decision& decision : allocation.decisions)
    if (decision.blocks.state == State::Unknown) blocks.add(decision.blocks);
  if (blocks.empty()) return;
  auto& d = sink.add(diag::Code::StateUnknown, std::nullopt,
                     fmt::format("the state of {} is unknown: {}", blocks.text(host),
                                 blocks.single_block() ? "the block is kept as it is"
                                                       : "these blocks are kept as they are"));
  d.notes.emplace_back("the file `state` in the directory of each block shows it");
  d.help = "run memonline as root on the host itself, or capture the host again";
}

bool counts_zones(const sema::FlatPolicy& policy) {
  return !policy.limits.empty() ||
         std::any_of(policy.rules.begin(), policy.rules.end(), asks_for_zones);
}

void warn_of_zones(const Allocation& allocation, const sema::FlatPolicy& policy, const Host& host,
                   diag::Sink& sink) {
  if (!counts_zones(policy)) return;
  Blocks blocks;
  for (const Decision& decision : allocation.decisions) {
    const bool counted = !policy.limits.empty() || decision.unknown == kUnknownZone;
    if (counted && decision.blocks.state == State::Online &&
        !kernel::zone_of(host, decision.blocks))
      blocks.add(decision.blocks);
  }
  if (blocks.empty()) return;
  auto& d = sink.add(
      diag::Code::ZoneUnknown, std::nullopt,
      fmt::format("the zone of {} is unknown: no share counts {}, so the amounts of "
                  "this plan are uncertain",
                  blocks.text(host), blocks.single_block() ? "this block" : "these blocks"));
  if (!policy.limits.empty())
    d.notes.emplace_back("a limit counts them as Movable, so that it holds in any case");
  d.notes.emplace_back(
      "the zone is shown by the file `valid_zones` of each block, or by /proc/zoneinfo");
  d.help = "plan on the host itself, or capture it with `memonline capture`";
}

void note_standby(const Host& host, diag::Sink& sink) {
  if (host.standby.empty()) return;
  Blocks blocks;
  std::string list;
  for (const model::BlockRange& one : host.standby) {
    BlockRun run;
    run.first = one.first;
    run.count = one.count();
    blocks.add(run);
    if (list.empty()) list = model::range_numbers(one);
  }
  auto& d =
      sink.add(diag::Code::StandbyMemory, std::nullopt,
               fmt::format("standby memory is not configured, and no rule applies to it yet: {}",
                           blocks.text(host)));
  d.help = fmt::format(
      "a rule that names `standby` configures what it onlines; `chmem -c -b {}` "
      "configures {} by hand",
      list, host.standby.size() == 1 ? "it" : "the first part");
}

}  // namespace

void warn_of_undecided(const std::vector<Undecided>& undecided, const Host& host, diag::Sink& sink,
                       std::string_view who) {
  if (undecided.empty()) return;
  Blocks blocks;
  std::vector<std::string> facts;
  std::vector<const sema::Rule*> rules;
  for (const Undecided& one : undecided) {
    blocks.add(one.blocks);
    add_once(facts, one.fact);
    if (!one.also.empty()) add_once(facts, one.also);
    if (rules.empty() || rules.back() != one.rule) rules.push_back(one.rule);  // they are by rule
  }
  const bool one_fact = facts.size() == 1 && !facts.front().starts_with("CPUs");
  auto& d = sink.add(
      diag::Code::HostDoesNotTell, rules.front()->selector.span,
      fmt::format("the {} of {} {} unknown, and {} depends on {}: {}", diag::first_few(facts),
                  blocks.text(host), one_fact ? "is" : "are", who, one_fact ? "it" : "them",
                  blocks.single_block() ? "the block is kept as it is"
                                        : "the blocks are kept as they are"));
  for (std::size_t i = 1; i < std::min(rules.size(), kMaxLabels); ++i)
    d.labels.push_back({rules[i]->selector.span, "this rule also depends on it"});
  // Of DIMMs the origin alone can be unknown, and then there is nothing more to read.
  const bool of_devices = std::all_of(undecided.begin(), undecided.end(), [&](const auto& one) {
    return host.devices.at(one.blocks.device).kind == model::Device::Kind::Dimm;
  });
  const bool hidden = is_unread(host, "/proc/iomem");
  // All that could be read was read: root would see no more.
  const bool in_vain =
      one_fact && facts.front() == "origin" && !hidden && !host.early_memory.empty();
  for (const std::string& fact : facts)
    d.notes.push_back(
        in_vain && !of_devices
            ? "neither /sys/firmware/memmap nor the device tree nor /proc/iomem shows "
              "whether this memory was present at boot or hot-added"
            : source_of(fact, hidden, of_devices));
  const bool of_nodes = std::all_of(facts.begin(), facts.end(), [](const std::string& fact) {
    return fact == "node" || fact.starts_with("CPUs");
  });
  if (in_vain || (of_devices && one_fact && facts.front() == "origin"))
    d.help = "select this memory by another class, such as `dimm`, `node` or `block`";
  else if (of_nodes || is_unread(host, "lsmem"))
    d.help = "plan on the host itself, or capture it with `memonline capture`";
  else
    d.help = "run memonline as root, or capture the host as root with `memonline capture`";
}

void report_unknown(const Allocation& allocation, const sema::FlatPolicy& policy, const Host& host,
                    diag::Sink& sink) {
  warn_of_states(allocation, host, sink);
  warn_of_zones(allocation, policy, host, sink);
  note_standby(host, sink);
}

}  // namespace memonline::plan
