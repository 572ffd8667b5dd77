// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads which processes have pages in memory blocks: /proc/PID/pagemap (root only), and what each
// process has pinned.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/model/host.hpp"
#include "runtime/host/contents.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::runtime {

enum class Processes : std::uint8_t {
  All,
  Pinning,  ///< those with pinned memory (VmPin): buffers of io_uring and RDMA; not VFIO, which
            ///< counts as locked
};

/// Puts the processes that have pages in these blocks into `host`, in the order of their ids.
/// `go_on` is called after each process. A process that exits during the scan is left out.
void read_processes(const Tree& tree, const std::vector<model::BlockRange>& which,
                    Processes processes, model::Host& host, const Continue& go_on = {});

}  // namespace memonline::runtime
