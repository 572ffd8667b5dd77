// SPDX-License-Identifier: LGPL-2.1-or-later
// walktime BLOCK: how long the kernel took to bring a DIMM online by itself. It adds all blocks of
// a device before it brings the first online, and does so upwards: from the moment the last BLOCK
// is there to that at which it is online passes what onlining took, and nothing of what adding
// took.
//   ms 8321.4
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

/// Looks at the file every millisecond until it begins with `word`; when that was.
Clock::time_point until(const std::string& path, const char* word) {
  constexpr timespec kPause{0, 1'000'000};
  for (;;) {
    char text[16] = {};
    if (const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC); file >= 0) {
      const bool read = ::read(file, text, sizeof text - 1) > 0;
      ::close(file);
      if (read && std::strncmp(text, word, std::strlen(word)) == 0) return Clock::now();
    }
    ::nanosleep(&kPause, nullptr);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string state = std::string("/sys/devices/system/memory/memory") + argv[1] + "/state";
  const auto there = until(state, "o");
  const std::chrono::duration<double, std::milli> took = until(state, "online") - there;
  std::printf("ms %.1f\n", took.count());
  return 0;
}
