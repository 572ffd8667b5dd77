// SPDX-License-Identifier: LGPL-2.1-or-later
// peakmem CGROUP FILE: samples the memory of all processes of a cgroup and those below it
// (systemd-udevd keeps its workers in one), fifty times a second, until FILE is there. Prints the
// most there was at a time, in KiB, as proportional set sizes, which count a page that several
// share once, and as resident sets, which count it for each; and the most processes:
//   pss 12345 rss 98765 processes 21
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <time.h>
#include <unistd.h>

namespace {

struct Memory {
  long pss = 0, rss = 0;
};

/// Of a process; nothing when it has gone.
Memory memory_of(const std::string& pid) {
  Memory memory;
  std::ifstream rollup("/proc/" + pid + "/smaps_rollup");
  for (std::string word; rollup >> word;) {
    if (word == "Pss:") rollup >> memory.pss;
    if (word == "Rss:") rollup >> memory.rss;
  }
  return memory;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  Memory peak;
  long most = 0;
  constexpr timespec kPause{0, 20'000'000};
  while (::access(argv[2], F_OK) != 0) {
    Memory sum;
    long processes = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(argv[1])) {
      if (file.path().filename() != "cgroup.procs") continue;
      std::ifstream pids(file.path());
      for (std::string pid; pids >> pid; ++processes) {
        const Memory memory = memory_of(pid);
        sum.pss += memory.pss;
        sum.rss += memory.rss;
      }
    }
    peak.pss = std::max(peak.pss, sum.pss);
    peak.rss = std::max(peak.rss, sum.rss);
    most = std::max(most, processes);
    ::nanosleep(&kPause, nullptr);
  }
  std::printf("pss %ld rss %ld processes %ld\n", peak.pss, peak.rss, most);
  return peak.pss > 0 ? 0 : 1;
}
