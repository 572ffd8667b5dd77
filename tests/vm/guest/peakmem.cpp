// SPDX-License-Identifier: LGPL-2.1-or-later
// peakmem CGROUP FILE: samples the memory of all processes of a cgroup, fifty times a second, until
// FILE is there: the sum of their proportional set sizes, which counts a page that several share
// once. Prints the most there was at a time, in KiB, and the most processes:
//   peak 12345 processes 21
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>

#include <time.h>
#include <unistd.h>

namespace {

/// `Pss:` of a process; 0 when it has gone.
long pss_of(const std::string& pid) {
  std::ifstream rollup("/proc/" + pid + "/smaps_rollup");
  for (std::string word; rollup >> word;)
    if (long kib = 0; word == "Pss:" && rollup >> kib) return kib;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string list = std::string(argv[1]) + "/cgroup.procs";
  long peak = 0;
  long most = 0;
  constexpr timespec kPause{0, 20'000'000};
  while (::access(argv[2], F_OK) != 0) {
    long sum = 0;
    long processes = 0;
    std::ifstream pids(list);
    for (std::string pid; pids >> pid; ++processes) sum += pss_of(pid);
    peak = std::max(peak, sum);
    most = std::max(most, processes);
    ::nanosleep(&kPause, nullptr);
  }
  std::printf("peak %ld processes %ld\n", peak, most);
  return peak > 0 ? 0 : 1;
}
