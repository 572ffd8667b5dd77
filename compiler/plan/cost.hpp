// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel memory that adding memory blocks takes, and the kernel memory that is free.
#pragma once

#include <cstdint>
#include <optional>

#include "compiler/model/host.hpp"

namespace memonline::plan {

/// struct page (include/linux/mm_types.h): 56 to 96 are possible, 64 is what kernels have in
/// practice.
inline constexpr std::uint64_t kStructPage = 64;
/// The growth of the slab caches for each added block, measured on 6.12 and 7.2 (4,096
/// blocks take 16.6 MiB): struct memory_block with its device (kmalloc-1k; drivers/base/memory.c,
/// add_memory_block()) ...
inline constexpr std::uint64_t kMemoryBlock = 1024;
/// ... its struct device_private (kmalloc-256; drivers/base/core.c, device_private_init()) ...
inline constexpr std::uint64_t kDevicePrivate = 256;
/// ... 18 kernfs nodes: the directory, its attributes, and the links with nodeN and the bus ...
inline constexpr std::uint64_t kSysfsNodes = 18ULL * 136;
/// ... and the names, and places in the index of blocks (xarray).
inline constexpr std::uint64_t kNamesAndIndex = 448;
inline constexpr std::uint64_t kBlockDevice =
    kMemoryBlock + kDevicePrivate + kSysfsNodes + kNamesAndIndex;
/// Free memory that the kernel can use for itself: MemAvailable, but no more than its own zones
/// hold. Empty if the source does not provide it.
std::optional<model::Bytes> free_kernel_memory(const model::Host& host);
/// The free kernel memory that adding so many blocks takes: their memory map, unless they hold it
/// themselves, page tables, and what describes each block.
model::Bytes cost_of_blocks(const model::Host& host, std::uint64_t blocks, bool own_map);

}  // namespace memonline::plan
