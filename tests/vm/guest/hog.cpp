// SPDX-License-Identifier: LGPL-2.1-or-later
// hog MIB: takes memory until only so much is available (MemAvailable), and keeps it. Prints
// `full`.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <sys/mman.h>
#include <unistd.h>

namespace {

long available_kib() {
  std::FILE* file = std::fopen("/proc/meminfo", "r");
  char line[128];
  long kib = 0;
  while (file != nullptr && std::fgets(line, sizeof line, file) != nullptr)
    if (std::sscanf(line, "MemAvailable: %ld kB", &kib) == 1) break;
  if (file != nullptr) std::fclose(file);
  return kib;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const long leave = std::strtol(argv[1], nullptr, 10) * 1024;
  constexpr std::size_t kPiece = std::size_t{1} << 20U;
  while (available_kib() > leave) {
    void* piece =
        ::mmap(nullptr, kPiece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (piece == MAP_FAILED) return 1;
    std::memset(piece, 1, kPiece);
    if (::mlock(piece, kPiece) != 0) return 1;
  }
  std::puts("full");
  std::fflush(stdout);
  for (;;) ::pause();
}
