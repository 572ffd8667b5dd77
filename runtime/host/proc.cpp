// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/proc.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "compiler/model/knob.hpp"
#include "runtime/base/space.hpp"
#include "runtime/host/text.hpp"

namespace memonline::runtime {

namespace {

using model::Bytes;
using model::Node;
using model::NodeId;
using model::ZoneSpan;

// Far beyond any machine; keeps sums and addresses from overflowing.
constexpr std::uint64_t kMaxPages = std::uint64_t{1} << 50U;

Node& node_of(std::vector<Node>& nodes, NodeId id) {
  const auto at = std::lower_bound(nodes.begin(), nodes.end(), id,
                                   [](const Node& node, NodeId i) { return node.id < i; });
  if (at != nodes.end() && at->id == id) return *at;
  Node node;
  node.id = id;
  return *nodes.insert(at, node);
}

/// "MemTotal:  1234 kB" in /proc/meminfo.
std::optional<Bytes> meminfo_value(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    if (take_until(line, ':') != name) continue;
    const auto words = words_of(line);
    const auto kib = words.empty() ? std::nullopt : decimal(words[0]);
    if (kib && *kib < kMaxPages) return Bytes(*kib * 1024);
  }
  return std::nullopt;
}

bool has_line(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    if (take_until(line, ' ') == name) return true;
  }
  return false;
}

/// MemTotal and the zones' managed pages count the same memory, one in bytes.
std::uint64_t page_size_of(std::optional<Bytes> memory, std::uint64_t managed) {
  constexpr std::uint64_t kUsual = 4096;
  if (!memory || managed == 0) return kUsual;
  const double exact = static_cast<double>(memory->value()) / static_cast<double>(managed);
  for (const std::uint64_t size : {std::uint64_t{4096}, std::uint64_t{16384}, std::uint64_t{65536}})
    if (std::abs(exact / static_cast<double>(size) - 1.0) < 0.4) return size;
  return kUsual;
}

bool looked_at(std::string_view name) {
  constexpr std::array<std::string_view, 6> kNames{"movable_node", "kernelcore",
                                                   "movablecore",  "memhp_default_state",
                                                   "mem",          "acpi_no_memhotplug"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() ||
         name.substr(0, 15) == "memory_hotplug." || name.substr(0, 10) == "memonline.";
}

std::optional<std::string> knob(const Tree& tree, Notes& notes, const char* path) {
  const auto text = tree.attribute(path);
  if (text) return ascii_only(trimmed(*text));
  notes.failure(path, text.error());
  return std::nullopt;
}

/// Whether the file exists; empty if that is unknown.
std::optional<bool> presence(const Tree& tree, const char* directory, const char* path) {
  if (!tree.exists(directory)) return std::nullopt;
  return tree.exists(path);
}

void read_knobs(const Tree& tree, Notes& notes, model::Host& host) {
  const auto path = [](model::Knob of) { return model::knob_path(of).substr(1); };
  const auto read = [&](model::Knob of) { return knob(tree, notes, path(of).c_str()); };
  model::Knobs& knobs = host.knobs;
  knobs.auto_online_blocks = read(model::Knob::AutoOnlineBlocks);
  knobs.online_policy = read(model::Knob::OnlinePolicy);
  knobs.memmap_on_memory = read(model::Knob::MemmapOnMemory);
  if (const auto ratio = read(model::Knob::AutoMovableRatio))
    knobs.auto_movable_ratio = decimal(*ratio);
  if (const auto aware = read(model::Knob::AutoMovableNumaAware))
    knobs.auto_movable_numa_aware = *aware == "Y" || *aware == "1";
  host.facts.auto_online_blocks = presence(tree, std::string(model::kMemoryDirectory).c_str(),
                                           path(model::Knob::AutoOnlineBlocks).c_str());
  host.facts.online_policy = presence(tree, "sys/module", path(model::Knob::OnlinePolicy).c_str());
}

/// The counter of a line of a zone, by its name; most lines are those of each processor, and are
/// not used.
std::uint64_t* counter_of(ZoneSpan& span, std::string_view name) {
  if (name == "spanned") return &span.spanned;
  if (name == "present") return &span.present;
  if (name == "managed") return &span.managed;
  return name == "cma" ? &span.cma : nullptr;
}

/// The same of what is in use. In the lines of each processor, `high:` has a colon.
void count_use(model::ZoneUse& use, std::string_view name, std::uint64_t value) {
  if (name == "nr_free_pages") use.free = value;
  if (name == "high") use.high = value;
  if (name == "nr_zone_inactive_file" || name == "nr_zone_active_file")
    use.file = use.file.value_or(0) + value;
}

/// "Node 0 MemFree:  1234 kB" in a node's own meminfo.
void read_node_use(const Tree& tree, Node& node) {
  const auto text =
      tree.read(fmt::format("sys/devices/system/node/node{}/meminfo", node.id).c_str());
  if (!text) return;
  std::string plain;
  for (std::string_view rest = *text; !rest.empty();) {
    std::string_view line = take_until(rest, '\n');
    take_word(line);
    take_word(line);
    plain += fmt::format("{}\n", trimmed(line));
  }
  node.memory.free = meminfo_value(plain, "MemFree");
  node.memory.slab = meminfo_value(plain, "SReclaimable");
  const auto active = meminfo_value(plain, "Active(file)");
  const auto inactive = meminfo_value(plain, "Inactive(file)");
  if (active && inactive) node.memory.file = *active + *inactive;
}

}  // namespace

ZoneInfo parse_zoneinfo(std::string_view text) {
  ZoneInfo info;
  std::optional<std::uint32_t> node;
  std::optional<model::Zone> zone;
  ZoneSpan span;
  model::ZoneUse use;
  bool started = false;
  const auto close = [&] {
    if (node && zone) {
      if (span.present == 0) info.lists_empty_zones = true;
      if (span.spanned > 0 && !started) {
        info.hidden.push_back(fmt::format("zone {} of node {}", model::zone_name(*zone), *node));
        span.spanned = 0;
      }
      info.managed += span.managed;
      Node& into = node_of(info.nodes, NodeId(*node));
      into.zones[static_cast<std::size_t>(*zone)] = span;
      if (span.present > 0) into.use[static_cast<std::size_t>(*zone)] = use;
    }
    zone.reset();
    span = {};
    use = {};
    started = false;
  };
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view name = take_word(line);
    if (name == "Node") {  // "Node 0, zone   DMA32"
      std::string_view number = take_word(line);
      const bool of_zone = take_word(line) == "zone";
      const std::string_view which = take_word(line);
      if (!of_zone || which.empty() || !take_word(line).empty()) continue;
      close();
      const auto id = decimal(take_until(number, ','));
      node = id && *id < 65536 ? std::optional(static_cast<std::uint32_t>(*id)) : std::nullopt;
      zone = model::zone_named(which);
      continue;
    }
    std::uint64_t* const counter = zone ? counter_of(span, name) : nullptr;
    const bool starts = zone && name == "start_pfn:";
    const bool free = zone && name == "pages" && take_word(line) == "free";  // "pages free  12"
    const bool in_use = zone && (name == "high" || name.starts_with("nr_"));
    if (counter == nullptr && !starts && !free && !in_use) continue;
    const auto value = decimal(take_word(line));
    if (!value || *value >= kMaxPages || !take_word(line).empty()) continue;
    if (counter != nullptr) *counter = *value;
    if (free) use.free = *value;
    if (in_use) count_use(use, name, *value);
    if (!starts) continue;
    span.start = model::Pfn(*value);
    started = true;
  }
  close();
  return info;
}

std::vector<KernelWord> kernel_words(std::string_view text) {
  std::vector<KernelWord> words;
  std::string word;
  bool quoted = false;
  std::size_t begin = 0;
  // False: what follows is for init.
  const auto finish = [&](std::size_t end) {
    if (word == "--") return false;
    KernelWord one;
    const std::size_t equals = word.find('=');
    one.name = word.substr(0, equals);
    std::replace(one.name.begin(), one.name.end(), '-', '_');
    if (equals != std::string::npos) one.value = word.substr(equals + 1);
    one.begin = begin;
    one.end = end;
    if (!word.empty()) words.push_back(std::move(one));
    word.clear();
    return true;
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (!quoted && (is_space(c) || c == '\0')) {
      if (!finish(at)) return words;
      begin = at + 1;
    } else if (c == '"') {
      quoted = !quoted;
    } else {
      word += c;
    }
  }
  finish(text.size());
  return words;
}

std::vector<std::string> parse_command_line(std::string_view text) {
  std::vector<std::string> kept;
  for (const KernelWord& word : kernel_words(text))
    if (looked_at(word.name))
      kept.push_back(ascii_only(word.value ? word.name + "=" + *word.value : word.name));
  return kept;
}

namespace {

// "Node 0, zone      DMA      1      0 ...": a number for each order.
std::uint64_t max_order_pages(const Tree& tree) {
  constexpr std::size_t kWordsBefore = 4;
  constexpr std::size_t kMostOrders = 20;
  const auto text = tree.read("proc/buddyinfo");
  if (!text) return model::Host{}.max_order_pages;
  const std::size_t words = words_of(text->substr(0, text->find('\n'))).size();
  if (words <= kWordsBefore || words > kWordsBefore + kMostOrders)
    return model::Host{}.max_order_pages;
  return std::uint64_t{1} << (words - kWordsBefore - 1);
}

}  // namespace

void read_proc(const Tree& tree, Notes& notes, model::Host& host) {
  const std::string meminfo = notes.read(tree, "proc/meminfo");
  host.memory = meminfo_value(meminfo, "MemTotal");
  host.memory_available = meminfo_value(meminfo, "MemAvailable");
  if (!meminfo.empty())
    host.facts.kreclaimable = meminfo_value(meminfo, "KReclaimable").has_value();

  const std::string vmstat = notes.read(tree, "proc/vmstat");
  if (!vmstat.empty()) {
    host.facts.foll_pin = has_line(vmstat, "nr_foll_pin_acquired");
    host.facts.swap_ra = has_line(vmstat, "swap_ra");
    host.facts.memmap_pages = has_line(vmstat, "nr_memmap_pages");
  }

  const std::string zoneinfo_text = notes.read(tree, "proc/zoneinfo");
  const ZoneInfo zoneinfo = parse_zoneinfo(zoneinfo_text);
  if (!zoneinfo.nodes.empty()) {
    host.zone_spans_known = true;
    host.facts.empty_zones_listed = zoneinfo.lists_empty_zones;
    for (const Node& node : zoneinfo.nodes) {
      Node& into = node_of(host.nodes, node.id);
      into.zones = node.zones;
      into.use = node.use;
    }
    for (const std::string& zone : zoneinfo.hidden)
      notes.add("proc/zoneinfo", fmt::format("does not show where {} starts", zone));
  }
  for (Node& node : host.nodes) read_node_use(tree, node);
  host.page_size = page_size_of(host.memory, zoneinfo.managed);
  host.max_order_pages = max_order_pages(tree);
  host.command_line = parse_command_line(notes.read(tree, "proc/cmdline"));
  read_knobs(tree, notes, host);
}

}  // namespace memonline::runtime
