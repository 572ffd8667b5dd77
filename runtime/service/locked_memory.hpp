// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory that is there when memory is short: the service must plan and write just then. What is
// locked is bounded, and what large requests took is returned to the kernel.
#pragma once

#include <cstddef>

namespace memonline::service {

/// Makes the heap one arena, touches its first `bytes`, and locks what is mapped by now into
/// memory: the code, as it is used, and those bytes. What the heap grows by later is not locked.
/// False where the limit (RLIMIT_MEMLOCK) does not allow the lock; the service goes on without.
/// Call it before the first thread.
bool keep_memory(std::size_t bytes);

/// Gives back the code that only starting needed. What is used from now on is read in once more, as
/// it is used, and is locked then. Call it before the first look at memory.
void forget_used_code();

/// The code that is in use by now is what the service needs at any time: return_memory() gives back
/// what requests bring in beyond that. Call it after the first look at memory, and after the first
/// writes.
void remember_needed_code();

/// Locks the stack of the calling thread, as far as writing needs it.
void lock_stack();

/// Whether the process is larger by 1 MiB than it was at rest.
[[nodiscard]] bool memory_has_grown();
/// Returns free memory to the kernel, but for what `keep_memory` has reserved, and code.
void return_memory();
/// From now on, the process is at rest as large as it is.
void accept_growth();

}  // namespace memonline::service
