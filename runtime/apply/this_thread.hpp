// SPDX-License-Identifier: LGPL-2.1-or-later
// Carries out a program on the calling thread: for the service, which must not fork when memory is
// short. Instead of the helper's parent (helper.hpp), a timer signals this thread when offlining
// exceeds its deadline. Waiting for the kernel's hotplug lock cannot be ended (only a fatal signal
// does), so the service runs nothing else on this thread.
#pragma once

#include "runtime/apply/helper.hpp"

namespace memonline::apply {

/// `watch.progress` is called once, before the first write: what it was given may be read by other
/// threads until this returns, and setting `stop` in it ends the run after the current block.
Ended run_in_this_thread(const Program& program, SharedProgress& shared, MemoryPort& port,
                         const Limits& limits, const Watch& watch);

}  // namespace memonline::apply
