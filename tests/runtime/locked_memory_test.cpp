// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory that a large request leaves behind, in a process of its own.
#include "runtime/service/locked_memory.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <span>
#include <vector>

#include <elf.h>
#include <link.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/catch.hpp"

namespace memonline {

namespace {

/// What `work` returns in a child process; 255 if the child was killed.
int in_child(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/// Reads a byte of each page of this program's code and constants, as executing all of it would.
void use_all_code() {
  ::dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void*) {
        for (const auto& part : std::span(object->dlpi_phdr, object->dlpi_phnum)) {
          if (part.p_type != PT_LOAD || (part.p_flags & PF_W) != 0) continue;
          const std::uintptr_t begin = object->dlpi_addr + part.p_vaddr;
          for (std::uintptr_t at = begin; at < begin + part.p_memsz; at += 4096)
            (void)*reinterpret_cast<const volatile char*>(at);  // NOLINT
        }
        return 1;  // the program is the first; libraries are shared with other processes
      },
      nullptr);
}

enum Failed { None, Grew, NotGrown, NotReturned, Lost };

}  // namespace

// NOLINTNEXTLINE(bugprone-reserved-identifier): of gcc's library for --coverage
extern "C" void __gcov_init(void*) __attribute__((weak));

TEST_CASE("locked memory: code that only requests use is returned, and what is needed stays") {
  if (__gcov_init != nullptr) return;  // counters are written with the code, and stay
  CHECK(in_child([] {
          service::forget_used_code();
          service::remember_needed_code();
          service::accept_growth();
          if (service::memory_has_grown()) return Grew;
          use_all_code();
          if (!service::memory_has_grown()) return NotGrown;
          service::return_memory();
          return service::memory_has_grown() ? NotReturned : None;
        }) == None);
  CHECK(in_child([] {
          service::forget_used_code();
          use_all_code();
          service::remember_needed_code();
          service::accept_growth();
          service::return_memory();
          // Had needed code been returned, the process would be smaller now, and grow again.
          service::accept_growth();
          use_all_code();
          return service::memory_has_grown() ? Lost : None;
        }) == None);
}

TEST_CASE("locked memory: freed memory is returned") {
  CHECK(in_child([] {
          service::accept_growth();
          std::vector<void*> pieces;
          for (int i = 0; i < 4096; ++i) {
            pieces.push_back(std::malloc(4000));
            std::memset(pieces.back(), 1, 4000);
          }
          if (!service::memory_has_grown()) return NotGrown;
          for (void* piece : pieces) std::free(piece);
          service::return_memory();
          return service::memory_has_grown() ? NotReturned : None;
        }) == None);
}

}  // namespace memonline
