// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/locked_memory.hpp"

#include <cstdlib>
#include <cstring>

#include <malloc.h>
#include <sys/mman.h>

namespace memonline::service {

bool keep_memory(std::size_t bytes) {
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_TRIM_THRESHOLD, -1);
  if (void* reserve = std::malloc(bytes)) {
    std::memset(reserve, 1, bytes);
    // The compiler must not see that nobody reads it.
    asm volatile("" : : "r"(reserve) : "memory");
    std::free(reserve);
  }
  // Pages of libraries that are never called stay out; what is touched stays in.
  return ::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
}

}  // namespace memonline::service
