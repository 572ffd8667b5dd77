// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/device_tree.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include <fmt/format.h>

namespace memonline::runtime {

namespace {

using model::Origin;

// arch/powerpc/include/asm/drmem.h
constexpr std::uint32_t kAssigned = 0x8;
constexpr std::uint32_t kReserved = 0x80;
constexpr std::uint32_t kHotRemovable = 0x100;
// Beyond any machine, and sums do not overflow.
constexpr std::uint64_t kMax = std::uint64_t{1} << 60U;

/// A big-endian number of `cells` cells; empty where the value is too short.
std::optional<std::uint64_t> cells_at(std::string_view value, std::size_t at, std::size_t cells) {
  if (value.size() < at || value.size() - at < cells * 4) return std::nullopt;
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < cells * 4; ++i)
    number = number << 8U | static_cast<unsigned char>(value[at + i]);
  return number;
}

void add(std::vector<AddressRange>& ranges, std::uint64_t first, std::uint64_t size) {
  if (size > 0 && first < kMax && size < kMax) ranges.push_back({first, first + size - 1});
}

void add(std::vector<LmbRange>& lmbs, std::uint64_t first, std::uint64_t size,
         std::uint32_t flags) {
  if (size == 0 || first >= kMax || size >= kMax) return;
  if (!lmbs.empty() && lmbs.back().flags == flags && lmbs.back().range.last + 1 == first)
    lmbs.back().range.last += size;
  else
    lmbs.push_back({{first, first + size - 1}, flags});
}

/// The `reg` of a memory node, or the part of it that the kernel is to use
/// (early_init_dt_scan_memory). A coherent accelerator's memory is not for the kernel at boot.
void add_memory_node(const Tree& tree, const std::string& node, std::size_t address_cells,
                     std::size_t size_cells, std::vector<AddressRange>& ranges) {
  const auto compatible = tree.read((node + "/compatible").c_str());
  if (compatible && compatible->find("coherent-device-memory") != std::string::npos) return;
  auto reg = tree.read((node + "/linux,usable-memory").c_str());
  if (!reg) reg = tree.read((node + "/reg").c_str());
  if (!reg) return;
  for (std::size_t at = 0;; at += (address_cells + size_cells) * 4) {
    const auto first = cells_at(*reg, at, address_cells);
    const auto size = cells_at(*reg, at + address_cells * 4, size_cells);
    if (!first || !size) return;
    add(ranges, *first, *size);
  }
}

std::size_t cell_count(const Tree& tree, const std::string& path) {
  const auto value = tree.read(path.c_str());
  const auto count = value ? cells_at(*value, 0, 1) : std::nullopt;
  return count && (*count == 1 || *count == 2) ? *count : 2;
}

DeviceTreeMemory read_below(const Tree& tree, const std::string& base) {
  DeviceTreeMemory memory;
  const auto names = tree.list(base.c_str());
  if (!names) return memory;
  const std::size_t address_cells = cell_count(tree, base + "/#address-cells");
  const std::size_t size_cells = cell_count(tree, base + "/#size-cells");
  for (const std::string& name : *names)
    if (name == "memory" || name.starts_with("memory@")) {
      std::string path = base;
      path.append("/").append(name);
      add_memory_node(tree, path, address_cells, size_cells, memory.boot);
    }
  sort_ranges(memory.boot);
  const std::string dynamic = base + "/ibm,dynamic-reconfiguration-memory/";
  const auto size = tree.read((dynamic + "ibm,lmb-size").c_str());
  const std::uint64_t lmb_size = size ? cells_at(*size, 0, 2).value_or(0) : 0;
  if (const auto value = tree.read((dynamic + "ibm,dynamic-memory").c_str()))
    memory.lmbs = parse_dynamic_memory(*value, lmb_size);
  else if (const auto v2 = tree.read((dynamic + "ibm,dynamic-memory-v2").c_str()))
    memory.lmbs = parse_dynamic_memory_v2(*v2, lmb_size);
  return memory;
}

bool meets(const std::vector<AddressRange>& ranges, AddressRange range) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const AddressRange& one) {
    return one.first <= range.last && range.first <= one.last;
  });
}

}  // namespace

std::vector<LmbRange> parse_dynamic_memory(std::string_view value, std::uint64_t lmb_size) {
  std::vector<LmbRange> lmbs;
  const auto count = cells_at(value, 0, 1);
  for (std::uint64_t i = 0; count && i < *count; ++i) {
    const std::size_t at = 4 + i * 24;  // address (2), DRC index, reserved, associativity, flags
    const auto first = cells_at(value, at, 2);
    const auto flags = cells_at(value, at + 20, 1);
    if (!first || !flags) break;
    add(lmbs, *first, lmb_size, static_cast<std::uint32_t>(*flags));
  }
  return lmbs;
}

std::vector<LmbRange> parse_dynamic_memory_v2(std::string_view value, std::uint64_t lmb_size) {
  std::vector<LmbRange> lmbs;
  const auto sets = cells_at(value, 0, 1);
  for (std::uint64_t i = 0; sets && i < *sets; ++i) {
    const std::size_t at = 4 + i * 24;  // count, address (2), DRC index, associativity, flags
    const auto count = cells_at(value, at, 1);
    const auto first = cells_at(value, at + 4, 2);
    const auto flags = cells_at(value, at + 20, 1);
    if (!count || !first || !flags) break;
    if (lmb_size < kMax / (*count + 1))
      add(lmbs, *first, *count * lmb_size, static_cast<std::uint32_t>(*flags));
  }
  return lmbs;
}

Origin DeviceTreeMemory::origin_of(AddressRange range) const {
  if (meets(boot, range)) return Origin::Boot;
  if (lmbs.empty()) return Origin::Hotplugged;
  // If the boot memory of memory@* is listed as LMBs that stay, the others were hot-added.
  // Otherwise memory@* is only the first part of boot memory, and LMBs of boot cannot be
  // distinguished from others: the kernel marks what it adds as assigned.
  const bool boot_stays = std::any_of(lmbs.begin(), lmbs.end(), [&](const LmbRange& lmb) {
    return (lmb.flags & kReserved) != 0 && meets(boot, lmb.range);
  });
  for (const LmbRange& lmb : lmbs) {
    if (range.last < lmb.range.first || lmb.range.last < range.first) continue;
    if ((lmb.flags & kReserved) != 0) return Origin::Boot;
    if ((lmb.flags & kAssigned) == 0) return Origin::Unknown;
    return boot_stays || (lmb.flags & kHotRemovable) != 0 ? Origin::Hotplugged : Origin::Unknown;
  }
  return Origin::Unknown;
}

DeviceTreeMemory read_device_tree(const Tree& tree) {
  for (const char* base : {"proc/device-tree", "sys/firmware/devicetree/base"})
    if (DeviceTreeMemory memory = read_below(tree, base); memory.known()) return memory;
  return {};
}

}  // namespace memonline::runtime
