// SPDX-License-Identifier: LGPL-2.1-or-later
// writeloop WORD FIRST LAST [AFTER]: the barest way to bring blocks online: open, write, close, one
// after another, downwards if FIRST is higher. What benchmarks compare with, and the other writer
// in races: it begins the moment block AFTER is online. Prints how many writes failed, and the
// milliseconds of them all.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace {

/// Opens the file `state` of a block; -1 when it cannot be opened.
int open_state(long block, int flags) {
  char path[64];
  std::snprintf(path, sizeof path, "/sys/devices/system/memory/memory%ld/state", block);
  return ::open(path, flags | O_CLOEXEC);
}

/// Whether a block is online now.
bool online(long block) {
  char state[16] = {};
  const int file = open_state(block, O_RDONLY);
  const bool yes = ::read(file, state, sizeof state - 1) > 0 && std::strcmp(state, "online\n") == 0;
  ::close(file);
  return yes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) return 2;
  const std::string line = std::string(argv[1]) + "\n";
  const long first = std::strtol(argv[2], nullptr, 10);
  const long last = std::strtol(argv[3], nullptr, 10);
  const long step = first <= last ? 1 : -1;
  if (argc == 5) {
    const long after = std::strtol(argv[4], nullptr, 10);
    while (!online(after)) {
    }
  }
  const auto began = std::chrono::steady_clock::now();
  int failed = 0;
  for (long block = first;; block += step) {
    const int file = open_state(block, O_WRONLY);
    if (file < 0 || ::write(file, line.data(), line.size()) < 0) ++failed;
    if (file >= 0) ::close(file);
    if (block == last) break;
  }
  const auto took = std::chrono::steady_clock::now() - began;
  std::printf("failed %d ms %.1f\n", failed,
              std::chrono::duration<double, std::milli>(took).count());
  return 0;
}
