// SPDX-License-Identifier: LGPL-2.1-or-later
// Hosts of any size for measuring: as directories with the files a kernel shows, and as values.
#pragma once

#include <cstdint>
#include <filesystem>

#include "compiler/model/host.hpp"

namespace memonline::bench {

/// Writes below `root` what /sys and /proc show on a host of `blocks` blocks of 128 MiB (a multiple
/// of 8) on two nodes: the first half boot memory, online in Normal, the rest hot-added; of that
/// the lower half online in Movable, the upper offline. Does nothing if it is there already.
void write_tree(const std::filesystem::path& root, std::uint64_t blocks);

/// A host of eight runs, a node each, `length` blocks of 128 MiB a run: the first is boot memory,
/// the others are hot-added and offline.
model::Host eight_runs(std::uint64_t length);

}  // namespace memonline::bench
