// SPDX-License-Identifier: LGPL-2.1-or-later
// pin NODE: takes a page of memory on a NUMA node, lends it to a pipe, and waits. The reference
// that the pipe holds keeps the page where it is: taking its block offline does not end until a
// signal comes. Prints `pinned`.
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  constexpr std::size_t kPage = 4096;
  unsigned long nodes = 1UL << std::strtoul(argv[1], nullptr, 10);
  char* page = static_cast<char*>(
      ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (page == MAP_FAILED) return 1;
  if (::syscall(SYS_mbind, page, kPage, MPOL_BIND, &nodes, sizeof nodes * 8, 0) != 0) {
    std::perror("mbind");
    return 1;
  }
  page[0] = 'x';
  int ends[2];
  iovec lent{page, kPage};
  if (::pipe(ends) != 0 || ::vmsplice(ends[1], &lent, 1, 0) != static_cast<long>(kPage)) {
    std::perror("vmsplice");
    return 1;
  }
  std::puts("pinned");
  std::fflush(stdout);
  for (;;) ::pause();
}
