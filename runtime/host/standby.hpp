// SPDX-License-Identifier: LGPL-2.1-or-later
// Standby memory of s390x: from Linux 6.19 on it has no blocks before it is configured.
#pragma once

#include "compiler/model/host.hpp"
#include "runtime/host/notes.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::runtime {

/// Fills host.standby from /sys/firmware/memory/memoryN/config (drivers/s390/char/sclp_mem.c).
void read_standby(const Tree& tree, Notes& notes, model::Host& host);

}  // namespace memonline::runtime
