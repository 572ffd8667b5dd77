// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads what online memory blocks hold: /proc/kpageflags, 8 bytes for each page (root only).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "compiler/model/host.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::runtime {

inline constexpr auto kPageFlags = "proc/kpageflags";
/// The most pages that are read at once: 256 GiB of pages of 4 KiB, a few seconds.
inline constexpr std::uint64_t kMaxPagesRead = std::uint64_t{64} << 20U;

/// True: go on; false: stop, and leave out the other blocks. Called after each block.
using Continue = std::function<bool(std::uint64_t done, std::uint64_t blocks)>;

/// Puts the contents of these blocks into `host`, as far as they are online; in the order of
/// `which`, at most `most` pages. If the file cannot be read, Host::unread says so.
void read_contents(const Tree& tree, const std::vector<model::BlockRange>& which, model::Host& host,
                   std::uint64_t most = kMaxPagesRead, const Continue& go_on = {});
/// The same in the tree below a directory, "/" for this machine; nothing if `root` is a file, or if
/// the contents of the host are known.
void read_contents_below(const std::string& root, const std::vector<model::BlockRange>& which,
                         model::Host& host, std::uint64_t most = kMaxPagesRead,
                         const Continue& go_on = {});

}  // namespace memonline::runtime
