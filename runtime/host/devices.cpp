// SPDX-License-Identifier: LGPL-2.1-or-later
// The ACPI device behind firmware_node and the driver that manages a range in /proc/iomem. Where
// /proc/iomem hides its addresses, any memory without another device may be a driver's.
#include "runtime/host/devices.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/host/dimms.hpp"
#include "runtime/host/origins.hpp"
#include "runtime/host/text.hpp"

namespace memonline::runtime {

namespace {

using model::Device;
using model::Origin;

std::optional<AddressRange> range_of(std::string_view text) {
  const auto first = hexadecimal(take_until(text, '-'));
  const auto last = hexadecimal(text);
  if (!first || !last || *last < *first) return std::nullopt;
  return AddressRange{*first, *last};
}

/// Devices listed once each, found again by value.
std::uint32_t intern(std::vector<Device>& devices, Device device, std::uint32_t recent) {
  if (recent < devices.size() && devices[recent] == device) return recent;
  const auto at = std::find(devices.begin(), devices.end(), device);
  if (at != devices.end()) return static_cast<std::uint32_t>(at - devices.begin());
  devices.push_back(std::move(device));
  return static_cast<std::uint32_t>(devices.size() - 1);
}

Device of_driver(const DriverRange& range) {
  Device device;
  device.kind = range.driver == "virtio_mem" ? Device::Kind::VirtioMem
                : range.driver == "kmem"     ? Device::Kind::Dax
                                             : Device::Kind::Driver;
  device.origin = Origin::Hotplugged;
  device.name = range.device.empty() ? range.driver : range.device;
  device.driver = range.driver;
  return device;
}

Device of_dimm(std::uint32_t number, Origin origin) {
  return {Device::Kind::Dimm, origin, fmt::format("dimm{}", number), "", number};
}

bool lists_something(const Tree& tree, const char* path, std::string_view prefix) {
  const auto names = tree.list(path);
  return names && std::any_of(names->begin(), names->end(), [&](const std::string& name) {
           return name.compare(0, prefix.size(), prefix) == 0;
         });
}

/// Whether each byte of `range` is in one of the sorted ranges.
bool all_in(const std::vector<AddressRange>& ranges, AddressRange range) {
  auto at =
      std::lower_bound(ranges.begin(), ranges.end(), range.first,
                       [](const AddressRange& r, std::uint64_t first) { return r.last < first; });
  std::uint64_t from = range.first;
  for (; at != ranges.end() && at->first <= from; ++at) {
    if (at->last >= range.last) return true;
    from = std::max(from, at->last + 1);
  }
  return false;
}

bool has_unknown_device(const model::Host& host) {
  return std::any_of(host.devices.begin(), host.devices.end(),
                     [](const Device& one) { return one.kind == Device::Kind::Unknown; });
}

/// Kinds that a block of an unknown device cannot have, by what the machine shows beside /proc.
model::RuledOut ruled_out(const Tree& tree, const Blocks& blocks) {
  constexpr const char* kVirtioMem = "sys/bus/virtio/drivers/virtio_mem";
  const bool buses = tree.exists("sys/bus");
  // A capture may lack all links.
  const std::string first =
      blocks.all.empty() ? std::string()
                         : fmt::format("sys/devices/system/memory/memory{}", blocks.all.front().id);
  const bool links = lists_something(tree, first.c_str(), "node") ||
                     lists_something(tree, first.c_str(), "subsystem");
  return {links, buses && !lists_something(tree, kVirtioMem, "virtio"),
          buses && !lists_something(tree, "sys/bus/dax/devices", "dax")};
}

}  // namespace

IoMemory parse_iomem(std::string_view text) {
  constexpr std::string_view kManaged = "System RAM (";
  IoMemory memory;
  std::vector<std::string_view> above;  // the names of the enclosing resources, by depth
  while (!text.empty()) {
    const std::string_view line = take_until(text, '\n');
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    const std::size_t depth = std::min(indent / 2, above.size());
    const std::size_t colon = line.find(" : ");
    if (colon == std::string_view::npos || colon < indent) continue;
    const auto range = range_of(line.substr(indent, colon - indent));
    const std::string_view name = trimmed(line.substr(colon + 3));
    above.resize(depth);
    above.push_back(name);
    if (!range) continue;
    if (range->last > 0) memory.readable = true;
    if (range->last == 0) continue;
    if (name == "System RAM") {
      memory.ram.push_back(*range);
      memory.plain.push_back(*range);
    }
    if (name == "reserved" && depth == 0) memory.set_apart.push_back(*range);
    if (name.starts_with("Kernel ")) {
      if (!memory.kernel) memory.kernel = *range;
      memory.kernel->first = std::min(memory.kernel->first, range->first);
      memory.kernel->last = std::max(memory.kernel->last, range->last);
    }
    if (name.substr(0, kManaged.size()) != kManaged || name.back() != ')') continue;
    memory.ram.push_back(*range);
    const std::string_view driver = name.substr(kManaged.size(), name.size() - kManaged.size() - 1);
    memory.drivers.push_back(
        {*range, depth > 0 ? ascii_only(above[depth - 1]) : std::string(), ascii_only(driver)});
  }
  std::sort(
      memory.drivers.begin(), memory.drivers.end(),
      [](const DriverRange& a, const DriverRange& b) { return a.range.first < b.range.first; });
  sort_ranges(memory.ram);
  sort_ranges(memory.plain);
  return memory;
}

namespace {

// As in memblock: without parts of pages, and on a PC also without the first page and the hole for
// video memory and BIOS (arch/x86/kernel/setup.c, trim_bios_range()).
std::vector<model::PageRange> whole_pages(const std::vector<AddressRange>& ranges,
                                          std::uint64_t page_size, bool pc) {
  std::vector<model::PageRange> pages;
  const auto add = [&](std::uint64_t first, std::uint64_t end) {
    if (first >= end) return;
    if (!pages.empty() && pages.back().end == first)
      pages.back().end = end;
    else
      pages.push_back({first, end});
  };
  for (const AddressRange& range : ranges) {
    std::uint64_t first = (range.first + page_size - 1) / page_size;
    const std::uint64_t end = (range.last + 1) / page_size;
    if (pc) {
      first = std::max<std::uint64_t>(first, 1);
      add(first, std::min<std::uint64_t>(end, 0xa0));
      first = std::max<std::uint64_t>(first, 0x100);
    }
    add(first, end);
  }
  return pages;
}

// Where no firmware map shows what the kernel took at boot: the RAM of all blocks that were present
// then. On arm64 that includes what is called reserved (arch/arm64/kernel/setup.c,
// request_standard_resources()). Empty if the origin of a block is unknown.
std::vector<AddressRange> boot_ram(const IoMemory& iomem, const model::Host& host,
                                   std::uint64_t block_size) {
  std::vector<AddressRange> ram = iomem.plain;
  if (host.arch == "aarch64") ram.insert(ram.end(), iomem.set_apart.begin(), iomem.set_apart.end());
  sort_ranges(ram);
  std::vector<AddressRange> boot;
  for (const model::BlockRun& run : host.blocks) {
    const Origin origin = host.devices.at(run.device).origin;
    if (origin == Origin::Unknown) return {};
    if (origin != Origin::Boot) continue;
    const AddressRange blocks{run.first.value() * block_size, run.end().value() * block_size - 1};
    auto at = std::lower_bound(
        ram.begin(), ram.end(), blocks.first,
        [](const AddressRange& one, std::uint64_t first) { return one.last < first; });
    for (; at != ram.end() && at->first <= blocks.last; ++at)
      boot.push_back({std::max(at->first, blocks.first), std::min(at->last, blocks.last)});
  }
  return boot;
}

}  // namespace

void assign_devices(const Tree& tree, Blocks& blocks, Notes& notes, model::Host& host) {
  const std::string iomem_text = notes.read(tree, "proc/iomem");
  const IoMemory iomem = parse_iomem(iomem_text);
  if (!iomem.readable && !iomem_text.empty())
    notes.add("proc/iomem",
              "shows addresses only to root: the drivers that manage memory are unknown");
  const std::vector<FirmwareRange> entries = read_memmap(tree, notes);
  std::vector<AddressRange> pieces = iomem.ram;
  if (!iomem.readable)
    for (const FirmwareRange& entry : entries)
      if (entry.ram) pieces.push_back(entry.range);
  sort_ranges(pieces);
  read_dimms(tree, pieces, blocks);
  const Origins origins(tree, entries, iomem, blocks, host);
  const BootRanges& boot = origins.map();

  const auto device_of = [&](const Block& block) -> Device {
    const AddressRange range = addresses_of(block.id, blocks.size);
    if (const auto* driver =
            touching(iomem.drivers, range, [](const DriverRange& r) { return r.range; }))
      return of_driver(*driver);
    const Origin origin = origins.of(block);
    if (block.dimm) return of_dimm(*block.dimm, origin);
    // No driver manages memory that the firmware gives the kernel at boot.
    if (origin == Origin::Boot) return {Device::Kind::Boot, origin, "boot", "", {}};
    if (!iomem.readable || origin == Origin::Unknown)
      return {Device::Kind::Unknown, origin, "unknown", "", {}};
    if (host.arch == "s390x") return {Device::Kind::Standby, origin, "standby", "", {}};
    return {Device::Kind::None, origin, "none", "", {}};
  };

  // An incomplete map would be wrong.
  if (boot.unclear.empty())
    host.boot_memory = whole_pages(boot.boot, host.page_size, host.arch == "x86_64");

  if (iomem.kernel)
    host.early_memory.push_back(
        {iomem.kernel->first / host.page_size, iomem.kernel->last / host.page_size + 1});

  // RAM is what the kernel lists as such, or, if it hides the addresses, what the firmware does.
  std::vector<AddressRange> ram = iomem.readable ? iomem.ram : boot.boot;
  if (!iomem.readable) {
    ram.insert(ram.end(), boot.unclear.begin(), boot.unclear.end());
    sort_ranges(ram);
  }
  const auto has_holes = [&](const Block& block, const Device& device) {
    return device.origin != Origin::Hotplugged && !ram.empty() &&
           !all_in(ram, addresses_of(block.id, blocks.size));
  };

  std::uint32_t recent = 0;
  for (const Block& block : blocks.all) {
    recent = intern(host.devices, device_of(block), recent);
    model::append_run(host.blocks,
                      {model::BlockId(block.id), 1, block.state, block.zones, block.node,
                       block.several_nodes, recent, has_holes(block, host.devices[recent])});
  }
  if (host.devices.empty()) host.devices.emplace_back();
  if (entries.empty() && iomem.readable)
    host.boot_memory = whole_pages(boot_ram(iomem, host, blocks.size), host.page_size, false);
  if (has_unknown_device(host)) host.ruled_out = ruled_out(tree, blocks);
}

}  // namespace memonline::runtime
