// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory for times when memory is short: the service must plan and write just then. Locked memory
// is bounded, and memory of large requests is returned to the kernel.
#pragma once

#include <cstddef>

namespace memonline::service {

/// Limits the heap to one arena, touches its first `bytes`, and locks current mappings in memory:
/// the code, as it is used, and those bytes. Later growth of the heap is not locked. False if
/// RLIMIT_MEMLOCK does not allow the lock; the service continues without it. Call it before the
/// first thread starts.
bool keep_resident(std::size_t bytes);

/// Returns the code that only the startup needed. Code that is used from now on is read again, and
/// is then locked. Call it before the first round.
void forget_used_code();

/// Records the code in use as the code that the service always needs: return_memory() returns code
/// that requests load beyond that. Call it after the first round, and after the first writes.
void remember_needed_code();

/// Locks as much of the stack of the calling thread as writing needs.
void lock_stack();

/// Whether the process is larger by 1 MiB than it was at rest.
[[nodiscard]] bool memory_has_grown();
/// Returns free memory to the kernel, except the reserve of `keep_resident`, and code.
void return_memory();
/// Takes the current size of the process as its size at rest.
void accept_growth();

}  // namespace memonline::service
