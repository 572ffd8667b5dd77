// SPDX-License-Identifier: LGPL-2.1-or-later
// Written by hand rather than by an emitter: the bytes are a promise, and one run a line reads
// well in a diff.
#include <iterator>

#include <fmt/format.h>

#include "runtime/host/capture.hpp"
#include "runtime/host/snapshot_words.hpp"

namespace memonline::runtime {

namespace {

/// In double quotes, with what those need escaped. Readers keep texts printable; a host made by
/// hand may hold more.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f)
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      result += c;
  }
  return result + '"';
}

std::string zones_text(const model::ValidZones& zones) {
  if (zones.kind() != model::ValidZones::Kind::Listed)
    return std::string(word_of(kZonesKinds, zones.kind()));
  std::string text = "[";
  for (const model::Zone zone : zones)
    text += fmt::format("{}{}", text.size() > 1 ? ", " : "", model::zone_name(zone));
  return text + "]";
}

class Writer {
 public:
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }
  void text(std::string_view key, const std::string& value) {
    if (!value.empty()) line("{}: {}", key, quoted(value));
  }
  void optional(std::string_view key, const std::optional<std::string>& value) {
    if (value) line("{}: {}", key, quoted(*value));
  }
  void optional(std::string_view key, const std::optional<bool>& value) {
    if (value) line("{}: {}", key, *value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void write_ranges(std::string_view key, const std::vector<model::PfnRange>& ranges, Writer& out) {
  if (!ranges.empty()) out.line("{}:", key);
  for (const model::PfnRange& range : ranges) out.line("  - [{}, {}]", range.first, range.end);
}

void write_machine(const model::Host& host, Writer& out) {
  out.line("schema: {}", kSnapshotSchema);
  out.text("kernel", host.kernel);
  out.text("arch", host.arch);
  out.text("virtualization", host.virtualization);
  out.text("vendor", host.vendor);
  out.text("product", host.product);
  out.text("family", host.family);
  if (host.memory) out.line("memory: {}", host.memory->value());
  if (host.memory_available) out.line("memory-available: {}", host.memory_available->value());
  out.line("block-size: {}", host.block_size.value());
  out.line("page-size: {}", host.page_size);
  out.line("era: {}", model::era_name(host.era));
  out.text("era-evidence", host.era_evidence);
  out.line("hot-remove: {}", host.hot_remove);
  if (host.service) out.line("service: true");
  out.text("nvidia-driver", host.nvidia_driver);
  out.text("dlpar", host.dlpar);
  if (host.hash_mmu) out.line("hash-mmu: true");
  if (host.address_limit > 0) out.line("address-limit: {}", host.address_limit);
  out.optional("auto-online-before", host.auto_online_before);
  write_ranges("boot-memory", host.boot_memory, out);
  if (host.hotpluggable_memory && host.hotpluggable_memory->empty())
    out.line("hotpluggable-memory: []");
  if (host.hotpluggable_memory) write_ranges("hotpluggable-memory", *host.hotpluggable_memory, out);
  write_ranges("early-memory", host.early_memory, out);
  if (host.command_line.empty()) return;
  out.line("command-line:");
  for (const std::string& word : host.command_line) out.line("  - {}", quoted(word));
}

void write_knobs_and_facts(const model::Host& host, Writer& out) {
  const model::Knobs& knobs = host.knobs;
  if (knobs != model::Knobs{}) {
    out.line("knobs:");
    out.optional("  auto_online_blocks", knobs.auto_online_blocks);
    out.optional("  online_policy", knobs.online_policy);
    if (knobs.auto_movable_ratio) out.line("  auto_movable_ratio: {}", *knobs.auto_movable_ratio);
    out.optional("  auto_movable_numa_aware", knobs.auto_movable_numa_aware);
    out.optional("  memmap_on_memory", knobs.memmap_on_memory);
  }
  if (host.facts == model::EraFacts{}) return;
  out.line("facts:");
  for (const auto& [name, member] : kFacts)
    out.optional(fmt::format("  {}", name), host.facts.*member);
}

// What is in use: not part of the fingerprint.
void write_use(const model::Node& node, Writer& out) {
  const auto number = [](const std::optional<std::uint64_t>& value) {
    return value ? std::to_string(*value) : std::string("~");
  };
  bool any = false;
  for (std::size_t i = 0; i < node.use.size(); ++i) {
    const model::ZoneUse& use = node.use[i];
    if (use == model::ZoneUse{}) continue;
    if (!any) out.line("    use:  # free, high watermark, page cache; in pages");
    any = true;
    out.line("      {}: [{}, {}, {}]", model::zone_name(static_cast<model::Zone>(i)),
             number(use.free), number(use.high), number(use.file));
  }
  if (node.memory.free) out.line("    free: {}", node.memory.free->value());
  if (node.memory.file) out.line("    page-cache: {}", node.memory.file->value());
  if (node.memory.slab) out.line("    reclaimable-slab: {}", node.memory.slab->value());
}

void write_nodes(const model::Host& host, Writer& out) {
  out.line("zone-spans-known: {}", host.zone_spans_known);
  if (!host.possible_nodes.empty()) out.line("possible-nodes:");
  for (const auto& [first, last] : host.possible_nodes)
    out.line("  - [{}, {}]", first.value(), last.value());
  if (!host.nodes.empty()) out.line("nodes:");
  for (const model::Node& node : host.nodes) {
    out.line("  - node: {}", node.id.value());
    out.optional("    cpu", node.has_cpu);
    bool any = false;
    for (std::size_t i = 0; i < node.zones.size(); ++i) {
      const model::ZoneSpan& span = node.zones[i];
      if (span == model::ZoneSpan{}) continue;
      if (!any) out.line("    zones:  # start, spanned, present, managed, cma; in pages");
      any = true;
      out.line("      {}: [{}, {}, {}, {}, {}]", model::zone_name(static_cast<model::Zone>(i)),
               span.start.value(), span.spanned, span.present, span.managed, span.cma);
    }
    write_use(node, out);
  }
}

std::string list_text(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + quoted(word);
  return "[" + text + "]";
}

// Lines of the site's own files may be confidential: of a command only the program is written, and
// the line is left out.
void write_agents(const model::Host& host, Writer& out) {
  if (!host.agents.empty()) out.line("agents:  # others that online memory");
  for (const model::OnliningAgent& agent : host.agents) {
    const bool program = agent.kind == AgentKind::UdevProgram;
    out.line("  - kind: {}", word_of(kAgentKinds, agent.kind));
    out.line("    path: {}", quoted(agent.path));
    out.line("    place: [{}, {}]", agent.line, agent.column);
    if (!program) out.text("    text", agent.text);
    if (!agent.states.empty()) out.line("    states: {}", list_text(agent.states));
    if (program) out.text("    program", agent.program.substr(0, agent.program.find(' ')));
    if (!agent.certain) out.line("    certain: false");
    if (agent.writes_setting) out.line("    writes-setting: true");
    if (!agent.only_with.empty()) out.line("    only-with: {}", list_text(agent.only_with));
  }
}

void write_unknown(const model::Host& host, Writer& out) {
  if (host.ruled_out != model::RuledOut{}) {
    out.line("ruled-out:  # no device of kind unknown is one of these");
    for (const auto& [name, member] : kRuledOut)
      if (host.ruled_out.*member) out.line("  - {}", name);
  }
  if (!host.standby.empty()) out.line("standby:");
  for (const model::Standby& one : host.standby)
    out.line("  - [{}, {}]", one.first.value(), one.last.value());
  if (host.missing_blocks > 0) out.line("missing-blocks: {}", host.missing_blocks);
}

void write_blocks(const model::Host& host, Writer& out) {
  if (!host.devices.empty()) out.line("devices:  # runs refer to them by place, from 0");
  for (const model::Device& device : host.devices) {
    out.line("  - name: {}", quoted(device.name));
    out.line("    kind: {}", word_of(kDeviceKinds, device.kind));
    out.line("    origin: {}", word_of(kOrigins, device.origin));
    out.text("    driver", device.driver);
    if (device.number) out.line("    number: {}", *device.number);
  }
  if (!host.blocks.empty()) out.line("blocks:");
  for (const model::BlockRun& run : host.blocks)
    out.line("  - {{blocks: [{}, {}], state: {}, zones: {}{}{}, device: {}{}}}", run.first.value(),
             run.last().value(), model::state_name(run.state), zones_text(run.zones),
             run.node ? fmt::format(", node: {}", run.node->value()) : "",
             run.several_nodes ? ", several-nodes: true" : "", run.device,
             run.holes ? ", holes: true" : "");
  write_unknown(host, out);
  if (!host.unread.empty()) out.line("unread:");
  for (const model::Unread& note : host.unread) {
    out.line("  - path: {}", quoted(note.path));
    out.line("    reason: {}", quoted(note.reason));
  }
}

}  // namespace

std::string write_snapshot(const model::Host& host) {
  Writer out;
  write_machine(host, out);
  write_knobs_and_facts(host, out);
  write_agents(host, out);
  write_nodes(host, out);
  write_blocks(host, out);
  return out.take();
}

}  // namespace memonline::runtime
