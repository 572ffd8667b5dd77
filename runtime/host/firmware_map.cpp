// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/firmware_map.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "runtime/host/text.hpp"

namespace memonline::runtime {

namespace {

constexpr const char* kMemmap = "sys/firmware/memmap";

}  // namespace

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

BootRanges boot_ranges(const std::vector<FirmwareRange>& all, std::uint64_t block_size,
                       const std::vector<Block>& blocks) {
  // DIMMs that ACPI adds while the kernel initializes get their numbers before the firmware's own
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
  const auto blocks_in = [&](const AddressRange& range) {
    const std::uint64_t first = range.first / block_size;
    const std::uint64_t end = (range.last + 1) / block_size;
    const auto from = std::lower_bound(blocks.begin(), blocks.end(), first,
                                       [](const Block& b, std::uint64_t id) { return b.id < id; });
    const auto to = std::lower_bound(from, blocks.end(), end,
                                     [](const Block& b, std::uint64_t id) { return b.id < id; });
    return std::pair(from, to);
  };
  /// The ACPI device of all blocks of the range, if it is only one.
  const auto dimm_of = [&](const AddressRange& range) -> std::optional<std::uint32_t> {
    const auto [from, to] = blocks_in(range);
    if (from == to) return std::nullopt;
    const auto dimm = from->dimm;
    const bool one = std::all_of(from, to, [&](const Block& b) { return b.dimm == dimm; });
    return one ? dimm : std::nullopt;
  };
  // What is hot-added has an entry for each device.
  const auto of_several_devices = [&](const AddressRange& range) {
    const auto [from, to] = blocks_in(range);
    const auto dimm = std::find_if(from, to, [](const Block& b) { return b.dimm.has_value(); });
    return std::any_of(dimm, to, [&](const Block& b) { return b.dimm && b.dimm != dimm->dimm; });
  };
  for (std::size_t i = entries.size(); i > early; --i)
    if (of_several_devices(entries[i - 1].range)) early = i;
  // A device that owns a block of the firmware's memory was there at boot with all it has. Where
  // there is one, ACPI describes boot memory by devices, too, and a device proves nothing.
  std::vector<std::uint32_t> boot_dimms;
  for (const Block& block : blocks)
    if (block.dimm && (boot_dimms.empty() || boot_dimms.back() != *block.dimm) &&
        among(early, block.id))
      boot_dimms.push_back(*block.dimm);
  const auto is_boot_dimm = [&](std::uint32_t dimm) {
    return std::find(boot_dimms.begin(), boot_dimms.end(), dimm) != boot_dimms.end();
  };
  for (std::size_t i = entries.size(); i > early; --i)
    if (const auto dimm = dimm_of(entries[i - 1].range); dimm && is_boot_dimm(*dimm)) early = i;

  BootRanges ranges;
  std::uint64_t highest = 0;  // the end of what earlier entries cover
  bool adding = false;        // once one entry was hot-added, so were all after it
  bool unclear = false;       // one entry may have been, and so may all after it
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const AddressRange& range = entries[i].range;
    if (i >= early && !adding) {
      const bool below_earlier = i > 0 && range.first <= highest;
      const bool unmerged =
          i > 0 && entries[i - 1].ram && range.first == entries[i - 1].range.last + 1;
      const bool has_dimm = dimm_of(range).has_value();
      adding = below_earlier || unmerged || (has_dimm && boot_dimms.empty());
      unclear = unclear || has_dimm;
    }
    highest = std::max(highest, range.last);
    if (!entries[i].ram || adding) continue;
    (unclear ? ranges.unclear : ranges.boot).push_back(range);
  }
  sort_ranges(ranges.boot);
  sort_ranges(ranges.unclear);
  return ranges;
}

}  // namespace memonline::runtime
