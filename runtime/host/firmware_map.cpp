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

namespace {

/// The entries of the map in the order in which they were added, compared with the blocks. All of
/// the firmware's come before all of what was hot-added.
class AddedEntries {
 public:
  AddedEntries(const std::vector<FirmwareRange>& all, std::uint64_t block_size,
               const std::vector<Block>& blocks)
      : block_size_(block_size), blocks_(blocks) {
    // DIMMs that ACPI adds while the kernel initializes get their numbers before the firmware's own
    // entries do (firmware_memmap_init is a late initcall): the map begins at its lowest address.
    entries_.assign(std::min_element(all.begin(), all.end(),
                                     [](const FirmwareRange& a, const FirmwareRange& b) {
                                       return a.range.first < b.range.first;
                                     }),
                    all.end());
    count_firmware_entries();
  }

  [[nodiscard]] BootRanges sorted_out() const {
    BootRanges ranges;
    std::uint64_t highest = 0;  // the end of what earlier entries cover
    bool adding = false;        // once one entry was hot-added, so were all after it
    bool unclear = false;       // one entry may have been, and so may all after it
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const AddressRange& range = entries_[i].range;
      if (i >= firmware_ && !adding) {
        const bool below_earlier = i > 0 && range.first <= highest;
        const bool unmerged =
            i > 0 && entries_[i - 1].ram && range.first == entries_[i - 1].range.last + 1;
        const bool has_dimm = dimm_of(range).has_value();
        adding = below_earlier || unmerged || (has_dimm && boot_dimms_.empty());
        unclear = unclear || has_dimm;
      }
      highest = std::max(highest, range.last);
      if (!entries_[i].ram || adding) continue;
      (unclear ? ranges.unclear : ranges.boot).push_back(range);
    }
    sort_ranges(ranges.boot);
    sort_ranges(ranges.unclear);
    return ranges;
  }

 private:
  using BlockIterator = std::vector<Block>::const_iterator;

  void count_firmware_entries() {
    firmware_ = entries_.size();
    // Hot-added entries are aligned RAM.
    while (firmware_ > 0 && entries_[firmware_ - 1].ram && aligned(entries_[firmware_ - 1].range))
      --firmware_;
    // What is hot-added has an entry for each device.
    extend_firmware([&](const AddressRange& range) { return has_several_devices(range); });
    // A device that owns a block of the firmware's memory was there at boot with all it has. Where
    // there is one, ACPI describes boot memory by devices, too, and a device proves nothing.
    for (const Block& block : blocks_)
      if (block.dimm && (boot_dimms_.empty() || boot_dimms_.back() != *block.dimm) &&
          is_firmware_memory(block.id))
        boot_dimms_.push_back(*block.dimm);
    extend_firmware([&](const AddressRange& range) {
      const auto dimm = dimm_of(range);
      return dimm && std::find(boot_dimms_.begin(), boot_dimms_.end(), *dimm) != boot_dimms_.end();
    });
  }

  /// The last entry that must be the firmware's makes all before it the firmware's.
  template <class Proof>
  void extend_firmware(const Proof& proves) {
    for (std::size_t i = entries_.size(); i > firmware_; --i)
      if (proves(entries_[i - 1].range)) firmware_ = i;
  }

  [[nodiscard]] bool aligned(const AddressRange& range) const {
    return range.first % block_size_ == 0 && (range.last + 1) % block_size_ == 0;
  }

  [[nodiscard]] bool is_firmware_memory(std::uint64_t id) const {
    const AddressRange block = addresses_of(id, block_size_);
    return std::any_of(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(firmware_),
                       [&](const FirmwareRange& entry) {
                         return entry.ram && entry.range.first <= block.last &&
                                block.first <= entry.range.last;
                       });
  }

  [[nodiscard]] std::pair<BlockIterator, BlockIterator> blocks_in(const AddressRange& range) const {
    const auto before = [](const Block& block, std::uint64_t id) { return block.id < id; };
    const auto from =
        std::lower_bound(blocks_.begin(), blocks_.end(), range.first / block_size_, before);
    return {from, std::lower_bound(from, blocks_.end(), (range.last + 1) / block_size_, before)};
  }

  /// The ACPI device of all blocks of the range, if it is only one.
  [[nodiscard]] std::optional<std::uint32_t> dimm_of(const AddressRange& range) const {
    const auto [from, to] = blocks_in(range);
    if (from == to) return std::nullopt;
    const auto dimm = from->dimm;
    const bool one = std::all_of(from, to, [&](const Block& b) { return b.dimm == dimm; });
    return one ? dimm : std::nullopt;
  }

  [[nodiscard]] bool has_several_devices(const AddressRange& range) const {
    const auto [from, to] = blocks_in(range);
    const auto dimm = std::find_if(from, to, [](const Block& b) { return b.dimm.has_value(); });
    return std::any_of(dimm, to, [&](const Block& b) { return b.dimm && b.dimm != dimm->dimm; });
  }

  std::uint64_t block_size_;
  const std::vector<Block>& blocks_;
  std::vector<FirmwareRange> entries_;
  std::size_t firmware_ = 0;  ///< how many of the entries must be the firmware's
  std::vector<std::uint32_t> boot_dimms_;
};

}  // namespace

BootRanges boot_ranges(const std::vector<FirmwareRange>& all, std::uint64_t block_size,
                       const std::vector<Block>& blocks) {
  return AddedEntries(all, block_size, blocks).sorted_out();
}

}  // namespace memonline::runtime
