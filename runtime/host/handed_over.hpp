// SPDX-License-Identifier: LGPL-2.1-or-later
// A file that only the privileged may open, handed to us open: /proc/iomem shows its addresses to
// who had CAP_SYS_ADMIN when it was opened (r_show(), kernel/resource.c: file_ns_capable()), and
// our units have no capability at all. `StandardInput=file:/proc/iomem` has systemd open it.
#pragma once

#include <memory>

#include "runtime/host/tree.hpp"

namespace memonline::runtime {

/// `tree`, which must be this machine's own, with /proc/iomem read from standard input where that
/// is this file. Each time anew: the kernel writes it when it is read.
std::unique_ptr<Tree> with_handed_over(std::unique_ptr<Tree> tree);

}  // namespace memonline::runtime
