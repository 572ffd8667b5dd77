// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/firmware.hpp"

#include <algorithm>

namespace memonline::runtime {

namespace {

constexpr const char* kTables = "sys/firmware/acpi/tables";
constexpr const char* kSrat = "sys/firmware/acpi/tables/SRAT";
constexpr const char* kBootParameters = "sys/kernel/boot_params/data";

/// A little-endian number of `size` bytes; bytes outside are 0.
std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;)
    value = value << 8U | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
  return value;
}

void sort_and_merge(std::vector<AddressRange>& ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const AddressRange& a, const AddressRange& b) { return a.first < b.first; });
  std::vector<AddressRange> merged;
  for (const AddressRange& range : ranges)
    if (!merged.empty() && range.first <= merged.back().last + 1)
      merged.back().last = std::max(merged.back().last, range.last);
    else
      merged.push_back(range);
  ranges = std::move(merged);
}

/// Whole pages, as PFN_DOWN() cuts them.
model::PageRange pages_of(AddressRange range, std::uint64_t page_size) {
  return {range.first / page_size, range.last / page_size + 1};
}

// struct boot_params, arch/x86/include/uapi/asm/bootparam.h: setup_header.ramdisk_image and
// ramdisk_size with the upper halves in ext_ramdisk_image and ext_ramdisk_size.
void add_ramdisk(const Tree& tree, model::Host& host) {
  const auto data = tree.read(kBootParameters);
  if (!data) return;
  const std::uint64_t first = number_at(*data, 0x218, 4) | number_at(*data, 0x0c0, 4) << 32U;
  const std::uint64_t size = number_at(*data, 0x21c, 4) | number_at(*data, 0x0c4, 4) << 32U;
  if (first == 0 || size == 0 || first + size < first) return;
  host.early_memory.push_back(pages_of({first, first + size - 1}, host.page_size));
}

}  // namespace

std::optional<std::vector<AddressRange>> hotpluggable_in(std::string_view srat) {
  constexpr std::size_t kHead = 48;  // the header of all tables, and 12 reserved bytes
  constexpr std::uint64_t kMemoryAffinity = 1;
  constexpr std::size_t kMemoryAffinitySize = 40;
  constexpr std::uint64_t kEnabledAndHotPluggable = 3;
  // 2^60: beyond any machine, and sums do not overflow.
  constexpr std::uint64_t kMax = std::uint64_t{1} << 60U;
  if (srat.size() < kHead || srat.substr(0, 4) != "SRAT") return std::nullopt;
  const std::size_t end = std::min<std::size_t>(srat.size(), number_at(srat, 4, 4));
  std::vector<AddressRange> ranges;
  for (std::size_t at = kHead; at + 2 <= end;) {
    const std::size_t size = number_at(srat, at + 1, 1);
    if (size < 2 || at + size > end) break;
    const std::uint64_t first = number_at(srat, at + 8, 8);
    const std::uint64_t length = number_at(srat, at + 16, 8);
    if (number_at(srat, at, 1) == kMemoryAffinity && size >= kMemoryAffinitySize &&
        (number_at(srat, at + 28, 4) & kEnabledAndHotPluggable) == kEnabledAndHotPluggable &&
        length > 0 && first < kMax && length < kMax)
      ranges.push_back({first, first + length - 1});
    at += size;
  }
  sort_and_merge(ranges);
  return ranges;
}

void read_firmware(const Tree& tree, Notes& notes, model::Host& host) {
  add_ramdisk(tree, host);
  if (!tree.exists(kTables)) return;
  const auto srat = tree.read(kSrat);
  if (!srat && tree.exists(kSrat)) {
    notes.failure(kSrat, srat.error());
    return;
  }
  const auto ranges = srat ? hotpluggable_in(*srat) : std::vector<AddressRange>();
  if (!ranges) {
    notes.add(kSrat, "not a valid SRAT");
    return;
  }
  host.hotpluggable_memory.emplace();
  for (const AddressRange& range : *ranges)
    host.hotpluggable_memory->push_back(pages_of(range, host.page_size));
}

}  // namespace memonline::runtime
