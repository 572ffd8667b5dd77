// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/origins.hpp"

#include <algorithm>
#include <array>

namespace memonline::runtime {

namespace {

using model::Origin;
using model::State;

bool is_pc(const std::string& arch) { return arch == "x86_64" || arch == "i686"; }

constexpr std::uint64_t kFourGiB = 4ULL << 30U;

/// Whether all memory that is hot-added there has a device or a driver that shows. Not so where the
/// hypervisor adds it (Hyper-V, Xen, DLPAR) and on s390x.
bool hot_adds_by_devices(const model::Host& host) {
  constexpr std::array<std::string_view, 5> kArchs{"x86_64", "i686", "aarch64", "riscv64",
                                                   "loongarch64"};
  constexpr std::array<std::string_view, 4> kWithout{"", "microsoft", "xen", "vm-other"};
  return std::find(kArchs.begin(), kArchs.end(), host.arch) != kArchs.end() &&
         std::find(kWithout.begin(), kWithout.end(), host.virtualization) == kWithout.end();
}

const Block* block_at(const Blocks& blocks, std::uint64_t address) {
  const std::uint64_t id = address / blocks.size;
  const auto at = std::lower_bound(blocks.all.begin(), blocks.all.end(), id,
                                   [](const Block& b, std::uint64_t i) { return b.id < i; });
  return at != blocks.all.end() && at->id == id ? &*at : nullptr;
}

}  // namespace

Origins::Origins(const Tree& tree, const std::vector<FirmwareRange>& entries, const IoMemory& iomem,
                 const Blocks& blocks, const model::Host& host)
    : iomem_(iomem), blocks_(blocks), host_(host) {
  have_map_ = std::any_of(entries.begin(), entries.end(),
                          [](const FirmwareRange& entry) { return entry.ram; });
  map_ = boot_ranges(entries, std::max<std::uint64_t>(blocks.size, 1), blocks.all);
  if (have_map_) return;
  tree_ = read_device_tree(tree);
  for (const Block& block : blocks.all)
    if (block.dimm && (boot_dimms_.empty() || boot_dimms_.back() != *block.dimm) &&
        must_be_boot(block))
      boot_dimms_.push_back(*block.dimm);
}

Origin Origins::of(const Block& block) const {
  if (!have_map_) return without_map(block);
  const AddressRange range = addresses_of(block.id, blocks_.size);
  if (touching(map_.boot, range) != nullptr) return Origin::Boot;
  return touching(map_.unclear, range) != nullptr ? Origin::Unknown : Origin::Hotplugged;
}

/// The lowest memory of a machine, and what holds the kernel.
bool Origins::must_be_boot(const Block& block) const {
  if (block.id == blocks_.all.front().id) return true;
  const AddressRange range = addresses_of(block.id, blocks_.size);
  return iomem_.kernel && iomem_.kernel->first <= range.last && range.first <= iomem_.kernel->last;
}

/// The kernel registers boot memory as one resource for each stretch of a node, and each hot-add as
/// a resource of its own: the one with the kernel's image, and the lowest, are of boot; one right
/// behind another on the same node was hot-added.
std::optional<Origin> Origins::by_resource(AddressRange range) const {
  const AddressRange* at = touching(iomem_.plain, range);
  if (at == nullptr) return std::nullopt;
  const auto holds_kernel = [&] {
    return iomem_.kernel && at->first <= iomem_.kernel->first && iomem_.kernel->first <= at->last;
  };
  if (at == &iomem_.plain.front() || holds_kernel()) return Origin::Boot;
  const AddressRange* before = at - 1;
  if (before->last + 1 != at->first) return std::nullopt;
  const Block* below = block_at(blocks_, before->last);
  const Block* above = block_at(blocks_, at->first);
  if (below == nullptr || above == nullptr || below->node != above->node) return std::nullopt;
  return above->node || host_.arch == "s390x" ? std::optional(Origin::Hotplugged) : std::nullopt;
}

Origin Origins::without_map(const Block& block) const {
  const AddressRange range = addresses_of(block.id, blocks_.size);
  const auto is_boot_dimm = [&](std::uint32_t dimm) {
    return std::find(boot_dimms_.begin(), boot_dimms_.end(), dimm) != boot_dimms_.end();
  };
  if (block.dimm && is_boot_dimm(*block.dimm)) return Origin::Boot;
  if (tree_.known()) return tree_.origin_of(range);
  if (const auto origin = by_resource(range)) return *origin;
  // PCs hot-add above 4 GiB, where the buses' addresses end.
  if (is_pc(host_.arch) && range.last < kFourGiB) return Origin::Boot;
  // Where boot memory has devices, too, a device proves nothing.
  if (block.dimm) return boot_dimms_.empty() ? Origin::Hotplugged : Origin::Unknown;
  if (block.state == State::Unknown) return Origin::Unknown;
  // Boot memory of s390x is below standby memory, which stays offline until it is requested.
  if (host_.arch == "s390x" && iomem_.readable && block.state == State::Offline)
    return Origin::Hotplugged;
  return iomem_.readable && hot_adds_by_devices(host_) ? Origin::Boot : Origin::Unknown;
}

}  // namespace memonline::runtime
