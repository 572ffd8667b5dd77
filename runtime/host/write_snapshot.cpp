// SPDX-License-Identifier: LGPL-2.1-or-later
// The members of a snapshot in their order. The bytes are a promise: texts are always in double
// quotes, and one block range per line reads well in a diff.
#include "compiler/text/yaml_writer.hpp"
#include "runtime/host/capture.hpp"
#include "runtime/host/snapshot_words.hpp"

namespace memonline::runtime {

namespace {

using text::Layout;
using text::YamlWriter;

void write_text(std::string_view key, const std::string& text, YamlWriter& out) {
  if (!text.empty()) out.key(key).quoted(text);
}
void write_optional(std::string_view key, const std::optional<std::string>& text, YamlWriter& out) {
  if (text) out.key(key).quoted(*text);
}
template <class Value>
void write_optional(std::string_view key, const std::optional<Value>& value, YamlWriter& out) {
  if (value) out.member(key, *value);
}
void write_if(std::string_view key, bool truth, YamlWriter& out) {
  if (truth) out.member(key, true);
}

template <class... Numbers>
void write_numbers(YamlWriter& out, const Numbers&... numbers) {
  out.begin_array(Layout::Line);
  (out.value(numbers), ...);
  out.end_array();
}

template <class Ranges, class Numbers>
void write_ranges(std::string_view key, const Ranges& ranges, const Numbers& numbers,
                  YamlWriter& out) {
  if (ranges.empty()) return;
  out.key(key).begin_array();
  for (const auto& range : ranges) {
    const auto [first, second] = numbers(range);
    write_numbers(out, first, second);
  }
  out.end_array();
}
void write_pages(std::string_view key, const std::vector<model::PageRange>& ranges,
                 YamlWriter& out) {
  write_ranges(
      key, ranges, [](const model::PageRange& r) { return std::pair(r.begin, r.end); }, out);
}

void write_list(std::string_view key, const std::vector<std::string>& words, Layout layout,
                YamlWriter& out) {
  if (words.empty()) return;
  out.key(key).begin_array(layout);
  for (const std::string& word : words) out.quoted(word);
  out.end_array();
}

void write_zones(const model::ValidZones& zones, YamlWriter& out) {
  out.key("zones");
  if (zones.kind() != model::ValidZones::Kind::Listed) {
    out.word(word_of(kZonesKinds, zones.kind()));
    return;
  }
  out.begin_array(Layout::Line);
  for (const model::Zone zone : zones) out.word(model::zone_name(zone));
  out.end_array();
}

void write_machine(const model::Host& host, YamlWriter& out) {
  out.key("schema").word(kSnapshotSchema);
  write_text("kernel", host.kernel, out);
  write_text("arch", host.arch, out);
  write_text("virtualization", host.virtualization, out);
  write_text("vendor", host.vendor, out);
  write_text("product", host.product, out);
  write_text("family", host.family, out);
  write_optional("memory", host.memory, out);
  write_optional("memory-available", host.memory_available, out);
  out.member("block-size", host.block_size).member("page-size", host.page_size);
  out.key("era").word(model::era_name(host.era));
  write_text("era-evidence", host.era_evidence, out);
  out.member("hot-remove", host.hot_remove);
  write_if("service", host.service, out);
  write_text("nvidia-driver", host.nvidia_driver, out);
  write_text("dlpar", host.dlpar, out);
  write_if("ignores-dimms", host.ignores_dimms, out);
  write_if("hash-mmu", host.hash_mmu, out);
  if (host.address_limit > 0) out.member("address-limit", host.address_limit);
  write_optional("auto-online-before", host.auto_online_before, out);
  if (host.max_order_pages != model::Host{}.max_order_pages)
    out.member("max-order-pages", host.max_order_pages);
  write_pages("boot-memory", host.boot_memory, out);
  if (host.hotpluggable_memory && host.hotpluggable_memory->empty())
    out.key("hotpluggable-memory").begin_array(Layout::Line).end_array();
  if (host.hotpluggable_memory) write_pages("hotpluggable-memory", *host.hotpluggable_memory, out);
  write_pages("early-memory", host.early_memory, out);
  write_list("command-line", host.command_line, Layout::Lines, out);
}

void write_knobs_and_facts(const model::Host& host, YamlWriter& out) {
  const model::Knobs& knobs = host.knobs;
  if (knobs != model::Knobs{}) {
    out.key("knobs").begin_object();
    write_optional("auto_online_blocks", knobs.auto_online_blocks, out);
    write_optional("online_policy", knobs.online_policy, out);
    if (knobs.auto_movable_ratio) out.member("auto_movable_ratio", *knobs.auto_movable_ratio);
    write_optional("auto_movable_numa_aware", knobs.auto_movable_numa_aware, out);
    write_optional("memmap_on_memory", knobs.memmap_on_memory, out);
    out.end_object();
  }
  if (host.facts == model::EraFacts{}) return;
  out.key("facts").begin_object();
  for (const auto& [name, member] : kFacts) write_optional(name, host.facts.*member, out);
  out.end_object();
}

// What is in use: not part of the fingerprint.
void write_use(const model::Node& node, YamlWriter& out) {
  bool any = false;
  for (std::size_t i = 0; i < node.use.size(); ++i) {
    const model::ZoneUse& use = node.use[i];
    if (use == model::ZoneUse{}) continue;
    if (!any) out.key("use").comment("free, high watermark, page cache; in pages").begin_object();
    any = true;
    out.key(model::zone_name(static_cast<model::Zone>(i)));
    out.begin_array(Layout::Line);
    for (const auto& pages : {use.free, use.high, use.file})
      pages ? out.value(*pages) : out.word("~");
    out.end_array();
  }
  if (any) out.end_object();
  write_optional("free", node.memory.free, out);
  write_optional("page-cache", node.memory.file, out);
  write_optional("reclaimable-slab", node.memory.slab, out);
}

void write_zone_spans(const model::Node& node, YamlWriter& out) {
  bool any = false;
  for (std::size_t i = 0; i < node.zones.size(); ++i) {
    const model::ZoneSpan& span = node.zones[i];
    if (span == model::ZoneSpan{}) continue;
    if (!any)
      out.key("zones").comment("start, spanned, present, managed, cma; in pages").begin_object();
    any = true;
    out.key(model::zone_name(static_cast<model::Zone>(i)));
    write_numbers(out, span.start, span.spanned, span.present, span.managed, span.cma);
  }
  if (any) out.end_object();
}

void write_nodes(const model::Host& host, YamlWriter& out) {
  out.member("zone-spans-known", host.zone_spans_known);
  write_ranges(
      "possible-nodes", host.possible_nodes,
      [](const auto& r) { return std::pair(r.first, r.second); }, out);
  if (host.nodes.empty()) return;
  out.key("nodes").begin_array();
  for (const model::Node& node : host.nodes) {
    out.begin_object().member("node", node.id);
    write_optional("cpu", node.has_cpu, out);
    write_zone_spans(node, out);
    write_use(node, out);
    out.end_object();
  }
  out.end_array();
}

// Lines of the site's own files may be confidential: of a command only the program is written, and
// the line is left out.
void write_agents(const model::Host& host, YamlWriter& out) {
  if (host.agents.empty()) return;
  out.key("agents").comment("others that online memory").begin_array();
  for (const model::OnliningAgent& agent : host.agents) {
    const bool program = agent.kind == AgentKind::UdevProgram;
    out.begin_object();
    out.key("kind").word(word_of(kAgentKinds, agent.kind));
    out.key("path").quoted(agent.path);
    out.key("place");
    write_numbers(out, agent.line, agent.column);
    if (!program) write_text("text", agent.text, out);
    write_list("states", agent.states, Layout::Line, out);
    if (program) write_text("program", agent.program.substr(0, agent.program.find(' ')), out);
    if (!agent.certain) out.member("certain", false);
    write_if("writes-setting", agent.writes_setting, out);
    write_list("only-with", agent.only_with, Layout::Line, out);
    out.end_object();
  }
  out.end_array();
}

void write_devices(const model::Host& host, YamlWriter& out) {
  if (host.devices.empty()) return;
  out.key("devices").comment("runs refer to them by place, from 0").begin_array();
  for (const model::Device& device : host.devices) {
    out.begin_object();
    out.key("name").quoted(device.name);
    out.key("kind").word(word_of(kDeviceKinds, device.kind));
    out.key("origin").word(word_of(kOrigins, device.origin));
    write_text("driver", device.driver, out);
    if (device.number) out.member("number", *device.number);
    out.end_object();
  }
  out.end_array();
}

void write_dax_devices(const model::Host& host, YamlWriter& out) {
  if (host.dax_devices.empty()) return;
  out.key("dax-devices").begin_array();
  for (const model::DaxDevice& device : host.dax_devices) {
    out.begin_object();
    out.key("name").quoted(device.name);
    write_text("driver", device.driver, out);
    if (device.size > model::Bytes(0)) out.member("size", device.size);
    if (device.node) out.member("node", *device.node);
    write_text("state", device.state, out);
    write_text("region", device.region, out);
    write_list("memory-devices", device.memory_devices, Layout::Line, out);
    write_ranges(
        "blocks", device.blocks, [](const auto& r) { return std::pair(r.first, r.last); }, out);
    if (device.own_map) out.member("memmap-on-memory", *device.own_map);
    out.end_object();
  }
  out.end_array();
  if (host.kmem) out.member("kmem", *host.kmem);
  if (host.memory_tiers.empty()) return;
  out.key("memory-tiers").begin_array();
  for (const model::MemoryTier& tier : host.memory_tiers) {
    out.begin_object(Layout::Line);
    out.key("name").quoted(tier.name);
    out.key("nodes").begin_array(Layout::Line);
    for (const model::NodeId node : tier.nodes) out.value(node);
    out.end_array().end_object();
  }
  out.end_array();
  write_optional("demotion", host.demotion, out);
}

void write_blocks(const model::Host& host, YamlWriter& out) {
  if (host.blocks.empty()) return;
  out.key("blocks").begin_array();
  for (const model::BlockRun& run : host.blocks) {
    out.begin_object(Layout::Line).key("blocks");
    write_numbers(out, run.first, run.last());
    out.key("state").word(model::state_name(run.state));
    write_zones(run.zones, out);
    if (run.node) out.member("node", *run.node);
    write_if("several-nodes", run.several_nodes, out);
    out.member("device", run.device);
    write_if("holes", run.holes, out);
    out.end_object();
  }
  out.end_array();
}

/// Whether two blocks can share a line: they differ in their numbers alone.
bool alike(const model::BlockContents& one, const model::BlockContents& other) {
  return one.pages == other.pages && one.huge == other.huge &&
         one.huge_in_use == other.huge_in_use && one.bare == other.bare &&
         one.transparent == other.transparent && one.pinned == other.pinned && !one.unmovable &&
         !other.unmovable;
}

void write_contents(const model::Host& host, YamlWriter& out) {
  const auto& all = host.contents;
  if (all.empty()) return;
  const model::FreePages& free = host.free_pages;
  if (!free.by_order.empty()) {
    out.key("free-by-order").begin_array(Layout::Line);
    for (const std::uint64_t blocks : free.by_order) out.value(blocks);
    out.end_array();
  }
  if (free.on_cpus > 0) out.member("free-on-cpus", free.on_cpus);
  if (free.huge > 0) out.member("free-huge-pages", free.huge);
  write_if("huge-pages-may-return", free.huge_may_return, out);
  out.key("contents").comment("of each of these blocks, in pages").begin_array();
  for (std::size_t first = 0, end = 0; first < all.size(); first = end) {
    const model::BlockContents& one = all[first];
    for (end = first + 1; end < all.size() && alike(one, all[end]); ++end)
      if (all[end].block != all[end - 1].block + 1) break;
    out.begin_object(Layout::Line).key("blocks");
    write_numbers(out, one.block, all[end - 1].block);
    for (std::size_t use = 0; use < model::kPageUseCount; ++use)
      if (one.pages[use] > 0)
        out.member(model::page_use_name(static_cast<model::PageUse>(use)), one.pages[use]);
    if (one.huge_in_use > 0) out.member("huge-in-use", one.huge_in_use);
    if (one.bare > 0) out.member("bare", one.bare);
    if (one.transparent > 0) out.member("transparent", one.transparent);
    if (one.pinned > 0) out.member("pinned", one.pinned);
    if (!one.huge.empty()) {
      out.key("huge").begin_array(Layout::Line);
      for (const model::HugePages& huge : one.huge) out.value(huge.size).value(huge.pages);
      out.end_array();
    }
    if (one.unmovable) out.member("unmovable", *one.unmovable);
    out.end_object();
  }
  out.end_array();
}

void write_unknown(const model::Host& host, YamlWriter& out) {
  if (host.ruled_out != model::RuledOut{}) {
    out.key("ruled-out").comment("no device of kind unknown is one of these").begin_array();
    for (const auto& [name, member] : kRuledOut)
      if (host.ruled_out.*member) out.word(name);
    out.end_array();
  }
  write_ranges(
      "standby", host.standby, [](const auto& r) { return std::pair(r.first, r.last); }, out);
  write_if("standby-can-be-configured", host.configures_standby, out);
  if (host.standby_own_map) {
    out.key("standby-own-map").begin_array();
    for (const model::BlockRange& range : *host.standby_own_map)
      write_numbers(out, range.first, range.last);
    out.end_array();
  }
  if (host.missing_blocks > 0) out.member("missing-blocks", host.missing_blocks);
  if (host.unread.empty()) return;
  out.key("unread").begin_array();
  for (const model::Unread& note : host.unread) {
    out.begin_object();
    out.key("path").quoted(note.path);
    out.key("reason").quoted(note.reason);
    out.end_object();
  }
  out.end_array();
}

}  // namespace

std::string write_snapshot(const model::Host& host) {
  YamlWriter out;
  out.begin_object();
  write_machine(host, out);
  write_knobs_and_facts(host, out);
  write_agents(host, out);
  write_nodes(host, out);
  write_devices(host, out);
  write_dax_devices(host, out);
  write_blocks(host, out);
  write_contents(host, out);
  write_unknown(host, out);
  out.end_object();
  return std::move(out).finish();
}

}  // namespace memonline::runtime
