// SPDX-License-Identifier: LGPL-2.1-or-later
// Three witnesses: the ACPI device behind firmware_node, the driver that manages a range in
// /proc/iomem, and the firmware's own map. Where one is mute, the others decide; where all are,
// the device is unknown.
#include "runtime/host/devices.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/host/dimms.hpp"
#include "runtime/host/text.hpp"

namespace memonline::runtime {

namespace {

using model::Device;
using model::Origin;
using model::State;

constexpr const char* kMemmap = "sys/firmware/memmap";

std::optional<AddressRange> range_of(std::string_view text) {
  const auto first = hexadecimal(take_until(text, '-'));
  const auto last = hexadecimal(text);
  if (!first || !last || *last < *first) return std::nullopt;
  return AddressRange{*first, *last};
}

std::vector<FirmwareRange> read_memmap(const Tree& tree, Notes& notes) {
  std::vector<FirmwareRange> entries;
  const auto map = tree.below(kMemmap);
  const auto names =
      map ? (*map)->list("") : Result<std::vector<std::string>, Errno>(fail(Errno{map.error()}));
  if (!names) {
    notes.failure(kMemmap, names.error());
    return entries;
  }
  std::vector<std::uint64_t> numbers;
  for (const std::string& name : *names)
    if (const auto number = decimal(name)) numbers.push_back(*number);
  std::sort(numbers.begin(), numbers.end());
  for (const std::uint64_t number : numbers) {
    const auto attribute = [&](std::string_view name) {
      const auto text = (*map)->attribute(fmt::format("{}/{}", number, name).c_str());
      if (!text) notes.failure(fmt::format("{}/{}/{}", kMemmap, number, name), text.error());
      return text ? std::string(trimmed(*text)) : std::string();
    };
    const auto first = hexadecimal(attribute("start"));
    const auto last = hexadecimal(attribute("end"));
    if (first && last && *first <= *last)
      entries.push_back({{*first, *last}, attribute("type") == "System RAM"});
  }
  return entries;
}

void sort_ranges(std::vector<AddressRange>& ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const AddressRange& a, const AddressRange& b) { return a.first < b.first; });
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

/// Whether each byte of `range` lies in one of the sorted list.
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

/// Whether memory may have come through a driver, judged without /proc/iomem.
bool may_have_drivers(const Tree& tree) {
  return lists_something(tree, "sys/bus/dax/devices", "dax") ||
         lists_something(tree, "sys/bus/virtio/drivers/virtio_mem", "virtio");
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
    if (name == "System RAM") memory.ram.push_back(*range);
    if (name.starts_with("Kernel ")) {
      if (!memory.kernel) memory.kernel = *range;
      memory.kernel->first = std::min(memory.kernel->first, range->first);
      memory.kernel->last = std::max(memory.kernel->last, range->last);
    }
    if (name.substr(0, kManaged.size()) != kManaged || name.back() != ')') continue;
    memory.ram.push_back(*range);
    const std::string_view driver = name.substr(kManaged.size(), name.size() - kManaged.size() - 1);
    memory.drivers.push_back(
        {*range, depth > 0 ? printable(above[depth - 1]) : std::string(), printable(driver)});
  }
  std::sort(
      memory.drivers.begin(), memory.drivers.end(),
      [](const DriverRange& a, const DriverRange& b) { return a.range.first < b.range.first; });
  sort_ranges(memory.ram);
  return memory;
}

std::vector<AddressRange> boot_ranges(const std::vector<FirmwareRange>& all,
                                      std::uint64_t block_size, const std::vector<Block>& blocks) {
  // DIMMs that ACPI adds while the kernel initialises get their numbers before the firmware's own
  // entries do (firmware_memmap_init is a late initcall): the map begins at its lowest address.
  const auto begins = std::min_element(
      all.begin(), all.end(),
      [](const FirmwareRange& a, const FirmwareRange& b) { return a.range.first < b.range.first; });
  const std::vector<FirmwareRange> entries(begins, all.end());
  const auto aligned = [&](const AddressRange& range) {
    return range.first % block_size == 0 && (range.last + 1) % block_size == 0;
  };
  // The number of entries up to and with the last that must be the firmware's: hot-added ones are
  // aligned RAM, and all come after it.
  std::size_t early = entries.size();
  while (early > 0 && entries[early - 1].ram && aligned(entries[early - 1].range)) --early;
  const auto among = [&](std::size_t count, std::uint64_t id) {
    const AddressRange block = addresses_of(id, block_size);
    return std::any_of(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(count),
                       [&](const FirmwareRange& entry) {
                         return entry.ram && entry.range.first <= block.last &&
                                block.first <= entry.range.last;
                       });
  };
  // A device that owns a block of the firmware's memory was there at boot with all it has.
  std::vector<std::uint32_t> boot_dimms;
  for (const Block& block : blocks)
    if (block.dimm && (boot_dimms.empty() || boot_dimms.back() != *block.dimm) &&
        among(early, block.id))
      boot_dimms.push_back(*block.dimm);
  /// Every block of the range came with one ACPI device that was not there at boot.
  const auto came_with_dimm = [&](const AddressRange& range) {
    const std::uint64_t first = range.first / block_size;
    const std::uint64_t end = (range.last + 1) / block_size;
    const auto from = std::lower_bound(blocks.begin(), blocks.end(), first,
                                       [](const Block& b, std::uint64_t id) { return b.id < id; });
    const auto to = std::lower_bound(from, blocks.end(), end,
                                     [](const Block& b, std::uint64_t id) { return b.id < id; });
    if (from == to || !from->dimm ||
        std::find(boot_dimms.begin(), boot_dimms.end(), *from->dimm) != boot_dimms.end())
      return false;
    return std::all_of(from, to, [&](const Block& b) { return b.dimm == from->dimm; });
  };

  std::vector<AddressRange> ranges;
  std::uint64_t highest = 0;  // the end of what earlier entries cover
  bool adding = false;        // once one entry was hot-added, so were all after it
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const AddressRange& range = entries[i].range;
    if (i >= early && !adding) {
      const bool below_earlier = i > 0 && range.first <= highest;
      const bool unmerged =
          i > 0 && entries[i - 1].ram && range.first == entries[i - 1].range.last + 1;
      adding = below_earlier || unmerged || came_with_dimm(range);
    }
    highest = std::max(highest, range.last);
    if (entries[i].ram && !adding) ranges.push_back(range);
  }
  sort_ranges(ranges);
  return ranges;
}

namespace {

// As memblock holds it: what is no whole page is left out, and of a PC the first page and the hole
// for video memory and BIOS as well (arch/x86/kernel/setup.c, trim_bios_range()).
std::vector<model::PfnRange> whole_pages(const std::vector<AddressRange>& ranges,
                                         std::uint64_t page_size, bool pc) {
  std::vector<model::PfnRange> pages;
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

}  // namespace

void assign_devices(const Tree& tree, Blocks& blocks, Notes& notes, model::Host& host) {
  const std::string iomem_text = notes.read(tree, "proc/iomem");
  const IoMemory iomem = parse_iomem(iomem_text);
  if (!iomem.readable && !iomem_text.empty())
    notes.add("proc/iomem",
              "shows no addresses without root: which driver manages memory is unknown");
  const std::vector<FirmwareRange> entries = read_memmap(tree, notes);
  const bool have_map = std::any_of(entries.begin(), entries.end(),
                                    [](const FirmwareRange& entry) { return entry.ram; });
  std::vector<AddressRange> pieces = iomem.ram;
  if (!iomem.readable)
    for (const FirmwareRange& entry : entries)
      if (entry.ram) pieces.push_back(entry.range);
  sort_ranges(pieces);
  read_dimms(tree, pieces, blocks);
  const auto boot = boot_ranges(entries, std::max<std::uint64_t>(blocks.size, 1), blocks.all);
  const bool drivers_known = iomem.readable || !may_have_drivers(tree);

  const auto device_of = [&](const Block& block) -> Device {
    const AddressRange range = addresses_of(block.id, blocks.size);
    if (const auto* driver =
            touching(iomem.drivers, range, [](const DriverRange& r) { return r.range; }))
      return of_driver(*driver);
    const bool in_map = touching(boot, range) != nullptr;
    if (block.dimm) return of_dimm(*block.dimm, in_map ? Origin::Boot : Origin::Hotplugged);
    if (in_map) return {Device::Kind::Boot, Origin::Boot, "boot", "", {}};
    if (!drivers_known)
      return {Device::Kind::Unknown,
              have_map ? Origin::Hotplugged : Origin::Unknown,
              "unknown",
              "",
              {}};
    if (!have_map && block.state == State::Unknown) return {};
    if (!have_map && block.state != State::Offline)
      return {Device::Kind::Boot, Origin::Boot, "boot", "", {}};
    return {Device::Kind::None, Origin::Hotplugged, "none", "", {}};
  };

  host.boot_memory = whole_pages(boot, host.page_size, host.arch == "x86_64");

  if (iomem.kernel)
    host.early_memory.push_back(
        {iomem.kernel->first / host.page_size, iomem.kernel->last / host.page_size + 1});

  // What counts as RAM is what the kernel lists as such; where it does not tell us, the firmware.
  const std::vector<AddressRange>& ram = iomem.readable ? iomem.ram : boot;
  const auto has_holes = [&](const Block& block, const Device& device) {
    return device.origin == Origin::Boot && !ram.empty() &&
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
}

}  // namespace memonline::runtime
