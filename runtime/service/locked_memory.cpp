// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/locked_memory.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <span>

#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace memonline::service {

namespace {

constexpr std::size_t kWorthReturning = std::size_t{4} << 20U;
// Reading a host, planning and writing take a few KiB each; the rest is for what libraries put
// there.
constexpr std::size_t kStack = std::size_t{128} << 10U;

std::atomic<std::size_t> reserved{0};
std::atomic<std::size_t> returned_at{0};  ///< resident bytes when memory was returned last

std::size_t resident() {
  std::ifstream statm("/proc/self/statm");
  std::size_t all = 0, pages = 0;
  statm >> all >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

bool keep_memory(std::size_t bytes) {
  reserved.store(bytes);
  ::mallopt(M_ARENA_MAX, 1);
  // What is larger than the reserve is mapped by itself, and goes when it is freed; the heap is
  // only returned by return_memory().
  ::mallopt(M_MMAP_THRESHOLD, static_cast<int>(bytes));
  ::mallopt(M_TRIM_THRESHOLD, -1);
  if (void* reserve = std::malloc(bytes - bytes / 64)) {
    std::memset(reserve, 1, bytes - bytes / 64);
    // The compiler must not see that nobody reads it.
    asm volatile("" : : "r"(reserve) : "memory");
    std::free(reserve);
  }
  // Pages of libraries that are never called stay out; what is touched stays in.
  const bool locked = ::mlockall(MCL_CURRENT | MCL_ONFAULT) == 0;
  returned_at.store(resident());
  return locked;
}

// Code and constants are pages of files, which the kernel brings in around each use: most of what
// is resident was read for parsing options and policies, and for the objects on the bus.
void forget_used_code() {
  ::dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void*) {
        const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
        for (const auto& part : std::span(object->dlpi_phdr, object->dlpi_phnum)) {
          // What can be written has relocations in it, also where it is protected later.
          if (part.p_type != PT_LOAD || (part.p_flags & PF_W) != 0) continue;
          const std::uintptr_t begin = (object->dlpi_addr + part.p_vaddr) & ~(page - 1);
          const std::uintptr_t end =
              (object->dlpi_addr + part.p_vaddr + part.p_memsz + page - 1) & ~(page - 1);
          void* const at = reinterpret_cast<void*>(begin);  // NOLINT(performance-no-int-to-ptr)
          ::munlock(at, end - begin);
          ::madvise(at, end - begin, MADV_DONTNEED);
          ::mlock2(at, end - begin, MLOCK_ONFAULT);
        }
        return 0;
      },
      nullptr);
  returned_at.store(resident());
}

void lock_stack() {
  std::array<char, kStack> stack{};
  (void)::mlock(stack.data(), stack.size());
}

bool memory_has_grown() { return resident() > returned_at.load() + kWorthReturning; }

void return_memory() {
  // Pages in the middle go as well, but for locked ones; at the end the reserve is left.
  ::malloc_trim(reserved.load());
  returned_at.store(resident());
}

}  // namespace memonline::service
