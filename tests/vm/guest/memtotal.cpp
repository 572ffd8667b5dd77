// SPDX-License-Identifier: LGPL-2.1-or-later
// memtotal KIB: waits until MemTotal of /proc/meminfo is that much, without a fork, which would
// take a whole processor of the guest.
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const long wanted = std::atol(argv[1]);
  constexpr timespec kPause{0, 10'000'000};
  for (;;) {
    char text[64] = {};
    const int file = ::open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
    const bool read = ::read(file, text, sizeof text - 1) > 0;
    ::close(file);
    long kib = 0;
    if (read && std::sscanf(text, "MemTotal: %ld", &kib) == 1 && kib >= wanted) return 0;
    ::nanosleep(&kPause, nullptr);
  }
}
