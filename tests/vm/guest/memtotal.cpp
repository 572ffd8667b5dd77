// SPDX-License-Identifier: LGPL-2.1-or-later
// memtotal KIB: waits until MemTotal of /proc/meminfo is that much, and prints the milliseconds
// since the firmware's interrupt that announced the memory. Without a fork, which would take a
// whole processor of the guest.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

namespace {

/// What a file below /proc holds, as far as it fits; empty when it cannot be read.
const char* content(const char* path) {
  static char text[16384];
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  std::size_t size = 0;
  ssize_t got = 0;
  while ((got = ::read(file, text + size, sizeof text - 1 - size)) > 0)
    size += static_cast<std::size_t>(got);
  ::close(file);
  text[size] = '\0';
  return text;
}

long total() {
  long kib = 0;
  std::sscanf(content("/proc/meminfo"), "MemTotal: %ld", &kib);
  return kib;
}

/// How many interrupts of the firmware there were, on all processors: the line that ends in "acpi",
/// a number and a colon, then a count a processor.
long announcements() {
  const char* text = content("/proc/interrupts");
  const char* count = std::strstr(text, "acpi\n");
  if (count == nullptr) return 0;
  while (count != text && *count != ':') --count;
  long sum = 0;
  char* end = nullptr;
  for (++count;; count = end) {
    const long one = std::strtol(count, &end, 10);
    if (end == count) return sum;
    sum += one;
  }
}

void sleep_a_little() {
  constexpr timespec kPause{0, 10'000'000};
  ::nanosleep(&kPause, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const long wanted = std::atol(argv[1]);
  const long before = announcements();
  std::puts("ready");
  std::fflush(stdout);
  while (announcements() == before) sleep_a_little();
  const auto began = std::chrono::steady_clock::now();
  while (total() < wanted) sleep_a_little();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  std::printf("ms %.1f\n", took.count());
  return 0;
}
