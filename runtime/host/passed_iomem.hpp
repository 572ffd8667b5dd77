// SPDX-License-Identifier: LGPL-2.1-or-later
// A privileged file that is passed to us open: /proc/iomem shows its addresses only if the process
// that opened it had CAP_SYS_ADMIN (r_show(), kernel/resource.c: file_ns_capable()), and our units
// have no capabilities. `StandardInput=file:/proc/iomem` lets systemd open it.
#pragma once

#include <memory>

#include "runtime/host/tree.hpp"

namespace memonline::runtime {

/// `tree`, which must be this machine's own, with /proc/iomem read from standard input where that
/// is this file. It is reread each time: the kernel generates it on reading.
std::unique_ptr<Tree> with_passed_iomem(std::unique_ptr<Tree> tree);

}  // namespace memonline::runtime
