// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/host_builder.hpp"

#include <algorithm>
#include <utility>

#include "compiler/kernel/model.hpp"

namespace memonline::test {

using model::BlockId;
using model::Device;
using model::Era;
using model::NodeId;
using model::Origin;
using model::State;
using model::ValidZones;
using model::Zone;

HostBuilder::HostBuilder(Era era) {
  host_.name = "built";
  host_.kernel = "6.1.0-test";
  host_.arch = "x86_64";
  host_.virtualization = "kvm";
  host_.block_size = model::Bytes(128ULL << 20);
  host_.era = era;
  host_.era_evidence = "a test says so";
  host_.facts.valid_zones = true;
  host_.facts.foll_pin = era >= Era::C2;
  host_.zone_spans_known = true;
  host_.devices.push_back({Device::Kind::Boot, Origin::Boot, "boot", "", std::nullopt});
  host_.knobs.auto_online_blocks = "offline";
  if (era == Era::D) {
    host_.knobs.online_policy = "contig-zones";
    host_.knobs.auto_movable_ratio = 301;
    host_.knobs.auto_movable_numa_aware = true;
    host_.knobs.memmap_on_memory = "N";
  }
  if (model::is_era_a(era)) host_.knobs.auto_online_blocks.reset();
}

HostBuilder& HostBuilder::block_size(std::uint64_t bytes) {
  host_.block_size = model::Bytes(bytes);
  return *this;
}

model::Node& HostBuilder::node(std::uint32_t id) {
  auto at = std::find_if(host_.nodes.begin(), host_.nodes.end(),
                         [&](const model::Node& n) { return n.id.value() >= id; });
  if (at == host_.nodes.end() || at->id.value() != id)
    at = host_.nodes.insert(at, model::Node{NodeId(id), true, {}});
  return *at;
}

std::uint32_t HostBuilder::device(Device::Kind kind) {
  const auto count = static_cast<std::uint32_t>(std::count_if(
      host_.devices.begin(), host_.devices.end(), [&](const Device& d) { return d.kind == kind; }));
  Device made{kind, Origin::Hotplugged, "dimm" + std::to_string(count), "", count};
  if (kind == Device::Kind::VirtioMem)
    made = {kind, Origin::Hotplugged, "virtio" + std::to_string(count), "virtio_mem", std::nullopt};
  if (kind == Device::Kind::Standby) made = {kind, Origin::Hotplugged, "standby", "", std::nullopt};
  host_.devices.push_back(made);
  return static_cast<std::uint32_t>(host_.devices.size() - 1);
}

void HostBuilder::add(std::uint32_t node_id, std::uint64_t first, std::uint64_t count,
                      std::uint32_t device, State state, ValidZones zones) {
  node(node_id);
  model::BlockRun run{BlockId(first), count, state, zones, NodeId(node_id), false, device};
  const auto at = std::find_if(host_.blocks.begin(), host_.blocks.end(),
                               [&](const model::BlockRun& r) { return r.first > run.first; });
  host_.blocks.insert(at, run);
}

HostBuilder& HostBuilder::boot(std::uint32_t node_id, std::uint64_t first, std::uint64_t count,
                               Zone zone, bool mixed) {
  add(node_id, first, count, 0, State::Online,
      mixed ? ValidZones(ValidZones::Kind::None) : ValidZones{zone});
  return *this;
}

HostBuilder& HostBuilder::holes(std::uint64_t first, std::uint64_t count) {
  for (model::BlockRun& run : host_.blocks)
    if (run.first.value() == first && run.count == count) run.holes = true;
  return *this;
}

HostBuilder& HostBuilder::dimm(std::uint32_t node_id, std::uint64_t first, std::uint64_t count) {
  add(node_id, first, count, device(Device::Kind::Dimm), State::Offline, {});
  return *this;
}

HostBuilder& HostBuilder::dimm_online(std::uint32_t node_id, std::uint64_t first,
                                      std::uint64_t count, Zone zone) {
  add(node_id, first, count, static_cast<std::uint32_t>(host_.devices.size() - 1), State::Online,
      ValidZones{zone});
  return *this;
}

HostBuilder& HostBuilder::virtio_mem(std::uint32_t node_id, std::uint64_t first,
                                     std::uint64_t count) {
  add(node_id, first, count, device(Device::Kind::VirtioMem), State::Offline, {});
  return *this;
}

HostBuilder& HostBuilder::standby(std::uint64_t first, std::uint64_t count) {
  host_.arch = "s390x";
  add(0, first, count, device(Device::Kind::Standby), State::Offline, {});
  return *this;
}

HostBuilder& HostBuilder::has_cpu(std::uint32_t node_id, bool yes) {
  node(node_id).has_cpu = yes;
  return *this;
}

HostBuilder& HostBuilder::parameter(const std::string& word) {
  host_.command_line.push_back(word);
  return *this;
}

HostBuilder& HostBuilder::auto_movable(std::uint64_t ratio, bool numa_aware) {
  host_.knobs.online_policy = "auto-movable";
  host_.knobs.auto_movable_ratio = ratio;
  host_.knobs.auto_movable_numa_aware = numa_aware;
  return *this;
}

HostBuilder& HostBuilder::span(std::uint32_t node_id, Zone zone, std::uint64_t start,
                               std::uint64_t spanned, std::uint64_t present) {
  node(node_id).zones[static_cast<std::size_t>(zone)] = {model::Pfn(start), spanned, present,
                                                         present, 0};
  return *this;
}

model::Host HostBuilder::build() const {
  model::Host host = host_;
  const std::uint64_t pages = host.pages_per_block();
  // Spans a test did not set: the hull of what is online, and in era A of what is offline too,
  // because there the zone is bound when memory is added.
  for (model::Node& n : host.nodes) {
    const auto given = n.zones;
    for (const model::BlockRun& run : host.blocks) {
      if (run.node != n.id) continue;
      Zone zone = Zone::Normal;
      if (run.zones.kind() == ValidZones::Kind::Listed) zone = run.zones[0];
      if (run.state != State::Online && !model::is_era_a(host.era)) continue;
      const auto z = static_cast<std::size_t>(zone);
      if (!given[z].empty()) continue;
      model::ZoneSpan& span = n.zones[z];
      const std::uint64_t begin = run.first.value() * pages;
      const std::uint64_t end = run.end().value() * pages;
      const std::uint64_t low = span.empty() ? begin : std::min(begin, span.start.value());
      const std::uint64_t high = span.empty() ? end : std::max(end, span.end().value());
      span.start = model::Pfn(low);
      span.spanned = high - low;
      if (run.state == State::Online) span.present += run.count * pages;
      span.managed = span.present;
    }
  }
  std::vector<model::BlockRun> merged;
  for (const model::BlockRun& run : host.blocks) append_run(merged, run);
  host.blocks = merged;
  return kernel::Model(host).host();
}

HostBuilder eight_and_forty(model::Era era) {
  return HostBuilder(era).boot(1, 32, 8).dimm(1, 40, 40);
}

std::string zones_text(const ValidZones& zones) {
  if (zones.kind() == ValidZones::Kind::None) return "none";
  std::string text;
  for (Zone zone : zones) {
    if (!text.empty()) text += ' ';
    text += model::zone_name(zone);
  }
  return text;
}

model::Host with_waiting_dax(model::Host host, std::uint32_t node,
                             std::vector<model::BlockRange> blocks) {
  model::DaxDevice dax;
  dax.name = "dax0.0";
  for (const model::BlockRange& range : blocks) dax.size += host.block_size * range.count();
  dax.node = model::NodeId(node);
  dax.blocks = std::move(blocks);
  host.dax_devices = {dax};
  host.kmem = true;
  return host;
}

}  // namespace memonline::test
