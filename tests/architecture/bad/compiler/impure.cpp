// SPDX-License-Identifier: LGPL-2.1-or-later
// Everything the pure room must not do, so that the checks can be seen to catch it. Compiled into
// a library of its own that nothing links.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <string>

#include "runtime/knows_the_bus.hpp"

namespace memonline {
long impure() {
  const char* said = "somebody else set the knob";
  std::ifstream file("/proc/cmdline");
  std::string line;
  std::getline(file, line);
  std::cout << line;
  std::FILE* other = std::fopen("/etc/hostname", "r");
  if (other != nullptr) (void)std::fclose(other);
  const char* home = std::getenv("HOME");
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return now + said[0] + std::time(nullptr) + (home != nullptr ? 1 : 0);
}
}  // namespace memonline
