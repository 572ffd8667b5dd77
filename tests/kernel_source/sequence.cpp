// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/kernel_source/sequence.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace memonline::kernel_source {

namespace {

constexpr std::uint64_t kChunk = 256;           // pages; where nodes and zones begin
constexpr std::uint64_t kDma32End = 1UL << 20;  // pages
constexpr std::uint64_t kBlocks = 96;           // memory is added below this block

std::string blocks_text(const Operation& operation) {
  return operation.first == operation.last
             ? fmt::format("memory{}", operation.first)
             : fmt::format("memory{}..{}", operation.first, operation.last);
}

std::string device_text(const Operation& operation) {
  if (operation.device == Device::VirtioMem) return fmt::format("virtio-mem{}", operation.unit);
  return operation.device == Device::Dimm ? "dimm" : "no group";
}

std::uint64_t some_chunks(Random& random, std::uint64_t block_pages) {
  // Whole blocks mostly: a block that is not all RAM, or of two nodes, is the exception.
  const std::uint64_t per_block = block_pages / kChunk;
  const std::uint64_t blocks = 1 + below(random, 6);
  return blocks * per_block - (chance(random, 25) ? below(random, per_block) : 0);
}

// Usual and malformed amounts.
std::string some_amount(Random& random, std::uint64_t pages) {
  switch (below(random, 5)) {
    case 0: return fmt::format("{}%", below(random, 101));
    case 1: return fmt::format("{}M", below(random, pages / 256 + 2));
    case 2: return fmt::format("{}K", below(random, pages * 4 + 8192));
    case 3: return fmt::format("{}G", below(random, pages / 262144 + 3));
    default: return fmt::format("{:#x}", below(random, pages * 4096 + 4096));
  }
}

constexpr std::array<std::string_view, 3> kOnlineWords{"online", "online_kernel", "online_movable"};
constexpr std::array<std::string_view, 6> kWrongWords{"Online", "online_",  "movable",
                                                      "",       "offlinee", "1"};
struct Setting {
  std::string_view name;
  std::string_view value;
};
constexpr std::array<Setting, 36> kSettings{{
    {"auto_online_blocks", "offline"},
    {"auto_online_blocks", "offline"},
    {"auto_online_blocks", "online"},
    {"auto_online_blocks", "online_kernel"},
    {"auto_online_blocks", "online_movable"},
    {"auto_online_blocks", "movable"},
    {"online_policy", "contig-zones"},
    {"online_policy", "contig-zones"},
    {"online_policy", "auto-movable"},
    {"online_policy", "auto-movable"},
    {"online_policy", "auto-movable"},
    {"online_policy", "auto"},
    {"auto_movable_ratio", "0"},
    {"auto_movable_ratio", "1"},
    {"auto_movable_ratio", "50"},
    {"auto_movable_ratio", "99"},
    {"auto_movable_ratio", "100"},
    {"auto_movable_ratio", "301"},
    {"auto_movable_ratio", "301"},
    {"auto_movable_ratio", "1000"},
    {"auto_movable_ratio", "2147483647"},
    {"auto_movable_ratio", "4294967295"},
    {"auto_movable_ratio", "4294967296"},
    {"auto_movable_ratio", "0x12d"},
    {"auto_movable_ratio", "010"},
    {"auto_movable_ratio", "-1"},
    {"auto_movable_ratio", "+7"},
    {"auto_movable_ratio", "many"},
    {"auto_movable_numa_aware", "Y"},
    {"auto_movable_numa_aware", "y"},
    {"auto_movable_numa_aware", "1"},
    {"auto_movable_numa_aware", "on"},
    {"auto_movable_numa_aware", "N"},
    {"auto_movable_numa_aware", "0"},
    {"auto_movable_numa_aware", "off"},
    {"auto_movable_numa_aware", "maybe"},
}};

// A run of existing blocks around one of them: the bounds, upwards or downwards.
void choose_run(Random& random, const std::vector<std::uint64_t>& existing, Operation& operation) {
  static constexpr std::array<std::uint64_t, 8> kLengths{1, 1, 1, 1, 2, 3, 5, 12};
  const std::uint64_t at = below(random, existing.size());
  std::uint64_t end = std::min<std::uint64_t>(existing.size(), at + one_of(random, kLengths));
  while (existing[end - 1] - existing[at] != end - 1 - at) --end;
  operation.first = existing[at];
  operation.last = existing[end - 1];
  if (chance(random, 40)) std::swap(operation.first, operation.last);
}

Operation some_add(Random& random) {
  Operation operation;
  operation.kind = Operation::Kind::Add;
  operation.first = below(random, kBlocks);
  operation.last = operation.first + below(random, chance(random, 70) ? 3 : 8);
  operation.node = static_cast<int>(below(random, KS_NODES));
  static constexpr std::array<Device, 4> kDevices{Device::Unknown, Device::Dimm, Device::Dimm,
                                                  Device::VirtioMem};
  operation.device = one_of(random, kDevices);
  if (operation.device == Device::VirtioMem) operation.unit = static_cast<int>(below(random, 3));
  operation.memmap = operation.device != Device::VirtioMem && chance(random, 20);
  return operation;
}

}  // namespace

void start(const ks_api& kernel, const Boot& boot) {
  const ks_boot words{boot.regions.data(),
                      static_cast<int>(boot.regions.size()),
                      boot.kernelcore.empty() ? nullptr : boot.kernelcore.c_str(),
                      boot.movablecore.empty() ? nullptr : boot.movablecore.c_str(),
                      boot.movable_node ? 1 : 0,
                      boot.block_pages};
  kernel.boot(&words);
}

std::string text_of(const Operation& operation) {
  using Kind = Operation::Kind;
  switch (operation.kind) {
    case Kind::Write: return fmt::format("{} {}", operation.word, blocks_text(operation));
    case Kind::Add:
      return fmt::format("add {} node{} {}{}", blocks_text(operation), operation.node,
                         device_text(operation), operation.memmap ? " memmap" : "");
    case Kind::Remove: return fmt::format("remove {}", blocks_text(operation));
    case Kind::Set: return fmt::format("set {} {}", operation.word, operation.value);
    case Kind::Reread: break;
  }
  return "read the host again";
}

std::string text_of(const Boot& boot) {
  std::string text = fmt::format("boot: blocks of {} pages", boot.block_pages);
  if (!boot.kernelcore.empty()) text += " kernelcore=" + boot.kernelcore;
  if (!boot.movablecore.empty()) text += " movablecore=" + boot.movablecore;
  if (boot.movable_node) text += " movable_node";
  for (const ks_region& region : boot.regions)
    text += fmt::format("\n  pages {}..{} node{}{}", region.begin, region.end - 1, region.nid,
                        region.hotpluggable != 0 ? " hot-pluggable" : "");
  if (boot.cma > 0) text += fmt::format("\n  {} pages of CMA", boot.cma);
  return text + "\n";
}

Boot random_boot(Random& random) {
  static constexpr std::array<std::uint64_t, 6> kSizes{32768, 32768, 32768, 32768, 65536, 262144};
  Boot boot;
  boot.block_pages = one_of(random, kSizes);
  const std::uint64_t nodes = 1 + below(random, 3);
  std::uint64_t at = 0;
  std::uint64_t total = 0;
  for (std::uint64_t node = 0; node < nodes; ++node) {
    // Up to 5.17 the kernel does not see another node that has less than 1024 pages of a block.
    at = (at + 1023) / 1024 * 1024;
    const std::uint64_t parts = chance(random, 60) ? 1 : 2;
    for (std::uint64_t part = 0; part < parts; ++part) {
      const std::uint64_t pages = some_chunks(random, boot.block_pages) * kChunk;
      // Nothing of the node with the first page is hot-pluggable
      // (numa_clear_kernel_node_hotplug()).
      const int hotpluggable = node > 0 && chance(random, 40) ? 1 : 0;
      boot.regions.push_back({at, at + pages, static_cast<int>(node), hotpluggable});
      at += pages;
      total += pages;
      // A hole, at times up to 4 GiB, where Normal begins.
      if (chance(random, 30)) at += below(random, 3) * boot.block_pages;
      if (at < kDma32End && chance(random, 40)) at = kDma32End;
      if (chance(random, 80))
        at = (at + boot.block_pages - 1) / boot.block_pages * boot.block_pages;
    }
  }
  if (chance(random, 35)) boot.kernelcore = some_amount(random, total);
  if (chance(random, 20)) boot.movablecore = some_amount(random, total);
  boot.movable_node = chance(random, 30);
  if (chance(random, 20)) boot.cma = below(random, 16) * kChunk;
  return boot;
}

Operation random_operation(Random& random, const std::vector<std::uint64_t>& existing) {
  using Kind = Operation::Kind;
  const std::uint64_t kind = below(random, 1000);
  if (existing.empty() || kind < 60) return some_add(random);
  Operation operation;
  if (kind < 120) {
    const Setting& setting = one_of(random, kSettings);
    operation.kind = Kind::Set;
    operation.word = setting.name;
    operation.value = setting.value;
    return operation;
  }
  if (kind < 125) {
    operation.kind = Kind::Reread;
    return operation;
  }
  choose_run(random, existing, operation);
  if (kind < 175) {
    operation.kind = Kind::Remove;
    if (operation.last < operation.first) std::swap(operation.first, operation.last);
    return operation;
  }
  operation.word = kind < 560 ? std::string_view("offline") : one_of(random, kOnlineWords);
  if (kind >= 985) operation.word = one_of(random, kWrongWords);
  if (kind >= 995) operation.first = operation.last = kBlocks + below(random, 8);
  return operation;
}

}  // namespace memonline::kernel_source
