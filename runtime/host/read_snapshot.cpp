// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads snapshots. Strict where a mistake would change a plan: unknown words, numbers out of range
// and overlapping runs are errors with their line. Keys that this version does not know are
// ignored, so that a later one may add some.
#include <algorithm>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "compiler/model/dax.hpp"
#include "compiler/model/facts.hpp"
#include "compiler/model/zone_evidence.hpp"
#include "runtime/base/digest.hpp"
#include "runtime/host/capture.hpp"
#include "runtime/host/finish.hpp"
#include "runtime/host/proc.hpp"
#include "runtime/host/snapshot_map.hpp"
#include "runtime/host/snapshot_words.hpp"

namespace memonline::runtime {

namespace {

using namespace snapshot;

constexpr std::size_t kMostOrders = 20;
constexpr std::uint64_t kMaxBlocks = std::uint64_t{1} << 40U;  // of one order

std::vector<model::PageRange> ranges_at(const Map& map, const char* key) {
  std::vector<model::PageRange> ranges;
  each(map, key, [&](const YAML::Node& range) {
    if (!range.IsSequence() || range.size() != 2) wrong(range, "expected two page numbers");
    ranges.push_back({number_of(range[0]), number_of(range[1])});
    if (ranges.back().begin >= ranges.back().end)
      wrong(range, "the end of a range must be above its start");
  });
  return ranges;
}

void read_general(const Map& map, model::Host& host) {
  map.text("kernel", host.kernel);
  map.text("arch", host.arch);
  map.text("virtualization", host.virtualization);
  map.text("vendor", host.vendor);
  map.text("product", host.product);
  map.text("family", host.family);
  map.with("memory",
           [&](const auto& v) { host.memory = model::Bytes(number_of(v, UINT64_MAX / 2)); });
  map.with("memory-available", [&](const auto& v) {
    host.memory_available = model::Bytes(number_of(v, UINT64_MAX / 2));
  });
  const YAML::Node size = map.need("block-size");
  host.block_size = model::Bytes(number_of(size));
  map.with("page-size", [&](const auto& v) {
    host.page_size = number_of(v, std::uint64_t{1} << 24U);
    if (host.page_size < 512) wrong(v, "invalid page size: expected at least 512");
  });
  if (host.block_size > model::Bytes(0) && host.block_size < model::Bytes(host.page_size))
    wrong(size, "a block must not be smaller than a page");
  map.with("era", [&](const YAML::Node& v) {
    const auto era = model::era_named(text_of(v));
    if (!era) wrong(v, "unknown era: expected A1, A2, A3, B, C1, C2 or D");
    host.era = *era;
  });
  map.text("era-evidence", host.era_evidence);
  map.with("hot-remove", [&](const auto& v) { host.hot_remove = truth_of(v); });
  map.with("service", [&](const auto& v) { host.service = truth_of(v); });
  map.text("nvidia-driver", host.nvidia_driver);
  map.text("dlpar", host.dlpar);
  map.with("ignores-dimms", [&](const auto& v) { host.ignores_dimms = truth_of(v); });
  map.with("hash-mmu", [&](const auto& v) { host.hash_mmu = truth_of(v); });
  map.with("address-limit", [&](const auto& v) { host.address_limit = number_of(v, UINT64_MAX); });
  map.text("auto-online-before", host.auto_online_before);
  map.with("max-order-pages",
           [&](const auto& v) { host.max_order_pages = std::max(number_of(v), std::uint64_t{1}); });
  map.with("zone-spans-known", [&](const auto& v) { host.zone_spans_known = truth_of(v); });
  host.boot_memory = ranges_at(map, "boot-memory");
  map.with("hotpluggable-memory",
           [&](const auto&) { host.hotpluggable_memory = ranges_at(map, "hotpluggable-memory"); });
  host.early_memory = ranges_at(map, "early-memory");
  each(map, "command-line", [&](const YAML::Node& word) {
    // Filtered like /proc/cmdline, so that the fingerprint of a host does not depend on its source.
    for (std::string& kept : parse_command_line('"' + text_of(word) + '"'))
      host.command_line.push_back(std::move(kept));
  });
}

void read_knobs_and_facts(const Map& map, model::Host& host) {
  map.with("knobs", [&](const YAML::Node& node) {
    const Map knobs(node);
    knobs.text("auto_online_blocks", host.knobs.auto_online_blocks);
    knobs.text("online_policy", host.knobs.online_policy);
    knobs.with("auto_movable_ratio",
               [&](const auto& v) { host.knobs.auto_movable_ratio = number_of(v, UINT64_MAX); });
    knobs.truth("auto_movable_numa_aware", host.knobs.auto_movable_numa_aware);
    knobs.text("memmap_on_memory", host.knobs.memmap_on_memory);
  });
  map.with("facts", [&](const YAML::Node& node) {
    const Map facts(node);
    for (const auto& [name, member] : kFacts)
      facts.truth(std::string(name).c_str(), host.facts.*member);
  });
}

std::vector<std::string> words_at(const Map& map, const char* key) {
  std::vector<std::string> words;
  each(map, key, [&](const YAML::Node& word) { words.push_back(text_of(word)); });
  return words;
}

void read_agent(const YAML::Node& item, model::Host& host) {
  const Map map(item);
  model::OnliningAgent agent;
  agent.kind = word_in(kAgentKinds, map.need("kind"));
  agent.path = text_of(map.need("path"));
  const YAML::Node place = map.need("place");
  if (!place.IsSequence() || place.size() != 2) wrong(place, "expected [line, column]");
  agent.line = static_cast<std::uint32_t>(number_of(place[0], UINT32_MAX));
  agent.column = static_cast<std::uint32_t>(number_of(place[1], UINT32_MAX));
  map.text("text", agent.text);
  map.text("program", agent.program);
  agent.states = words_at(map, "states");
  agent.only_with = words_at(map, "only-with");
  map.with("certain", [&](const auto& v) { agent.certain = truth_of(v); });
  map.with("writes-setting", [&](const auto& v) { agent.writes_setting = truth_of(v); });
  host.agents.push_back(std::move(agent));
}

model::NodeId node_id_of(const YAML::Node& node) {
  return model::NodeId(static_cast<std::uint32_t>(number_of(node, 65535)));
}

void read_use(const Map& map, model::Node& node) {
  map.with("use", [&](const YAML::Node& zones) {
    if (!zones.IsMap()) wrong(zones, "expected a map");
    for (const auto& pair : zones) {
      const auto zone = model::zone_named(text_of(pair.first));
      if (!zone) wrong(pair.first, "unknown zone");
      const YAML::Node numbers = pair.second;
      if (!numbers.IsSequence() || numbers.size() != 3) wrong(numbers, "expected three numbers");
      model::ZoneUse& use = node.use[static_cast<std::size_t>(*zone)];
      std::size_t i = 0;
      for (auto* into : {&use.free, &use.high, &use.file}) {
        if (!numbers[i].IsNull()) *into = number_of(numbers[i]);
        ++i;
      }
    }
  });
  const auto bytes = [&](const char* key, std::optional<model::Bytes>& into) {
    map.with(key, [&](const auto& v) { into = model::Bytes(number_of(v, UINT64_MAX / 2)); });
  };
  bytes("free", node.memory.free);
  bytes("page-cache", node.memory.file);
  bytes("reclaimable-slab", node.memory.slab);
}

void read_node(const YAML::Node& item, model::Host& host) {
  const Map map(item);
  model::Node node;
  node.id = node_id_of(map.need("node"));
  if (!host.nodes.empty() && !(host.nodes.back().id < node.id))
    wrong(item, "nodes must be in ascending order");
  map.truth("cpu", node.has_cpu);
  map.with("zones", [&](const YAML::Node& zones) {
    if (!zones.IsMap()) wrong(zones, "expected a map");
    for (const auto& pair : zones) {
      const auto zone = model::zone_named(text_of(pair.first));
      if (!zone) wrong(pair.first, "unknown zone");
      const YAML::Node numbers = pair.second;
      if (!numbers.IsSequence() || numbers.size() != 5) wrong(numbers, "expected five numbers");
      model::ZoneSpan& span = node.zones[static_cast<std::size_t>(*zone)];
      span.start = model::Pfn(number_of(numbers[0]));
      span.spanned = number_of(numbers[1]);
      span.present = number_of(numbers[2]);
      span.managed = number_of(numbers[3]);
      span.cma = number_of(numbers[4]);
    }
  });
  read_use(map, node);
  host.nodes.push_back(node);
}

void read_device(const YAML::Node& item, model::Host& host) {
  const Map map(item);
  model::Device device;
  device.kind = word_in(kDeviceKinds, map.need("kind"));
  device.origin = word_in(kOrigins, map.need("origin"));
  device.name = text_of(map.need("name"));
  map.text("driver", device.driver);
  map.with("number", [&](const auto& v) {
    device.number = static_cast<std::uint32_t>(number_of(v, UINT32_MAX));
  });
  // Captures of memonline 0.1.0 do not name standby memory.
  if (host.arch == "s390x" && device.kind == DeviceKind::None) {
    device.kind = DeviceKind::Standby;
    device.name = word_of(kDeviceKinds, device.kind);
  }
  host.devices.push_back(std::move(device));
}

std::vector<model::BlockRange> block_ranges_in(const YAML::Node& list) {
  if (!list.IsSequence()) wrong(list, "expected a list");
  std::vector<model::BlockRange> ranges;
  for (const YAML::Node& range : list) {
    if (!range.IsSequence() || range.size() != 2) wrong(range, "expected [first, last]");
    const std::uint64_t first = number_of(range[0]);
    const std::uint64_t last = number_of(range[1]);
    if (last < first || (!ranges.empty() && model::BlockId(first) <= ranges.back().last))
      wrong(range, "blocks must be in ascending order");
    ranges.push_back({model::BlockId(first), model::BlockId(last)});
  }
  return ranges;
}

void read_dax_device(const YAML::Node& item, model::Host& host) {
  const Map map(item);
  model::DaxDevice device;
  device.name = text_of(map.need("name"));
  if (!model::is_dax_name(device.name)) wrong(map.need("name"), "not the name of a dax device");
  map.text("driver", device.driver);
  map.with("size", [&](const auto& v) { device.size = model::Bytes(number_of(v)); });
  map.with("node", [&](const auto& v) { device.node = node_id_of(v); });
  map.text("state", device.state);
  map.text("region", device.region);
  each(map, "memory-devices",
       [&](const YAML::Node& name) { device.memory_devices.push_back(text_of(name)); });
  map.with("blocks", [&](const auto& v) { device.blocks = block_ranges_in(v); });
  map.with("memmap-on-memory", [&](const auto& v) { device.own_map = truth_of(v); });
  host.dax_devices.push_back(std::move(device));
}

void read_tier(const YAML::Node& item, model::Host& host) {
  const Map map(item);
  model::MemoryTier tier;
  tier.name = text_of(map.need("name"));
  each(map, "nodes", [&](const YAML::Node& node) { tier.nodes.push_back(node_id_of(node)); });
  host.memory_tiers.push_back(std::move(tier));
}

model::ValidZones zones_in(const YAML::Node& node) {
  if (!node.IsSequence()) return model::ValidZones(word_in(kZonesKinds, node));
  if (node.size() < 1 || node.size() > 4) wrong(node, "expected one to four zones");
  model::ValidZones zones;
  for (const YAML::Node& name : node) {
    const auto zone = model::zone_named(text_of(name));
    if (!zone) wrong(name, "unknown zone");
    zones.push_back(*zone);
  }
  return zones;
}

void read_run(const YAML::Node& item, model::Host& host) {
  const Map map(item);
  const YAML::Node range = map.need("blocks");
  if (!range.IsSequence() || range.size() != 2) wrong(range, "expected [first, last]");
  if (host.block_size == model::Bytes(0)) wrong(item, "blocks need a block size");
  const std::uint64_t most = UINT64_MAX / 2 / host.block_size.value() - 1;
  const std::uint64_t first = number_of(range[0], most);
  const std::uint64_t last = number_of(range[1], most);
  if (last < first || (!host.blocks.empty() && model::BlockId(first) < host.blocks.back().end()))
    wrong(range, "blocks must be in ascending order");
  model::BlockRun run;
  run.first = model::BlockId(first);
  run.count = last - first + 1;
  run.state = word_in(kStates, map.need("state"));
  map.with("zones", [&](const auto& v) { run.zones = zones_in(v); });
  map.with("node", [&](const auto& v) { run.node = node_id_of(v); });
  map.with("several-nodes", [&](const auto& v) { run.several_nodes = truth_of(v); });
  map.with("device", [&](const auto& v) {
    run.device = static_cast<std::uint32_t>(number_of(v, UINT32_MAX));
    if (run.device >= host.devices.size()) wrong(v, "unknown device: the number is too large");
  });
  map.with("holes", [&](const auto& v) { run.holes = truth_of(v); });
  model::append_run(host.blocks, run);
}

std::vector<model::HugePages> huge_pages_in(const YAML::Node& list) {
  if (!list.IsSequence() || list.size() % 2 != 0) wrong(list, "expected sizes and pages");
  std::vector<model::HugePages> huge;
  for (std::size_t i = 0; i + 1 < list.size(); i += 2) {
    huge.push_back({number_of(list[i]), number_of(list[i + 1])});
    if (i > 0 && huge[huge.size() - 2].size >= huge.back().size)
      wrong(list[i], "sizes must be in ascending order");
  }
  return huge;
}

void read_free_pages(const Map& map, model::FreePages& free) {
  each(map, "free-by-order",
       [&](const YAML::Node& count) { free.by_order.push_back(number_of(count, kMaxBlocks)); });
  if (free.by_order.size() > kMostOrders) wrong(map.need("free-by-order"), "too many orders");
  map.with("free-on-cpus", [&](const auto& v) { free.on_cpus = number_of(v); });
  map.with("free-huge-pages", [&](const auto& v) { free.huge = number_of(v); });
  map.with("huge-pages-may-return", [&](const auto& v) { free.huge_may_return = truth_of(v); });
}

void read_contents_of(const YAML::Node& item, model::Host& host) {
  const Map map(item);
  const YAML::Node range = map.need("blocks");
  if (!range.IsSequence() || range.size() != 2) wrong(range, "expected [first, last]");
  model::BlockContents contents;
  contents.block = model::BlockId(number_of(range[0]));
  const model::BlockId last(number_of(range[1]));
  const auto* run = host.find_block(contents.block);
  if (last < contents.block || run == nullptr || run->last() < last ||
      (!host.contents.empty() && contents.block <= host.contents.back().block))
    wrong(range, "expected blocks of one range of `blocks`, in ascending order");
  for (std::size_t use = 0; use < model::kPageUseCount; ++use)
    map.with(std::string(model::page_use_name(static_cast<model::PageUse>(use))).c_str(),
             [&](const auto& v) { contents.pages[use] = number_of(v); });
  if (contents.total() > host.pages_per_block()) wrong(item, "more pages than a block has");
  map.with("huge-in-use", [&](const auto& v) { contents.huge_in_use = number_of(v); });
  map.with("bare", [&](const auto& v) { contents.bare = number_of(v); });
  if (contents.bare > contents[model::PageUse::Kernel])
    wrong(item, "more bare pages than `kernel`");
  map.with("transparent", [&](const auto& v) { contents.transparent = number_of(v); });
  map.with("pinned", [&](const auto& v) { contents.pinned = number_of(v); });
  map.with("huge", [&](const auto& v) { contents.huge = huge_pages_in(v); });
  map.with("unmovable", [&](const auto& v) { contents.unmovable = model::Pfn(number_of(v)); });
  const std::uint64_t total = contents.total();
  if (total == 0 || std::max({contents.transparent, contents.pinned, contents.huge_in_use}) > total)
    wrong(item, "no pages, or a part of them larger than all");
  for (const model::HugePages& one : contents.huge)
    if (one.size == 0 || one.pages > host.pages_per_block()) wrong(item, "invalid huge pages");
  for (; contents.block <= last; ++contents.block) host.contents.push_back(contents);
}

void read_unknown(const Map& map, model::Host& host) {
  each(map, "ruled-out",
       [&](const YAML::Node& name) { host.ruled_out.*word_in(kRuledOut, name) = true; });
  map.with("standby", [&](const auto& v) { host.standby = block_ranges_in(v); });
  map.with("standby-can-be-configured",
           [&](const auto& v) { host.configures_standby = truth_of(v); });
  map.with("standby-own-map", [&](const auto& v) { host.standby_own_map = block_ranges_in(v); });
  each(map, "possible-nodes", [&](const YAML::Node& range) {
    if (!range.IsSequence() || range.size() != 2) wrong(range, "expected [first, last]");
    const auto first = static_cast<std::uint32_t>(number_of(range[0], UINT32_MAX));
    const auto last = static_cast<std::uint32_t>(number_of(range[1], UINT32_MAX));
    if (last < first) wrong(range, "the last node must not be below the first");
    host.possible_nodes.emplace_back(model::NodeId(first), model::NodeId(last));
  });
  map.with("missing-blocks", [&](const auto& v) { host.missing_blocks = number_of(v); });
}

model::Host host_in(const YAML::Node& root) {
  const Map map(root);
  if (const YAML::Node schema = map.need("schema"); text_of(schema) != kSnapshotSchema)
    wrong(schema, fmt::format("unsupported schema `{}`: expected `{}`", ascii_only(schema.Scalar()),
                              kSnapshotSchema));
  model::Host host;
  read_general(map, host);
  read_knobs_and_facts(map, host);
  each(map, "agents", [&](const YAML::Node& item) { read_agent(item, host); });
  each(map, "nodes", [&](const YAML::Node& item) { read_node(item, host); });
  each(map, "devices", [&](const YAML::Node& item) { read_device(item, host); });
  if (host.devices.empty()) host.devices.emplace_back();
  map.with("kmem", [&](const auto& v) { host.kmem = truth_of(v); });
  each(map, "dax-devices", [&](const YAML::Node& item) { read_dax_device(item, host); });
  map.truth("demotion", host.demotion);
  each(map, "memory-tiers", [&](const YAML::Node& item) { read_tier(item, host); });
  each(map, "blocks", [&](const YAML::Node& item) { read_run(item, host); });
  read_free_pages(map, host.free_pages);
  each(map, "contents", [&](const YAML::Node& item) { read_contents_of(item, host); });
  read_unknown(map, host);
  each(map, "unread", [&](const YAML::Node& item) {
    const Map note(item);
    host.unread.push_back({text_of(note.need("path")), text_of(note.need("reason"))});
  });
  make_printable(host);
  model::settle_zones(host);
  host.fingerprint = sha256_of(model::canonical_text(host));
  return host;
}

}  // namespace

Result<model::Host, HostError> read_snapshot(std::string_view text) {
  const auto error = [](int line, const std::string& message) {
    return fail(HostError{"", line > 0 ? fmt::format("line {}: {}", line, message) : message});
  };
  try {
    return host_in(YAML::Load(std::string(text)));
  } catch (const Wrong& what) {
    return error(what.line, what.message);
  } catch (const YAML::Exception& what) {
    return error(what.mark.is_null() ? 0 : what.mark.line + 1, what.msg);
  }
}

}  // namespace memonline::runtime
