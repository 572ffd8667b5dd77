// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/dimms.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "runtime/host/text.hpp"

namespace memonline::runtime {

namespace {

using Dimm = std::optional<std::uint32_t>;

/// NN of ".../PNP0C80:NN", which is hexadecimal.
std::optional<std::uint32_t> dimm_of(std::string_view link) {
  constexpr std::string_view kAcpiMemory = "PNP0C80:";
  const std::string_view name = link.substr(link.rfind('/') + 1);
  if (name.substr(0, kAcpiMemory.size()) != kAcpiMemory) return std::nullopt;
  const auto number = hexadecimal(name.substr(kAcpiMemory.size()));
  if (!number || *number > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

/// Whether the machine may have ACPI memory devices; without a list of its devices it may.
bool may_have_dimms(const Tree& tree) {
  const auto devices = tree.list("sys/bus/acpi/devices");
  if (!devices) return true;
  return std::any_of(devices->begin(), devices->end(),
                     [](const std::string& name) { return name.compare(0, 8, "PNP0C80:") == 0; });
}

class LinkReader {
 public:
  LinkReader(const Tree& memory, std::vector<Block>& blocks) : memory_(memory), blocks_(blocks) {}

  /// Blocks [first, last], which were added at once.
  void piece(std::size_t first, std::size_t last) {
    read(first);
    if (last > first) {
      read(last);
      between(first, last);
    }
  }

 private:
  void read(std::size_t i) {
    const auto link = memory_.link(fmt::format("memory{}/firmware_node", blocks_[i].id).c_str());
    blocks_[i].dimm = link ? dimm_of(*link) : std::nullopt;
  }
  /// Those between two that are known: equal ends have equal insides, for devices are contiguous
  /// within what was added at once.
  void between(std::size_t low, std::size_t high) {
    if (high - low < 2) return;
    if (blocks_[low].dimm == blocks_[high].dimm) {
      for (std::size_t i = low + 1; i < high; ++i) blocks_[i].dimm = blocks_[low].dimm;
      return;
    }
    const std::size_t middle = low + (high - low) / 2;
    read(middle);
    between(low, middle);
    between(middle, high);
  }

  const Tree& memory_;
  std::vector<Block>& blocks_;
};

}  // namespace

void read_dimms(const Tree& tree, const std::vector<AddressRange>& pieces, Blocks& blocks) {
  const auto memory = tree.below("sys/devices/system/memory");
  if (!memory || !may_have_dimms(tree)) return;
  LinkReader reader(**memory, blocks.all);
  const auto piece_of = [&](const Block& block) {
    return touching(pieces, addresses_of(block.id, blocks.size));
  };
  for (std::size_t first = 0; first < blocks.all.size();) {
    const AddressRange* piece = piece_of(blocks.all[first]);
    std::size_t end = first + 1;
    while (piece != nullptr && end < blocks.all.size() && piece_of(blocks.all[end]) == piece) ++end;
    reader.piece(first, end - 1);
    first = end;
  }
}

}  // namespace memonline::runtime
