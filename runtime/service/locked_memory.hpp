// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory that is there when memory is short: the service must plan and write just then.
#pragma once

#include <cstddef>

namespace memonline::service {

/// Makes the heap one arena that never gives back, touches `bytes` of it, and locks all of the
/// process into memory, now and later. False where the limit (RLIMIT_MEMLOCK) does not allow the
/// lock; the service goes on without. Call it before the first thread.
bool keep_memory(std::size_t bytes);

}  // namespace memonline::service
