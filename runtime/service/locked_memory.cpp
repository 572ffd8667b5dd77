// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/locked_memory.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <span>
#include <vector>

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace memonline::service {

namespace {

constexpr std::size_t kGrowth = std::size_t{1} << 20U;
// Reading a host, planning and writing take a few KiB each; the rest is for libraries.
constexpr std::size_t kStack = std::size_t{128} << 10U;

std::atomic<std::uintptr_t> heap_kept{0};  ///< the end of the heap with its reserve
std::atomic<std::size_t> at_rest{0};       ///< resident bytes

std::uintptr_t page_size() { return static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE)); }

struct Pages {
  std::uintptr_t begin = 0, end = 0;  ///< addresses
};
/// Whether each page is resident; empty if the kernel does not report it.
using Resident = std::vector<bool>;

struct NeededCode {
  Pages part;
  Resident needed;
};
std::vector<NeededCode> needed_code;

/// The code and constants of the program and its libraries. Not writable segments: they contain
/// relocations, even if they are protected later.
std::vector<Pages> code() {
  std::vector<Pages> parts;
  ::dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void* into) {
        const std::uintptr_t mask = page_size() - 1;
        for (const auto& part : std::span(object->dlpi_phdr, object->dlpi_phnum)) {
          if (part.p_type != PT_LOAD || (part.p_flags & PF_W) != 0) continue;
          const std::uintptr_t begin = object->dlpi_addr + part.p_vaddr;
          static_cast<std::vector<Pages>*>(into)->push_back(
              {begin & ~mask, (begin + part.p_memsz + mask) & ~mask});
        }
        return 0;
      },
      &parts);
  return parts;
}

void forget(std::uintptr_t begin, std::uintptr_t end) {
  void* const at = reinterpret_cast<void*>(begin);  // NOLINT(performance-no-int-to-ptr)
  ::munlock(at, end - begin);
  ::madvise(at, end - begin, MADV_DONTNEED);
  ::mlock2(at, end - begin, MLOCK_ONFAULT);
}

// Documentation/admin-guide/mm/pagemap.rst: 64 bits for each page, bit 63: present.
Resident resident_pages(const Pages& part) {
  constexpr unsigned kPresent = 63;
  std::vector<std::uint64_t> entries((part.end - part.begin) / page_size());
  // Only whole entries can be read: not through a buffered stream.
  const std::size_t bytes = entries.size() * sizeof entries[0];
  const int pagemap = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  const ssize_t got = ::pread(pagemap, entries.data(), bytes,
                              static_cast<off_t>(part.begin / page_size() * sizeof entries[0]));
  if (pagemap >= 0) ::close(pagemap);
  if (got != static_cast<ssize_t>(bytes)) return {};
  Resident pages;
  for (const std::uint64_t entry : entries) pages.push_back((entry >> kPresent & 1U) != 0);
  return pages;
}

/// Returns the resident pages of `part` that are not needed.
void forget_others(const Pages& part, const Resident& needed) {
  const Resident now = resident_pages(part);
  if (now.size() != needed.size()) return;
  for (std::size_t i = 0, first = 0; i <= now.size(); ++i) {
    if (i < now.size() && now[i] && !needed[i]) continue;
    if (first < i) forget(part.begin + first * page_size(), part.begin + i * page_size());
    first = i + 1;
  }
}

std::size_t resident() {
  std::ifstream statm("/proc/self/statm");
  std::size_t all = 0, pages = 0;
  statm >> all >> pages;
  return pages * page_size();
}

}  // namespace

bool keep_resident(std::size_t bytes) {
  ::mallopt(M_ARENA_MAX, 1);
  // Allocations larger than the reserve get a mapping of their own, which free() returns; only
  // return_memory() returns the heap.
  ::mallopt(M_MMAP_THRESHOLD, static_cast<int>(bytes));
  ::mallopt(M_TRIM_THRESHOLD, -1);
  if (void* reserve = std::malloc(bytes - bytes / 64)) {
    std::memset(reserve, 1, bytes - bytes / 64);
    // Keeps the compiler from removing the writes as unused.
    asm volatile("" : : "r"(reserve) : "memory");
    std::free(reserve);
  }
  // Pages of libraries that are never called are not loaded; touched pages stay in memory.
  const bool locked = ::mlockall(MCL_CURRENT | MCL_ONFAULT) == 0;
  heap_kept.store(reinterpret_cast<std::uintptr_t>(::sbrk(0)));
  accept_growth();
  return locked;
}

// Code and constants are pages of files, which the kernel reads around each use: most resident
// pages were read for parsing options and policies, and for the objects on the bus.
void forget_used_code() {
  for (const Pages& part : code()) forget(part.begin, part.end);
  accept_growth();
}

void remember_needed_code() {
  std::vector<NeededCode> all;
  for (const Pages& part : code()) all.push_back({part, resident_pages(part)});
  for (std::size_t i = 0; i < std::min(all.size(), needed_code.size()); ++i)
    for (std::size_t page = 0; page < all[i].needed.size(); ++page)
      if (page < needed_code[i].needed.size() && needed_code[i].needed[page])
        all[i].needed[page] = true;
  needed_code = std::move(all);
}

void lock_stack() {
  std::array<char, kStack> stack{};
  (void)::mlock(stack.data(), stack.size());
}

bool memory_has_grown() { return resident() > at_rest.load() + kGrowth; }

// Free pages in the middle of the heap are returned as well, except locked ones; the end of the
// heap never moves below that of the reserve.
void return_memory() {
  const auto end = reinterpret_cast<std::uintptr_t>(::sbrk(0));
  const std::uintptr_t free_from = end - ::mallinfo2().keepcost;
  const std::uintptr_t kept = heap_kept.load();
  ::malloc_trim(kept > free_from ? kept - free_from : 0);
  for (const auto& [part, needed] : needed_code) forget_others(part, needed);
}

void accept_growth() { at_rest.store(resident()); }

}  // namespace memonline::service
